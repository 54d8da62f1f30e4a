// What no release's loader takes, although the stream can be read: what `check`
// says of a stream without being told a release. LOADERS.md.
//
//   EveryLoader loaders(limits);
//   loaders.OnCommand(command);            // As a StreamVisitor is called.
//   std::vector<Finding> found = loaders.Finish(survey.came(), description);
//
// Each thing that a release refuses takes that release out; where the last one
// goes, the stream is refused by all. Nothing is assumed of the destination but
// what its release can be.

#ifndef MIGSTREAM_CODEC_LOADER_EVERY_LOADER_H_
#define MIGSTREAM_CODEC_LOADER_EVERY_LOADER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/loader/loader_commands.h"
#include "codec/loader/loader_input.h"
#include "codec/loader/loader_ram.h"
#include "codec/loader/loader_row.h"
#include "codec/qemu/limits.h"
#include "codec/qemu/stream_event.h"
#include "codec/qemu/vm_description.h"
#include "codec/survey/stream_survey.h"
#include "codec/wire/bytes.h"
#include "codec/wire/finding.h"
#include "flags/ram_flags.h"
#include "flags/section_type.h"

namespace migstream {

class EveryLoader {
 public:
  explicit EveryLoader(const StreamLimits& limits);

  // Records that not every release takes.
  static constexpr uint64_t kTellingRecords =
      kRamCompressPage | kRamMultifdFlush | kRamHook;

  void OnConfiguration(const ConfigurationView& configuration);
  void OnSection(const SectionView& section);
  void OnCommand(const CommandView& command);
  void OnEof(uint64_t offset);
  // Only those of kTellingRecords need come.
  void OnRamRecord(const RamRecordView& record);
  void OnPagePayload(const RamRecordView& record, ByteSpan payload);

  // The description is null where there is none. What no release takes comes
  // first, if there is anything.
  std::vector<Finding> Finish(const CameSections& came,
                              const VmDescription* description);

 private:
  // Releases, a bit each in the order of kReleases.
  using Releases = uint32_t;

  // Calls `judge(row)` for each release that is left; one for which it gives a
  // refusal is left no longer.
  template <typename Judge>
  void Ask(std::string_view section, Judge judge);
  std::string RamSection() const;
  // `bits` refuse it, of those that are left.
  void Lose(Releases bits, std::string_view section,
            const LoaderRefusal& refusal);
  void EndPackage(uint64_t offset);

  const StreamLimits limits_;
  Releases left_;
  std::optional<Finding> refusal_;
  // The loaders that take the same commands.
  struct Commands {
    Releases releases = 0;
    LoaderCommands commands;
  };
  std::vector<Commands> commands_;
  LoaderRam pages_;                             // For their content alone.
  SectionType ram_type_ = SectionType::kStart;  // Of RAM's last section.
  uint64_t package_end_ = 0;  // 0: in none, or it has ended well.
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_LOADER_EVERY_LOADER_H_
