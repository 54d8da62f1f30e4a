// Gets at a stream's description (vm_description.h) before the reading comes to
// it: the other devices' sections, which come first, are walked by it.
// FORMAT.md section 7.

#ifndef MIGSTREAM_CODEC_QEMU_DESCRIPTION_LOADER_H_
#define MIGSTREAM_CODEC_QEMU_DESCRIPTION_LOADER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "codec/io/byte_source.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/error.h"

namespace migstream {

class DescriptionLoader {
 public:
  // The visitor says whether fields are kept. Both must outlive the loader.
  DescriptionLoader(const StreamVisitor& visitor, const StreamLimits& limits)
      : visitor_(visitor), limits_(limits) {}

  enum class Outcome {
    kThere,
    kAbsent,      // The input ends with no description that can be read.
    kOutOfReach,  // Too far ahead in a source that cannot seek; may be asked
                  // for again.
  };
  // Looks at the input's end. What is known by then is not looked for again.
  Outcome Load(ByteSource& source);

  // The one that the reading has come to, at `offset`: it must be the same.
  Error Take(uint64_t offset, ByteSpan json);

  // Null before it is there.
  const std::shared_ptr<const VmDescription>& description() const {
    return description_;
  }
  // It was looked for, and is not at the input's end.
  bool is_absent() const { return absent_; }
  // The input's end may be one that is longer than the limit.
  bool is_too_long() const { return too_long_; }

 private:
  absl::StatusOr<VmDescription> Parse(std::string json) const;

  const StreamVisitor& visitor_;
  const StreamLimits& limits_;
  std::shared_ptr<const VmDescription> description_;
  bool absent_ = false;
  bool too_long_ = false;
  size_t used_json_bytes_ = 0;  // Of the one that was found at the end.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_DESCRIPTION_LOADER_H_
