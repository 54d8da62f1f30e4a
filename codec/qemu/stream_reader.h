// Reads a migration's main channel from a file, a pipe or what is around it,
// and gives a visitor what is in it: a loop over StreamDecoder. FORMAT.md
// sections 2 to 9.
//
//   StreamReader reader(source, visitor);
//   Error error = reader.Read();  // The visitor has seen what came before it.
//
// How long the FULLs of other devices are, the description at the stream's end
// says. A source that can seek is asked for its end; from any other, what
// follows is held in memory until the description has come, so that both give
// the same. Where there is none, their ends are guessed, and a note says so.
//
// Over a source that has nothing yet, as a socket that does not block, call
// ReadOn() whenever there may be more, and let options.content_length give the
// lengths: the end of such a source does not come before it is asked for.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_READER_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_READER_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/io/byte_source.h"
#include "codec/qemu/description_loader.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/puller.h"
#include "codec/qemu/recovery_plan.h"
#include "codec/qemu/section_guess.h"
#include "codec/qemu/stream_decoder.h"
#include "codec/qemu/stream_runs.h"
#include "codec/qemu/stream_visitor.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/error.h"
#include "flags/dialect.h"

namespace migstream {

struct ReaderOptions {
  const Dialect* dialect = &GetDialect(DialectId::kAuto);
  StreamLimits limits = {};
  // The target's page size; 0: as the stream says, or as its records show.
  uint64_t page_bytes = 0;
  // See DecoderOptions.
  bool switchover_ack_off = false;
  // See StreamDecoderOptions; in the place of the description. kTakenOver is an
  // error here: the reader owns the input.
  std::function<ContentLength(const SectionView& section, ByteSpan input)>
      content_length = nullptr;
  // Passes over these gaps, in a source that has MoveTo(). The first of their
  // errors is the reader's in the end.
  const RecoveryPlan* recovery = nullptr;
  // Asked after an error where a section begins behind it, to go on there.
  std::function<std::optional<uint64_t>(const Error& error)> resume = nullptr;
};

class StreamReader {
 public:
  // All must outlive the reader.
  StreamReader(ByteSource& source, StreamVisitor& visitor,
               const ReaderOptions& options = {});

  // Reads all of it, or up to where the visitor stops. The error is final, and
  // its offset is where the input ends (1xx) or where it is wrong.
  Error Read();

  enum class Status : uint8_t { kDone, kStopped, kNothingYet };
  // Reads on as far as the source gives bytes. kDone: the end, or error(). The
  // visitor may stop, and reading may go on later all the same.
  Status ReadOn();
  const Error& error() const { return error_; }

  const RamStats& ram() const { return decoder_.ram(); }
  // The target's; from the configuration, the postcopy advice, mapped-ram's
  // headers, the records or the description.
  uint64_t page_bytes() const { return decoder_.page_bytes(); }
  // Null if the stream has none, or it was never reached. It may outlive the
  // reader.
  const std::shared_ptr<const VmDescription>& description() const {
    return description_.description();
  }
  // Unset where no section was read.
  std::optional<bool> footers() const { return decoder_.footers(); }
  const StreamDecoder& decoder() const { return decoder_; }
  // What of the input came behind the stream, and was passed over.
  uint64_t trailing_bytes() const { return trailing_bytes_; }

 private:
  bool Begin();
  Pulled Pull(StreamEvent& event);
  bool TakeRun();
  std::optional<Status> TakeFlow();
  void PassGap();
  void GoOn(uint64_t offset);
  void Fail(Error error);
  void Tell(const StreamEvent& event);
  void SkipUnwanted(const StreamEvent& event);
  void ShowPagePayload(const RamRecordView& record);
  void TellConfiguration();
  // What is needed before a FULL's content, and how long that is.
  void Prepare(const SectionView& section);
  void PreparePages(const SectionView& section);
  void PrepareDevice(const SectionView& section);
  ContentLength LengthOf(const SectionView& section);
  GuessContext ContextOf(const SectionView& section) const;
  // `why` the description does not tell.
  ContentLength Guess(const SectionView& section, std::string_view why);
  void LoadDescription(const SectionView& section);
  void NoteHoldLimit(const SectionView& section);
  const DescribedDevice* Describe(const SectionView& section) const;
  void TakeDescription();
  void TakePageBytes(uint64_t offset);
  void PassTrailingBytes();
  void AtEnd(ByteSpan left);
  void AtStreamEnd();
  void End(Error error);
  void Note(Severity severity, const char* id, uint64_t offset,
            std::string section, std::string message);

  ByteSource& source_;
  StreamVisitor& visitor_;
  const ReaderOptions options_;
  StreamDecoder decoder_;
  DescriptionLoader description_;
  Puller puller_;
  Error error_;
  bool begun_ = false;
  bool ended_ = false;
  // The CONFIGURATION, until its last subsection has come.
  ConfigurationView configuration_;
  std::deque<std::string> configuration_bytes_;
  bool sections_begun_ = false;
  bool takes_runs_ = false;
  std::array<EmptyParts, 16> empty_parts_;  // Its memory, for TakeRun().
  // About the section that is read:
  bool skip_ = false;
  bool wants_content_ = false;
  bool wants_page_payloads_ = false;
  uint64_t content_start_ = 0;
  bool described_ = false;  // By the description, as long as length_ says.
  ContentLength length_;
  ConfigHints hints_;
  // The VMDESCRIPTION, whose head the decoder has seen.
  std::optional<uint32_t> description_due_;
  uint64_t description_offset_ = 0;
  bool hold_noted_ = false;
  size_t gaps_passed_ = 0;
  uint64_t next_gap_ = UINT64_MAX;
  Error gap_error_;  // The first.
  uint64_t trailing_bytes_ = 0;
  bool any_section_ = false;
  bool has_description_ = false;  // It was come to.
  // Ends that were guessed before the description was seen.
  struct Guessed {
    std::string idstr;
    uint32_t instance_id;
    uint64_t offset;
    SectionGuess guess;
  };
  std::vector<Guessed> guessed_;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_READER_H_
