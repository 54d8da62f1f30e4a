// Decodes a migration's main channel from bytes that come in any pieces, from a
// file or live. FORMAT.md sections 2 to 9.
//
//   StreamDecoder decoder(options);
//   for (StreamEvent event;;) {
//     switch (decoder.Next(input, event)) {  // Takes from input's front.
//       case Step::kEvent:
//         Use(event);
//         break;
//       case Step::kNeedInput:  // Put more bytes behind what is left.
//         break;
//       case Step::kDone:  // input begins with what follows.
//         return {};
//       case Step::kError:
//         return decoder.error();
//     }
//   }
//
// On kNeedInput, what is left of `input` has to be presented again with more
// behind it: bytes_needed() in all is the least with which the decoder may go
// on. No event waits for bytes that come after it, with these exceptions, where
// the wire has no mark of its own and QEMU's loader looks ahead as well:
// whether footers are written shows in the byte after the first section's
// content, unless options.footers has it; a config payload, see
// config_layout.h; after POSTCOPY_ADVISE, an entry of the block list. Any cut
// of the input gives the same events, except that payload comes in other
// pieces.
//
// How long the FULL of a device is that is not known here, the stream does not
// say: options.content_length is asked. The decoder does no I/O, starts no
// thread and keeps no payload; it allocates for a section id or a RAM block
// that is new, within options.limits, and for nothing else.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_DECODER_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_DECODER_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "codec/device/config_layout.h"
#include "codec/device/section_decoder.h"
#include "codec/qemu/configuration.h"
#include "codec/qemu/content_walk.h"
#include "codec/qemu/handler_records.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/ram_decoder.h"
#include "codec/qemu/stream_event.h"
#include "codec/qemu/stream_runs.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/step.h"
#include "flags/dialect.h"
#include "flags/section_type.h"

namespace migstream {

// The answer to how long a section's content is.
struct ContentLength {
  enum Kind : uint8_t {
    kUnknown,    // An error at this section: `error`, if it is one.
    kBytes,      // `bytes` of it.
    kNeedInput,  // Ask again when there is more input than now.
    // The caller reads it: Next() gives kTakenOver, whose content begins the
    // input. The caller moves it with TakeOver(), and says EndContent().
    kTakenOver,
  };
  Kind kind = kUnknown;
  uint64_t bytes = 0;
  Error error = {};
};

struct StreamDecoderOptions {
  const Dialect* dialect = &GetDialect(DialectId::kAuto);
  StreamLimits limits = {};
  // See DecoderOptions.
  bool switchover_ack_off = false;
  uint64_t offset = 0;  // Of the first byte; mapped-ram counts from 0.
  // The target's page size, for a caller that knows; 0: as the stream says, and
  // 4096 as long as it does not.
  uint64_t page_bytes = 0;
  // Whether sections have footers, for a caller that knows.
  std::optional<bool> footers = std::nullopt;
  // Asked for the FULL of each device that is not known here; `input` begins
  // with its content. Without it such a section is an error.
  std::function<ContentLength(const SectionView& section, ByteSpan input)>
      content_length = nullptr;
  // What the caller knows of a VFIO device's config payload.
  std::function<ConfigHints(const SectionView& section)> config_hints = nullptr;
};

class StreamDecoder {
 public:
  // The dialect must outlive the decoder.
  explicit StreamDecoder(const StreamDecoderOptions& options = {});
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;

  // kDone: behind the VMDESCRIPTION, or behind EOF where none follows. With no
  // input behind EOF it is kNeedInput, and the stream may well be over.
  Step Next(ByteSpan& input, StreamEvent& event);

