// The tables of all formats as a page: PAYLOADS.md.

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_PAGE_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_PAGE_H_

#include <string>

namespace migstream {

std::string PayloadsPage();

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_PAGE_H_
