#include "codec/payload/payload_summary.h"

#include <optional>
#include <string_view>

#include "codec/payload/formats.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using payload::Driver;
using payload::PreCopy;

std::string Plural(uint64_t count, std::string_view what) {
  return StrCat(count, " ", what, count == 1 ? "" : "s");
}

class Summary {
 public:
  explicit Summary(const PayloadReport& report) : report_(report) {}

  std::vector<PayloadLine> Lines() && {
    AddDriver();
    if (report_.format->driver == Driver::kOpaque) return std::move(lines_);
    AddGeneration();
    switch (report_.format->driver) {
      case Driver::kMlx5:
        AddMlx5();
        break;
      case Driver::kHisiAcc:
        AddHisiAcc();
        break;
      case Driver::kVirtio:
        AddVirtio();
        break;
      case Driver::kQat:
        AddQat();
        break;
      case Driver::kXe:
        AddXe();
        break;
      case Driver::kMtty:
        AddMtty();
        break;
      case Driver::kOpaque:
      case Driver::kPds:
      case Driver::kIceRfc:
      case Driver::kGvtG:
      case Driver::kSpdkNvme:
        break;
    }
    AddPhases();
    AddRecords();
    return std::move(lines_);
  }

 private:
  void Add(std::string_view label, std::string text) {
    lines_.push_back({std::string(label), std::move(text)});
  }

  std::optional<uint64_t> Fact(std::string_view name) const {
    for (const PayloadFact& fact : report_.facts) {
      if (fact.name == name) return fact.value;
    }
    return std::nullopt;
  }
  uint64_t FactOr0(std::string_view name) const {
    return Fact(name).value_or(0);
  }

  // "qp_num 16", by the record's field; empty if it is not there.
  std::string Text(const PayloadRecord& record, std::string_view name) const {
    for (size_t i = 0; i < record.value_count; ++i) {
      const PayloadValue& value = report_.values[record.first_value + i];
      if (value.field->name != name || value.bytes == 0) continue;
      return StrCat(name, " ", FieldText(*value.field, value.value));
    }
    return {};
  }
  std::string Texts(const PayloadRecord& record,
                    std::initializer_list<std::string_view> names) const {
    std::string text;
    for (std::string_view name : names) {
      std::string one = Text(record, name);
      if (!one.empty()) StrAppend(&text, text.empty() ? "" : ", ", one);
    }
    return text;
  }
  // The last record of that name.
  const PayloadRecord* Last(std::string_view name) const {
    for (size_t i = report_.records.size(); i-- > 0;) {
      if (report_.records[i].name == name) return &report_.records[i];
    }
    return nullptr;
  }

  void AddDriver() {
    if (report_.format->driver == Driver::kOpaque) {
      return Add("driver",
                 StrCat("none known", report_.id ? " for " : "",
                        report_.id ? ToString(*report_.id) : "", "; opaque"));
    }
    std::string text(report_.format->name);
    if (report_.id) {
      StrAppend(&text, " (", ToString(*report_.id));
      if (report_.pci && !report_.pci->what.empty()) {
        StrAppend(&text, " ", report_.pci->what);
      }
      StrAppend(&text, !report_.id_agrees      ? "; bytes disagree)"
                       : !report_.format->look ? "; no mark)"
                       : report_.by_bytes      ? "; bytes agree)"
                                               : ")");
    }
    if (report_.big_endian) text += ", of a big-endian host";
    Add("driver", std::move(text));
  }

  void AddGeneration() {
    const payload::Format& format = *report_.format;
    std::string text = StrCat(format.generations[report_.generation].name, ": ",
                              PayloadNeeds(report_));
    if (!format.not_in_stream.empty()) {
      StrAppend(&text, "; not in the stream: ", format.not_in_stream);
    }
    Add("generation", std::move(text));
  }

  void AddMlx5() {
    if (auto size = Fact("stop_copy_size")) {
      Add("stop_copy_size",
          FactOr0("chunk_mode") == 1
              ? StrCat(*size, ", one chunk, not the total: chunk mode")
              : StrCat(*size, ", reserved for the final image"));
    }
    uint64_t images[2] = {}, bytes[2] = {};
    for (const PayloadRecord& record : report_.records) {
      if (record.name != "FW_DATA") continue;
      ++images[record.stop_copy];
      bytes[record.stop_copy] += record.bytes;
    }
    for (bool stop : {false, true}) {
      if (images[stop] == 0) continue;
      Add(stop ? "final images" : "early images",
          StrCat(images[stop], " of ", bytes[stop], " bytes (firmware)"));
    }
  }

