// qat: Intel QuickAssist VFs. Two blocks of named sections, then zero fill to
// 4096 bytes.

#ifndef MIGSTREAM_CODEC_PAYLOAD_QAT_H_
#define MIGSTREAM_CODEC_PAYLOAD_QAT_H_

#include "codec/payload/driver_rules.h"
#include "codec/payload/format.h"

namespace migstream {

extern const payload::Format kQatFormat;

struct QatRules {
  void Add(const PayloadEvent& event, RuleOutput& out);
  void Finish(const PayloadEnd& end, RuleOutput& out);

  void Block(const PayloadEvent& event, RuleOutput& out);
  void Section(const PayloadEvent& event, RuleOutput& out);
  void Value(const PayloadEvent& event, RuleOutput& out);

  bool in_state = false;  // In the second block.
  bool setup_sound = true;
  bool tail_dirty = false;
  uint32_t seen = 0;  // Bit n: the section of row n.
  uint64_t setup_end = 0;
  uint64_t state_end = 0;
  uint64_t banks = 0;
  uint64_t bank_registers = 0;
  uint64_t slas = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_QAT_H_
