// The device that a caller means: the one of a name, or the only one.

#ifndef MIGSTREAM_CODEC_REWRITE_DEVICE_CHOICE_H_
#define MIGSTREAM_CODEC_REWRITE_DEVICE_CHOICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "codec/qemu/stream_visitor.h"
#include "codec/wire/error.h"

namespace migstream {

class DeviceChoice {
 public:
  // An idstr, as it stands in the stream or as Printable() shows it; empty for
  // the only device.
  explicit DeviceChoice(std::string idstr) : idstr_(std::move(idstr)) {}

  // Whether a VFIO device's section is meant.
  bool Matches(const SectionView& section);

  // kUnknownSection: no section matched, or those of several devices did.
  Error Finish() const;

 private:
  const std::string idstr_;
  std::optional<std::pair<std::string, uint32_t>> found_;
  bool several_ = false;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_REWRITE_DEVICE_CHOICE_H_
