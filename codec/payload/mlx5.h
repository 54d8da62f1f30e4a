// mlx5: ConnectX and BlueField VFs. Records {size, flags, tag} with firmware
// images inside; before 6.2 one image without any header.

#ifndef MIGSTREAM_CODEC_PAYLOAD_MLX5_H_
#define MIGSTREAM_CODEC_PAYLOAD_MLX5_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kMlx5Format;

struct Mlx5Rules {
  explicit Mlx5Rules(bool legacy) : legacy(legacy) {}
  void Add(const PayloadEvent& event, RuleOutput& out);
  void Finish(const PayloadEnd& end, RuleOutput& out);

  void Image(const PayloadEvent& event, RuleOutput& out);

  bool legacy;  // No headers.
  bool first_done = false;
  bool has_size = false;
  bool oversize = false;
  bool grew = false;
  uint64_t stop_copy_size = 0;
  uint64_t size_offset = 0;
  uint64_t images = 0;
  uint64_t finals = 0;
  uint64_t final_image = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_MLX5_H_
