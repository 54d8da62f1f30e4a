#include "codec/qemu/record_cursor.h"

#include <utility>

namespace migstream {

void RecordCursor::Fail(ErrorCode code, uint64_t offset, std::string reason) {
  if (ok()) error_ = {code, offset, "", std::move(reason)};
}

}  // namespace migstream
