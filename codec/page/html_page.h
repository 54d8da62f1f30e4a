// A migration as one page to look at: its bytes, channel by channel, its order,
// its devices and what is wrong with it. The page is whole by itself, asks
// nothing of a network and runs no script but its own; names in the stream stay
// text in it. It is as large as the rows it is given, and has neither payload
// nor guest memory.

#ifndef MIGSTREAM_CODEC_PAGE_HTML_PAGE_H_
#define MIGSTREAM_CODEC_PAGE_HTML_PAGE_H_

#include <string>
#include <vector>

#include "codec/map/folded_map.h"
#include "codec/report/report.pb.h"

namespace migstream {

struct PageFile {
  std::string name;  // As findings name it.
  FoldedMap map;     // Folded.
};

// The main channel's file is the first. The first 500 findings, devices and
// owners are shown.
std::string HtmlPage(const report::Report& report,
                     const std::vector<PageFile>& files);

// How many rows of a map to keep, so that a page of so many files stays small.
size_t PageRows(size_t files);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAGE_HTML_PAGE_H_
