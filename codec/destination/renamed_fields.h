// Names in QEMU's descriptions that changed, and nothing in the stream with
// them. The same are known to QEMU's vmstate-static-checker.py.

#ifndef MIGSTREAM_CODEC_DESTINATION_RENAMED_FIELDS_H_
#define MIGSTREAM_CODEC_DESTINATION_RENAMED_FIELDS_H_

#include <string_view>

namespace migstream {

// Whether two names are of one field of the description or section `where`.
bool IsSameField(std::string_view where, std::string_view a,
                 std::string_view b);

// What a section was called before or after; empty if it never changed.
std::string_view OtherSectionName(std::string_view section);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DESTINATION_RENAMED_FIELDS_H_