  // The caller moved, skipped or seeks over `bytes` of the payload that is due;
  // they will not be in any input. kError if so many are not due.
  Step TakeOver(uint64_t bytes);
  // Bytes of a record, a page, other content or the description that are due.
  uint64_t payload_left() const {
    return state_ == State::kDevice ? device_->payload_left()
                                    : walk_.payload_left;
  }
  // What may follow that comes in rows. Each of the calls below takes as
  // much of its kind as the input begins with, if only what Next() would take
  // as well; whatever stands behind it is for Next(), errors too. 0: nothing
  // was taken.
  enum class Run : uint8_t { kNone, kParts, kRecords, kPages };
  Run next_run() const {
    if (package_end_ != 0 || !walk_.findings.empty()) return Run::kNone;
    if (state_ == State::kDevice) return Run::kRecords;
    if (state_ == State::kRam) return Run::kPages;
    return state_ == State::kBetween && footers_ ? Run::kParts : Run::kNone;
  }
  // A row of `parts` for each handler, in the order of the first sections; how
  // many rows.
  size_t NextEmptyParts(ByteSpan& input, std::span<EmptyParts> parts);
  // Fills `payloads`, which parts.records is about.
  size_t NextDataParts(ByteSpan& input, std::span<iovec> payloads,
                       DataParts& parts);
  // See SectionDecoder::NextBatch() and DeviceRecords.
  size_t NextRecords(ByteSpan& input, std::span<iovec> payloads) {
    return device_->NextBatch(input, payloads);
  }
  // See RamPages; they are of ram_decoder().last_block().
  size_t NextPages(ByteSpan& input, std::span<RamPage> pages) {
    if (walk_.payload_left != 0) return 0;
    return ram_.NextPages(input, traits_, walk_, pages);
  }
  // The one that came last.
  const SectionView& section() const { return section_; }

  // After ContentLength::kTakenOver: the section's content is over.
  Step EndContent();

  // After kNeedInput.
  size_t bytes_needed() const {
    return package_end_ == 0
               ? wanted_bytes()
               : std::min<uint64_t>(wanted_bytes(), package_left());
  }
  // No byte will follow those of the next input.
  void SetEndOfInput() { walk_.end_of_input = true; }
  // The input has ended after kNeedInput; `left` is what remains of it.
  // kTruncated, or no error where a stream may end. A section that its source's
  // handler left unfinished may show only now: then Next() goes on, with a
  // finding.
  std::optional<Error> AtEndOfInput(ByteSpan left);

  // Goes on at `offset`, between two sections, whatever was under way: for one
  // who knows where the next begins behind damage. What came before stays
  // known.
  void Resume(uint64_t offset);
  // Takes section `id` for one that has come, whose START is lost.
  void Learn(uint32_t id, std::string_view idstr, uint32_t instance_id,
             uint32_t version_id);

  // After kError.
  const Error& error() const { return walk_.error; }
  // Where the next byte to be decoded is.
  uint64_t offset() const {
    return state_ == State::kDevice ? device_->offset() : walk_.offset;
  }

  const RamStats& ram() const { return ram_.stats(); }
  const RamDecoder& ram_decoder() const { return ram_; }
  const RamTraits& ram_traits() const { return traits_; }
  // The used length of a block of the list.
  std::optional<uint64_t> RamBlockBytes(std::string_view name) const {
    return ram_.UsedBytes(name);
  }
  // The target's; from the CONFIGURATION, the postcopy advice or mapped-ram's
  // headers.
  uint64_t page_bytes() const { return traits_.page_bytes; }
  // Whether the stream or the caller has said so.
  bool page_bytes_known() const { return traits_.page_bytes_known; }
  // What the caller has found out by now, or takes for likely, before a
  // section's content. A size that is only assumed leads to no finding.
  void SetPageBytes(uint64_t bytes) {
    traits_.page_bytes = bytes;
    traits_.page_bytes_known = true;
  }
  void AssumePageBytes(uint64_t bytes) { traits_.page_bytes = bytes; }
  bool mapped_ram() const { return traits_.mapped_ram; }
  bool has_configuration() const { return has_configuration_; }
  // Whether sections are closed by footers; unset before that shows.
  std::optional<bool> footers() const { return footers_; }
  // Behind a section's content, before its footer.
  bool in_footer() const { return state_ == State::kSectionOver; }
  // Where the PACKAGED ends that this is in; 0: in none.
  uint64_t package_end() const { return package_end_; }
  // The idstr of the section with this id; null if it did not come yet.
  const std::string* FindSection(uint32_t id) const;