  void AddHisiAcc() {
    if (const PayloadRecord* match = Last("match")) {
      Add("match",
          Texts(*match, {"qp_num", "dev_id", "que_iso_cfg", "qp_base"}));
      Add("state", Texts(*match, {"vf_qm_state", "major_ver", "minor_ver"}));
    }
    if (const PayloadRecord* registers = Last("regs")) {
      Add("queues", Texts(*registers, {"eqe_dma", "aeqe_dma", "sqc_dma",
                                       "cqc_dma", "page_size"}));
    }
  }

  void AddVirtio() {
    Add("snapshots", StrCat(FactOr0("snapshots"), "; the last one counts"));
    if (const PayloadRecord* features = Last("DRV_FEATURES")) {
      Add("DRV_FEATURES", Text(*features, "feature_bits").substr(13));
    }
    if (const PayloadRecord* status = Last("DEVICE_STATUS")) {
      Add("DEVICE_STATUS", Text(*status, "device_status").substr(14));
    }
    Add("virtqueues",
        StrCat(FactOr0("vqs"), " of num_queues ", FactOr0("num_queues")));
    if (uint64_t parts = FactOr0("device_specific_parts")) {
      Add("device parts",
          StrCat(parts, ", device-specific, not in the specification"));
    }
  }

  void AddQat() {
    std::string text;
    for (std::string_view name : {"gencap", "svcmap", "extdc"}) {
      if (const PayloadRecord* leaf = Last(name)) {
        StrAppend(&text, text.empty() ? "" : ", ", Text(*leaf, name));
      }
    }
    Add("setup", std::move(text));
    if (const PayloadRecord* leaf = Last("svcmap")) AddServices(*leaf);
    if (const PayloadRecord* leaf = Last("compver")) {
      Add("compver", Text(*leaf, "compver").substr(8));
    }
    Add("slas", StrCat(FactOr0("slas")));
    Add("banks", StrCat(FactOr0("banks")));
  }

  // What each ring pair is for: three bits.
  void AddServices(const PayloadRecord& leaf) {
    static constexpr std::string_view kServices[] = {
        "none", "crypto", "comp", "sym", "asym", "decomp", "6", "7"};
    if (leaf.value_count == 0) return;
    const PayloadValue& map =
        report_.values[leaf.first_value + leaf.value_count - 1];
    std::string text;
    for (int pair = 0; pair < 4; ++pair) {
      StrAppend(&text, pair > 0 ? " " : "",
                kServices[map.value >> (3 * pair) & 7]);
    }
    Add("services", std::move(text));
  }

  void AddXe() {
    if (const PayloadRecord* device = Last("DEVID")) {
      Add("device", Text(*device, "devid"));
    }
    Add("packets",
        StrCat(Plural(FactOr0("gts"), "GT"), ", GUC ", FactOr0("guc_bytes"),
               " bytes (firmware), GGTT ", FactOr0("ggtt_ptes"), " PTEs, VRAM ",
               FactOr0("vram_bytes"), " bytes"));
    Add("trailer", Last("TRAILER") ? "yes" : "no");
  }

  void AddMtty() {
    for (std::string_view port : {"port0", "port1"}) {
      if (const PayloadRecord* record = Last(port)) {
        Add(port, Texts(*record, {"count", "head", "tail", "divisor", "fcr",
                                  "intr_trigger_level"}));
      }
    }
  }

  void AddPhases() {
    std::string early = StrCat(report_.pre_copy_bytes, " bytes");
    if (report_.format->pre_copy == PreCopy::kNone) {
      early += "; this driver has no PRE_COPY: all of it is downtime";
    }
    Add("pre-copy", std::move(early));
    Add("stop-copy", StrCat(report_.stop_copy_bytes(), " bytes"));
  }

  void AddRecords() {
    std::string text = StrCat(report_.records.size() + report_.records_unkept);
    if (report_.complete) {
      text += ", complete to the last byte";
    } else if (report_.unread_from) {
      StrAppend(&text, ", unreadable from ", Hex(*report_.unread_from));
    } else if (!report_.whole) {
      text += "; more is not in what was given";
    } else {
      text += ", the last one cut";
    }
    Add("records", std::move(text));
  }

  const PayloadReport& report_;
  std::vector<PayloadLine> lines_;
};

}  // namespace

std::vector<PayloadLine> Summarize(const PayloadReport& report) {
  return Summary(report).Lines();
}

}  // namespace migstream
