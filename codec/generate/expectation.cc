#include "codec/generate/expectation.h"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <vector>

#include "absl/strings/str_replace.h"
#include "codec/device/subsection.h"
#include "codec/generate/damage.h"
#include "codec/io/absl_view.h"
#include "codec/loader/loader_row.h"
#include "codec/wire/bytes.h"
#include "codec/wire/error.h"
#include "codec/wire/text.h"
#include "flags/machine_type.h"
#include "flags/tag.h"

namespace migstream {
namespace {

using recipe::Expectation;

// What is in a channel comes after all that the main channel says at once.
constexpr uint64_t kInChannel = ~uint64_t{0} - 1;
constexpr uint64_t kNowhere = ~uint64_t{0};

struct Outcome {
  uint64_t offset = 0;
  Expectation::Verdict verdict = Expectation::LOADS;
  Expectation::Basis basis = Expectation::SEEN;
  std::string message;
  std::string because;
};

class Expecting {
 public:
  Expecting(const Generated& stream, Release loader)
      : stream_(stream), loader_(loader), row_(*FindLoader(loader)) {}

  Expectation Run() {
    Provide(stream_.machine_type.empty()
                ? ""
                : StrCat("machine type ", stream_.machine_type));
    for (size_t i = 0; i < stream_.devices.size(); ++i) {
      Provide(StrCat("a device at ", stream_.devices[i].idstr));
      OfDevice(stream_.devices[i], static_cast<int>(i));
    }
    OfStream();
    for (size_t i = 0; i < stream_.damages.size(); ++i) OfDamage(i);
    const Outcome* first = nullptr;
    Expectation::Basis basis = Expectation::SEEN;
    for (const Outcome& outcome : outcomes_) {
      basis = std::max(basis, outcome.basis);
      if (outcome.verdict == Expectation::LOADS) continue;
      // A damage comes before what was there.
      if (first == nullptr || outcome.offset < first->offset ||
          (outcome.offset == first->offset && first->because.empty())) {
        first = &outcome;
      }
    }
    Expectation expected;
    expected.set_loader(StrCat("qemu-", loader_ / 100, ".", loader_ % 100));
    if (first == nullptr) {
      expected.set_verdict(Expectation::LOADS);
      expected.set_basis(basis);
    } else {
      expected.set_verdict(first->verdict);
      expected.set_basis(first->basis);
      expected.set_message(first->message);
      expected.set_because(first->because);
    }
    for (std::string& what : provided_) {
      expected.add_provided(std::move(what));
    }
    for (const GeneratedDevice& device : stream_.devices) {
      if (device.driver.empty()) continue;
      Expectation::Payload& payload = *expected.add_payloads();
      payload.set_device(device.idstr);
      payload.set_driver(device.driver);
      payload.set_kernel(device.kernel_says);
      for (const std::string& finding : device.payload_findings) {
        payload.add_findings(finding);
      }
    }
    return expected;
  }

 private:
  // What the stream is before any damage.
  void OfDevice(const GeneratedDevice& device, int i) {
    const Dialect& dialect = *device.dialect;
    const Mark* config_in_end = Find(i, SectionType::kEnd, MarkKind::kConfig);
    if (!dialect.released() && dialect.id != DialectId::kE1) {
      // Nobody has loaded one, and the proposals had loaders of their own.
      Add(0, Expectation::UNKNOWN, Expectation::NOT_KNOWN, "");
      return;
    }
    if (dialect.multifd_device_state) {
      if (loader_ < 1000) {
        Add(0, Expectation::UNKNOWN, Expectation::NOT_KNOWN, "");
        return;
      }
      Provide(StrCat("multifd with ", stream_.channels.size(), " channels"));
      Provide("x-migration-multifd-transfer on");
    }
    if (dialect.id == DialectId::kV52 && config_in_end != nullptr &&
        loader_ >= 600) {
      // It stops after the config, and takes what follows for a footer.
      Add(config_in_end->offset + config_in_end->bytes + kTagBytes,
          Expectation::REFUSES,
          loader_ >= 702 ? Expectation::SEEN : Expectation::READ,
          HasFooters() ? StrCat("Missing section footer for ", device.idstr)
                       : StrCat("Unknown ", row_.savevm, "section type 255"));
    }
    const Mark* config_in_full = Find(i, SectionType::kFull, MarkKind::kConfig);
    if (config_in_full != nullptr && loader_ < 600) {
      // It goes on after the config, and takes what follows for a tag.
      uint64_t next =
          config_in_full->offset + config_in_full->bytes + kTagBytes;
      Add(next, Expectation::REFUSES, Expectation::INFERRED,
          next + 8 <= stream_.main.bytes.size()
              ? StrCat("Unknown tag ",
                       Hex(LoadBe64(AsBytes(stream_.main.bytes).data() + next)))
              : "");
    }
    if (device.init_data_sent) {
      Provide("switchover-ack on");
      const Mark* sent = FindInitDataSent(i);
      if (loader_ < 801 && sent != nullptr) {
        Add(sent->offset, Expectation::REFUSES, Expectation::READ,
            "Unknown tag 0xffffffffef100005");
      }
    }
    if (device.config_load_ready) {
      Provide("x-migration-load-config-after-iter on");
      const Mark* end = Find(i, SectionType::kFull, MarkKind::kEnd);
      if (loader_ < 1001 && end != nullptr) {
        Add(end->offset, Expectation::REFUSES, Expectation::READ,
            "Unknown tag 0xffffffffef100006");
      }
    }
    for (const std::string& name : device.subsections) {
      const Mark* mark = config_in_full;
      if (name == kDisplaySubsection && loader_ >= 802) {
        Provide("ramfb on");
        continue;
      }
      // A damage may have taken it.
      if (mark == nullptr && !dialect.multifd_device_state) continue;
      Add(mark == nullptr ? kInChannel : mark->offset, Expectation::REFUSES,
          Expectation::READ,
          row_.names_subsections ? StrCat("VM subsection '", name, "' in")
                                 : "Failed to load device config space");
    }
  }

