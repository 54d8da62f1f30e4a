// A second decoder of a migration's main channel, for comparison: slow, plain,
// and written from FORMAT.md sections 2 to 8 alone. It shares no code with
// codec/ or flags/; keep it so.

#ifndef MIGSTREAM_FUZZ_SLOW_STREAM_H_
#define MIGSTREAM_FUZZ_SLOW_STREAM_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slow {

// Something that is in the stream. `numbers` and `texts`, by `what`:
//   header         version
//   configuration  | machine type
//   subsection     version | name, content: of the CONFIGURATION
//   section        type, section offset, id, instance, version | idstr
//   device         kind as slow::Item's, c, n | payload
//   record         length without payload, payload length: of section 6
//   ram            flags, page offset, payload length | block
//   block          used length, page size, whether there is an address,
//                  address, bitmap offset, pages offset | name
//   blocks         the block list is whole
//   section end    content length, whether there is a footer
//   command        command | data
//   eof
//   description    length
struct StreamItem {
  std::string what;
  uint64_t at = 0;
  std::vector<uint64_t> numbers;
  std::vector<std::string> texts;

  bool operator==(const StreamItem&) const = default;
};

struct SlowStream {
  std::vector<StreamItem> items;
  // kRefused: wrong or cut, at `at` or behind it; more may be told before that.
  enum { kWhole, kCut, kWrong, kRefused } end = kWhole;
  uint64_t at = 0;  // Of what is wrong; of the end, if it is whole.
};

// How long the content of another device's FULL is, by the offset of its
// section and that of its content, where the input has at least a byte; nothing
// if that is not known, which is an error.
using FullLengths = std::function<std::optional<uint64_t>(uint64_t section_at,
                                                          uint64_t content_at)>;

SlowStream DecodeSlowly(std::string_view bytes, const FullLengths& lengths);

}  // namespace slow

#endif  // MIGSTREAM_FUZZ_SLOW_STREAM_H_
