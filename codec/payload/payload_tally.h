// Collects one device's payload into a report, as it comes by.
//
//   PayloadTally tally;
//   tally.Add(bytes, {.stream_offset = offset});    // Pre-copy,
//   tally.InitialDataSent();
//   tally.BeginStopCopy();
//   tally.Add(more, {.stream_offset = offset2});    // then stop-copy.
//   tally.SetId({0x15b3, 0x101e});                  // Config comes last.
//   PayloadReport report = tally.Finish();
//
// Pieces may be cut anyhow; they are not kept. What is held does not grow with
// the payload beyond the options' limits: a struct that is not all there yet,
// and the first 4 KiB of bytes that say nothing by themselves. What of a large
// opaque record is not read the caller may Skip().

#ifndef MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_TALLY_H_
#define MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_TALLY_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/payload/formats.h"
#include "codec/payload/payload_decoder.h"
#include "codec/payload/payload_report.h"
#include "codec/payload/payload_rules.h"
#include "codec/wire/bytes.h"

namespace migstream {

// What several tallies may still keep together; what is beyond is walked and
// counted.
struct PayloadBudget {
  size_t kept = 1 << 16;  // Records and values.
  // Places where payload goes on elsewhere, beside each tally's first.
  size_t runs = 1 << 17;
  size_t bytes = 1 << 20;  // See PayloadTally::kKeptBytes.
};

struct PayloadOptions {
  std::optional<PciId> id = {};  // Where it is known before.
  // Read it so, whatever the bytes look like.
  const payload::Format* format = nullptr;
  // Kept in the report; what is beyond is walked and counted.
  size_t records = 1 << 18;
  size_t values = 1 << 18;
  size_t runs = 1 << 16;
  // Several tallies may share it, and it outlives them; null: there is none.
  PayloadBudget* budget = nullptr;
};

class PayloadTally {
 public:
  // How much is kept of a payload that nothing is known of, for an id that
  // comes later. One that is longer, or beyond the budget, is not walked again.
  static constexpr size_t kKeptBytes = 4096;

  explicit PayloadTally(const PayloadOptions& options = {})
      : options_(options), id_(options.id) {}

  void Add(ByteSpan piece, const PayloadPlace& place);

  // How many of the coming bytes nobody has to read.
  uint64_t skippable() const;
  // They went by, behind those of the last piece: `count` is at most
  // skippable().
  void Skip(uint64_t count);

  // Bytes from here on were read while the guest stood.
  void BeginStopCopy();
  // Only the first time counts: later ones are about data that became initial
  // afterwards.
  void InitialDataSent() {
    if (!init_data_sent_) init_data_sent_ = bytes_;
  }
  void SetId(PciId id) { id_ = id; }

  uint64_t bytes() const { return bytes_; }

  // Once, at the end. If it is not the whole payload, as where its stream was
  // cut, nothing is found that concerns the end.
  PayloadReport Finish(bool whole = true);

 private:
  void Start();
  void Walk(ByteSpan& input);
  void WalkHeld();
  void Take(const PayloadEvent& event);
  void AddValues(const PayloadEvent& event, bool in_header, PayloadRecord& to);
  bool MayKeep(size_t kept, size_t limit);
  void AddRun(const PayloadPlace& place);
  bool MayAddRun();
  void Keep(ByteSpan piece);
  void StopKeeping();
  void WatchZero(ByteSpan piece);
  // An id that came late tells more than the bytes did: walks what is kept
  // again.
  std::optional<PayloadReport> Again(bool whole);
  void CloseRecords(bool truncated);

  PayloadOptions options_;
  std::optional<PciId> id_;
  std::optional<PciId> id_at_start_;
  std::optional<Recognition> found_;
  // From the first kRecognizedBytes on: many devices have next to no payload.
  std::unique_ptr<PayloadDecoder> decoder_;
  std::unique_ptr<PayloadRules> rules_;
  bool failed_ = false;

  uint64_t bytes_ = 0;
  std::optional<uint64_t> stop_copy_at_;
  std::optional<uint64_t> init_data_sent_;
  bool all_zero_ = true;
  std::array<uint8_t, kRecognizedBytes> head_ = {};

  // What Next() did not take.
  std::vector<uint8_t> held_;

  bool keep_ = true;  // kept_ has all bytes so far.
  std::string kept_;
  bool runs_full_ = false;

  // The record at each depth that is not over; -1: none.
  std::array<int64_t, PayloadDecoder::kMaxDepth + 1> open_ = {};
  uint8_t last_depth_ = 0;
  // See Again().
  bool renamed_ = false;
  bool unread_ = false;
  PayloadReport report_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_PAYLOAD_PAYLOAD_TALLY_H_