 private:
  enum class State : uint8_t {
    kHeader,
    kConfiguration,  // One may follow.
    kSubsections,    // Of the CONFIGURATION.
    kBetween,        // Sections and commands.
    kContent,        // A section's, whose kind is not settled yet.
    kDevice,
    kRam,
    kHandler,
    kTakenOver,
    kPassing,      // Content whose length is known.
    kSectionOver,  // The footer is due.
    kAfterEof,
    kDescription,
    kDone,
    kError,
  };

  struct KnownSection {
    std::string idstr;
    uint32_t instance_id = 0;
    uint32_t version_id = 0;
    bool started = false;  // By a START: PART and END may come.
  };

  Step Advance(ByteSpan& input, StreamEvent& event);
  Step InPackage(ByteSpan& input, StreamEvent& event);
  Step GiveFinding(StreamEvent& event);
  Step Header(ByteSpan& input, StreamEvent& event);
  Step Configuration(ByteSpan& input, StreamEvent& event);
  Step ConfigurationSubsection(ByteSpan& input, StreamEvent& event);
  Step Between(ByteSpan& input, StreamEvent& event);
  Step CommandRecord(ByteSpan& input, StreamEvent& event);
  Step NamedSection(SectionType type, ByteSpan& input, StreamEvent& event);
  Step NumberedSection(SectionType type, ByteSpan& input, StreamEvent& event);
  Step StartSection(ByteSpan& input, size_t header_bytes, StreamEvent& event);
  Step Content(ByteSpan input);
  Step Unwalkable(Error error);
  Step StartDevice();
  Step DeviceContent(ByteSpan& input, StreamEvent& event);
  Step ContentStep(Step step, ByteSpan& input, StreamEvent& event);
  Step Footer(ByteSpan& input, StreamEvent& event);
  Step Description(ByteSpan& input, StreamEvent& event);
  bool ExplainEarlyFooter(ByteSpan input, Error& error);
  bool FindStarted(uint32_t id, SectionView& section) const;
  bool BeginEmptyParts(uint32_t id, EmptyParts& parts) const;
  void EndPart(const SectionView& section, uint64_t offset);

  // In a package: bytes up to its end.
  uint64_t package_left() const { return package_end_ - offset(); }
  size_t wanted_bytes() const {
    return state_ == State::kDevice ? device_->bytes_needed()
                                    : walk_.bytes_needed;
  }

  void Note(Severity severity, const char* id, uint64_t at, std::string section,
            std::string message);
  Step Fail(ErrorCode code, uint64_t at, std::string section,
            std::string reason);
  Step Fail(Error error);
  std::string SectionName() const;
  // "0000:00:05.0/vfio END", "COMMAND PING": what came last.
  std::string LastName() const;

  const StreamDecoderOptions options_;
  State state_ = State::kHeader;
  ContentWalk walk_;
  RamTraits traits_;
  RamDecoder ram_;
  std::optional<SectionDecoder> device_;
  std::optional<HandlerDecoder> handler_;
  std::unordered_map<uint32_t, KnownSection> sections_;
  uint64_t section_names_ = 0;  // SectionsOfName() of all.
  SectionView section_;
  uint64_t content_start_ = 0;
  uint64_t described_bytes_ = 0;  // Of a VFIO device's content; 0: unknown.
  std::optional<bool> footers_;
  uint32_t devices_ = 0;
  bool has_configuration_ = false;
  ConfigurationTraits configuration_;
  uint64_t package_end_ = 0;
  std::optional<Command> last_command_;  // Unless a section came last.
  size_t findings_given_ = 0;            // Of walk_.findings.
};

// Whether an idstr is that of a VFIO device: "…/vfio", or "vfio" alone.
bool IsVfioIdstr(std::string_view idstr);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_DECODER_H_