  // What belongs to no device.
  void OfStream() {
    const bool counts = row_.counts_switchover_acks ||
                        HasSwitchoverAckLegacy(stream_.machine_type);
    size_t sent = 0;
    for (const Mark& mark : stream_.main.marks) {
      if (mark.kind == MarkKind::kSwitchoverStart &&
          row_.last_command < Command::kSwitchoverStart) {
        Add(mark.offset, Expectation::REFUSES, Expectation::READ,
            "MIG_CMD 0xb unknown (len 0x0)");
      }
      if (IsInitDataSent(mark) && ++sent > stream_.devices.size() && counts) {
        Add(mark.offset, Expectation::REFUSES, Expectation::READ,
            "qemu_loadvm_approve_switchover failed, err=-22");
      }
    }
  }

  bool HasFooters() const {
    return std::any_of(
        stream_.main.marks.begin(), stream_.main.marks.end(),
        [](const Mark& mark) { return mark.kind == MarkKind::kFooter; });
  }

  bool IsInitDataSent(const Mark& mark) const {
    return mark.kind == MarkKind::kEnd && mark.section == SectionType::kPart &&
           mark.offset + kTagBytes <= stream_.main.bytes.size() &&
           stream_.devices[mark.device].dialect->Meaning(
               LoadBe64(AsBytes(stream_.main.bytes).data() + mark.offset)) ==
               Element::kInitDataSent;
  }

  const Mark* FindInitDataSent(int device) const {
    for (const Mark& mark : stream_.main.marks) {
      if (mark.device == device && IsInitDataSent(mark)) return &mark;
    }
    return nullptr;
  }

  // Where a damage was done; kNowhere if another one has taken it away.
  uint64_t OffsetOf(size_t number) const {
    auto find = [number](const MarkedBytes& stream) {
      return std::find_if(
          stream.marks.begin(), stream.marks.end(), [number](const Mark& mark) {
            return mark.kind == MarkKind::kDamage && mark.number == number;
          });
    };
    auto found = find(stream_.main);
    if (found != stream_.main.marks.end()) return found->offset;
    for (const MarkedBytes& channel : stream_.channels) {
      if (find(channel) != channel.marks.end()) return kInChannel;
    }
    return kNowhere;
  }

  void OfDamage(size_t number) {
    const DoneDamage& done = stream_.damages[number];
    const uint64_t offset = OffsetOf(number);
    if (offset == kNowhere) return;
    const std::string name = DamageName(done.damage.kind());
    for (const DamageRow& row : DamageRows()) {
      if (row.kind != done.damage.kind()) continue;
      for (const LoaderVerdict& verdict : row.verdicts) {
        if (loader_ < verdict.first || loader_ > verdict.last) continue;
        Add(offset, verdict.verdict, verdict.basis,
            absl::StrReplaceAll(AbslView(verdict.message),
                                {{"$0", done.found}}),
            name);
        Provide(verdict.provided);
        return;
      }
    }
    Add(offset, Expectation::UNKNOWN, Expectation::NOT_KNOWN, "", name);
  }

  // One of which a damage has left something.
  const Mark* Find(int device, SectionType section, MarkKind kind) const {
    for (const Mark& mark : stream_.main.marks) {
      if (mark.bytes != 0 && mark.device == device && mark.section == section &&
          mark.kind == kind) {
        return &mark;
      }
    }
    return nullptr;
  }

  void Add(uint64_t offset, Expectation::Verdict verdict,
           Expectation::Basis basis, std::string message,
           std::string because = "") {
    outcomes_.push_back(
        {offset, verdict, basis, std::move(message), std::move(because)});
  }

  void Provide(std::string_view what) {
    if (what.empty() || std::find(provided_.begin(), provided_.end(), what) !=
                            provided_.end()) {
      return;
    }
    provided_.emplace_back(what);
  }

  const Generated& stream_;
  const Release loader_;
  const LoaderRow& row_;
  std::vector<Outcome> outcomes_;
  std::vector<std::string> provided_;
};

}  // namespace

Expectation Expect(const Generated& stream, Release loader) {
  assert(FindLoader(loader) != nullptr);
  return Expecting(stream, loader).Run();
}

}  // namespace migstream
