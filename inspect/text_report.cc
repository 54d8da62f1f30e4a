#include "inspect/text_report.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "codec/report/report.pb.h"
#include "codec/wire/error.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/payload_text.h"
#include "inspect/table.h"

namespace migstream {
std::string Plural(uint64_t count, std::string_view what) {
  return StrCat(count, " ", what, count == 1 ? "" : "s");
}

namespace {

// "4 MiB", "1.5 GiB", "512 bytes".
std::string Size(uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  while (size >= 1024 && unit + 1 < std::size(kUnits)) {
    size /= 1024;
    ++unit;
  }
  std::string number = absl::StrFormat("%.1f", size);
  if (unit == 0 || number.substr(number.size() - 2) == ".0") {
    number = absl::StrFormat("%.0f", size);
  }
  return StrCat(number, " ", kUnits[unit]);
}

std::string Ram(const report::Ram& ram) {
  std::string text = StrCat(Size(ram.total_bytes()), " in ",
                            Plural(ram.blocks_size(), "block"));
  // Nothing but bitmaps, which are not read, tells how many pages there are.
  if (std::any_of(
          ram.blocks().begin(), ram.blocks().end(),
          [](const auto& block) { return block.pages_offset() != 0; })) {
    return StrCat(text, ", each page in its place (mapped-ram)");
  }
  StrAppend(&text, ": ", Plural(ram.pages(), "page"), ", ", ram.zero_pages(),
            " zero");
  if (ram.xbzrle_pages() != 0) {
    StrAppend(&text, ", ", ram.xbzrle_pages(), " XBZRLE");
  }
  if (ram.compressed_pages() != 0) {
    StrAppend(&text, ", ", ram.compressed_pages(), " compressed");
  }
  if (ram.multifd_flushes() != 0) {
    StrAppend(&text, ", ", ram.multifd_flushes(), " MULTIFD_FLUSH");
  }
  return text;
}

// A line for some blocks each; a guest has some ten, rarely hundreds.
std::vector<std::string> Blocks(const report::Ram& ram) {
  constexpr size_t kColumns = 60;
  constexpr int kMost = 32;
  std::vector<std::string> lines;
  auto add = [&lines](const std::string& text) {
    if (lines.empty() || lines.back().size() + 2 + text.size() > kColumns) {
      if (!lines.empty()) lines.back() += ",";
      lines.push_back(text);
    } else {
      StrAppend(&lines.back(), ", ", text);
    }
  };
  for (int i = 0; i < std::min(kMost, ram.blocks_size()); ++i) {
    add(StrCat(ram.blocks(i).name(), " ", Size(ram.blocks(i).used_bytes())));
  }
  if (ram.blocks_size() > kMost) {
    add(StrCat(ram.blocks_size() - kMost, " more"));
  }
  return lines;
}

std::string Commands(const report::Report& report) {
  std::vector<std::string> names;
  for (const report::Command& command : report.commands()) {
    if (!names.empty() && names.back() == command.name()) continue;
    names.push_back(command.name());
  }
  return StrJoin(names, ", ");
}

std::string Channels(const report::Report& report) {
  uint64_t bytes = 0;
  uint64_t packets = 0;
  uint64_t pages = 0;
  for (const report::Channel& channel : report.channels()) {
    bytes += channel.bytes();
    packets += channel.device_packets();
    pages += channel.normal_pages();
  }
  return StrCat(report.channels_size(), " multifd, ", Size(bytes), ": ",
                Plural(pages, "page"), ", ",
                Plural(packets, "device-state packet"));
}

std::string Libvirt(const report::Libvirt& libvirt) {
  return StrCat(libvirt.complete() ? "" : "NOT FINISHED, ",
                "save file version ", libvirt.version(), ", format ",
                libvirt.format(), ", domain was ",
                libvirt.was_running() ? "running" : "paused", ", XML ",
                libvirt.xml_bytes(), " bytes");
}

// A capture of a postcopy migration has a request for every page.
std::string ReturnPath(const report::ReturnPath& path) {
  constexpr int kMost = 10;
  std::vector<std::string> texts;
  for (int i = 0; i < std::min(kMost, path.messages_size()); ++i) {
    texts.push_back(path.messages(i).text());
  }
  uint64_t more = path.messages_size() - texts.size() + path.messages_omitted();
  if (more != 0) texts.push_back(StrCat(more, " more"));
  return StrCat(StrJoin(texts, ", "), path.complete() ? "" : " (damaged)");
}

std::string Cpr(const report::Cpr& cpr) {
  return StrCat(Plural(cpr.descriptors_size(), "descriptor"), ", ",
                Plural(cpr.vfio_devices_size(), "VFIO device"),
                cpr.complete() ? "" : " (damaged)");
}

std::string Preempt(const report::PreemptChannel& channel) {
  std::vector<std::string> blocks;
  for (const report::PreemptBlock& block : channel.blocks()) {
    if (blocks.size() < 4) {
      blocks.push_back(StrCat(block.name(), " ", block.pages()));
    }
  }
  if (const size_t all = channel.blocks_size(); all > blocks.size()) {
    blocks.push_back(StrCat(all - blocks.size(), " more blocks"));
  }
  return StrCat(Plural(channel.pages(), "page"), ", ", channel.zero_pages(),
                " zero", blocks.empty() ? "" : ": ", StrJoin(blocks, ", "),
                channel.complete() ? "" : " (not complete)");
}

// A return path that was given alone: each message with its offset.
std::string ReturnPathAlone(const report::ReturnPath& path) {
  std::string text = StrCat(
      path.file(), ": return path of a QEMU migration, ",
      path.complete() ? "" : "damaged, ",
      Plural(path.messages_size() + path.messages_omitted(), "message"), "\n");
  for (const report::ReturnPathMessage& message : path.messages()) {
    absl::StrAppendFormat(&text, "  %-12s %s\n", Hex(message.offset()),
                          message.text());
  }
  return text;
}

std::string CprAlone(const report::Cpr& cpr) {
  std::string text = StrCat(cpr.file(), ": QEMU CPR state, ", Cpr(cpr), "\n");
  for (const report::CprDescriptor& row : cpr.descriptors()) {
    absl::StrAppendFormat(
        &text, "  %-12s %s, id %d%s\n", Hex(row.offset()), row.name(), row.id(),
        row.has_number() ? StrCat(", descriptor ", row.number()) : "");
  }
  for (const report::CprVfioDevice& row : cpr.vfio_devices()) {
    absl::StrAppendFormat(&text,
                          "  %-12s %s, iommufd device %d, ioas %d, hwpt %d\n",
                          Hex(row.offset()), row.name(), row.device_id(),
                          row.ioas_id(), row.hwpt_id());
  }
  return text;
}

std::string StreamTable(const report::Report& report) {
  Table table("lw");
  auto row = [&table](const char* name, std::string text) {
    table.Row({StrCat("  ", name), std::move(text)});
  };
  if (report.has_libvirt()) row("libvirt", Libvirt(report.libvirt()));
  if (report.stream_offset() != 0) {
    row("stream", StrCat("begins at ", Hex(report.stream_offset()),
                         "; offsets are those of the file"));
  }
  row("dialect",
      StrCat(report.dialect(), " (", StrJoin(report.writers(), "; "), ")"));
  const char* heading = "evidence";
  for (const report::Evidence& evidence : report.evidence()) {
    if (evidence.contradiction()) continue;
    row(heading, evidence.offset() == 0
                     ? evidence.what()
                     : StrCat(evidence.what(), " at ", Hex(evidence.offset())));
    heading = "";
  }
  if (!report.machine_type().empty()) row("machine", report.machine_type());
  if (!report.uuid().empty()) row("uuid", report.uuid());
  if (report.capabilities_size() != 0) {
    row("capabilities", StrJoin(report.capabilities(), ", "));
  }
  if (report.has_ram()) {
    row("RAM",
        StrCat(Ram(report.ram()), "; page ", Size(report.target_page_bytes())));
    for (const std::string& line : Blocks(report.ram())) row("", line);
  }
  const report::SectionCounts& sections = report.sections();
  row("sections", StrCat(sections.start(), " START, ", sections.part(),
                         " PART, ", sections.end(), " END, ", sections.full(),
                         " FULL", report.footers() ? "" : ", without footers"));
  if (report.commands_size() != 0) row("commands", Commands(report));
  if (report.channels_size() != 0) row("channels", Channels(report));
  for (const report::ReturnPath& path : report.return_paths()) {
    row("return path", ReturnPath(path));
  }
  for (const report::Cpr& cpr : report.cpr_states()) row("CPR state", Cpr(cpr));
  for (const report::PreemptChannel& channel : report.preempt_channels()) {
    row("preempt", Preempt(channel));
  }
  row("description", report.description().bytes() == 0
                         ? report.complete() ? "none" : "not reached"
                         : StrCat(Size(report.description().bytes()), " for ",
                                  report.description().devices(), " sections"));
  return table.Text();
}

std::string Interrupts(const report::Config& config) {
  if (config.msix_vectors() == 0) return "-";
  std::string text = StrCat(config.msix_vectors());
  if (config.pci().msix_enabled()) StrAppend(&text, " on");
  if (config.msix_masked() != 0) {
    StrAppend(&text, ", ",
              config.msix_masked() == config.msix_vectors()
                  ? "all"
                  : StrCat(config.msix_masked()),
              " masked");
  }
  if (config.pci().msix_function_mask()) {
    StrAppend(&text, ", function masked");
  }
  return text;
}

std::string Triggers(const report::Device& device) {
  std::vector<std::string> names;
  for (const report::Trigger& trigger : device.triggers()) {
    names.push_back(trigger.flags());
  }
  return names.empty() ? "-" : StrJoin(names, ", ");
}

std::string Subsections(const report::Config& config) {
  std::vector<std::string> names;
  for (const report::Subsection& subsection : config.subsections()) {
    // The parent's name, before the slash, is the same in all.
    names.push_back(subsection.name().substr(subsection.name().find('/') + 1));
  }
  return names.empty() ? "-" : StrJoin(names, ", ");
}

std::string DeviceTable(const report::Report& report) {
  Table table("llrrrrrlrlww");
  table.Row({"", "", "PRE-COPY", "", "STOP-COPY", "", "LARGEST", "INIT_DATA",
             "CONFIG", "", "", ""});
  table.Row({"DEVICE", "PCI ID", "RECORDS", "BYTES", "RECORDS", "BYTES",
             "RECORD", "_SENT", "SPACE", "MSI-X", "TRIGGERS", "SUBSECTIONS"});
  for (const report::Device& device : report.devices()) {
    const report::Config& config = device.config();
    bool elsewhere = device.multifd_device_state() && !device.multifd_read();
    const char* none = elsewhere ? "multifd" : "none";
    table.Row(
        {device.idstr(), config.has_pci() ? config.pci().ids() : none,
         StrCat(device.pre_copy().records()), StrCat(device.pre_copy().bytes()),
         elsewhere ? none : StrCat(device.stop_copy().records()),
         elsewhere ? none : StrCat(device.stop_copy().bytes()),
         StrCat(device.largest_record_bytes()),
         device.init_data_sent() == 0 ? "no"
         : device.init_data_sent() == 1
             ? "yes"
             : StrCat(device.init_data_sent(), " times"),
         config.pci_config_bytes() == 0 ? none
                                        : StrCat(config.pci_config_bytes()),
         Interrupts(config), Triggers(device), Subsections(config)});
  }
  return table.Text();
}

std::string Ramfb(const report::Ramfb& ramfb) {
  if (ramfb.address() == 0) return "not set up by the guest";
  return absl::StrFormat("%dx%d, stride %d, fourcc 0x%08x at 0x%x",
                         ramfb.width(), ramfb.height(), ramfb.stride(),
                         ramfb.fourcc(), ramfb.address());
}

std::string ConfigText(const report::Device& device) {
  const report::Config& config = device.config();
  if (!config.has_pci()) return "";
  const report::Pci& pci = config.pci();
  Table table("lw");
  auto row = [&table](const char* name, std::string text) {
    table.Row({StrCat("  ", name), std::move(text)});
  };
  row("class",
      absl::StrFormat("%06x %s, revision %d, subsystem %04x:%04x",
                      pci.class_code(), pci.class_name(), pci.revision(),
                      pci.subsystem_vendor_id(), pci.subsystem_id()));
  row("command", pci.command_bits());
  std::vector<std::string> bars;
  for (const report::Bar& bar : pci.bars()) {
    bars.push_back(absl::StrFormat("%d %s%s 0x%x", bar.index(), bar.type(),
                                   bar.prefetchable() ? " prefetchable" : "",
                                   bar.address()));
  }
  if (!bars.empty()) row("BARs", StrJoin(bars, ", "));
  std::vector<std::string> capabilities;
  for (const report::Capability& capability : pci.capabilities()) {
    capabilities.push_back(
        absl::StrFormat("%s 0x%x", capability.name(), capability.offset()));
  }
  row("capabilities",
      capabilities.empty() ? "none" : StrJoin(capabilities, ", "));
  if (pci.msi_vectors() != 0) {
    row("MSI", absl::StrFormat("%d of %d vectors, %s",
                               pci.msi_enabled_vectors(), pci.msi_vectors(),
                               pci.msi_enabled() ? "enabled" : "disabled"));
  }
  if (config.msix_vectors() != 0) {
    row("MSI-X",
        absl::StrFormat("%d vectors, %s, %d masked, %d pending%s",
                        config.msix_vectors(),
                        pci.msix_enabled() ? "enabled" : "disabled",
                        config.msix_masked(), config.msix_pending(),
                        pci.msix_function_mask() ? ", function masked" : ""));
  }
  int vector = 0;
  for (const report::MsixVector& entry : config.msix()) {
    row(vector == 0 ? "vectors" : "",
        absl::StrFormat("%4d  %-#18x %-#10x%s%s", vector, entry.address(),
                        entry.data(), entry.masked() ? " masked" : "",
                        entry.pending() ? " pending" : ""));
    ++vector;
  }
  for (const report::Subsection& subsection : config.subsections()) {
    row("subsection",
        absl::StrFormat("%s version %d, %d bytes", subsection.name(),
                        subsection.version(), subsection.bytes()));
    if (subsection.has_ramfb()) {
      row("ramfb", Ramfb(subsection.ramfb()));
    }
  }
  return StrCat("\n", device.idstr(), "\n", table.Text());
}

}  // namespace

std::string TextReport(const report::Report& report, bool payload_records) {
  // Nothing was read as a stream.
  if (report.dialects_size() == 0 && report.return_paths_size() == 1) {
    return ReturnPathAlone(report.return_paths(0));
  }
  if (report.dialects_size() == 0 && report.cpr_states_size() == 1) {
    return CprAlone(report.cpr_states(0));
  }
  if (report.dialects_size() == 0 && report.preempt_channels_size() == 1) {
    const report::PreemptChannel& channel = report.preempt_channels(0);
    return StrCat(channel.file(),
                  ": postcopy-preempt channel of a QEMU migration, ",
                  Preempt(channel), "\n");
  }
  std::string text =
      StrCat(report.file(), ": QEMU migration stream, ",
             !report.complete()           ? "not complete"
             : report.channels_complete() ? "complete"
                                          : "not complete on its channels",
             ", ", Size(report.bytes()), "\n", StreamTable(report), "\n");
  if (report.devices_size() == 0) {
    return StrCat(text, "no VFIO device",
                  report.complete() ? "\n" : " up to there\n");
  }
  StrAppend(&text, DeviceTable(report));
  for (const report::Device& device : report.devices()) {
    StrAppend(&text, ConfigText(device));
    if (!device.has_payload()) continue;
    StrAppend(&text, "\n", device.idstr(), " payload\n",
              PayloadText(device.payload()));
    if (payload_records) StrAppend(&text, PayloadRecords(device.payload()));
  }
  return text;
}

std::string RecordList::Headings() {
  return absl::StrFormat("%-12s %-7s %-17s %12s  %s\n", "OFFSET", "IN",
                         "ELEMENT", "BYTES", "DEVICE");
}

// A PART whose END_OF_STATE follows another section's last element is empty.
void RecordList::Add(const std::string& idstr, const report::Record& record) {
  const bool ends_part =
      record.section() == "PART" && record.element() == "END_OF_STATE";
  const bool empty = ends_part && idstr != in_part_;
  const bool goes_on = record.section() == "PART" && !ends_part &&
                       record.element() != "INIT_DATA_SENT";
  in_part_ = goes_on ? idstr : "";
  if (empty) {
    if (empty_parts_ == 0) first_empty_ = record.offset();
    ++empty_parts_;
    last_ = Line(idstr, record);
    return;
  }
  Fold();
  lines_ += Line(idstr, record);
}

void RecordList::Fold() {
  if (empty_parts_ == 1) lines_ += last_;
  if (empty_parts_ > 1) {
    absl::StrAppendFormat(&lines_, "%-12s %-7s %d empty ones\n",
                          Hex(first_empty_), "PART", empty_parts_);
  }
  empty_parts_ = 0;
}

std::string RecordList::Take() { return std::exchange(lines_, ""); }

std::string RecordList::Line(const std::string& idstr,
                             const report::Record& record) {
  return absl::StrFormat(
      "%-12s %-7s %-17s %12d  %s%s\n", Hex(record.offset()), record.section(),
      record.element(), record.bytes(), idstr,
      record.file().empty() ? "" : StrCat(" in ", record.file()));
}

std::string FindingLine(const std::string& file,
                        const report::Finding& finding) {
  const std::string place =
      finding.section().empty()
          ? ""
          : StrCat(":", Hex(finding.offset()), ": ", finding.section());
  return StrCat(finding.file().empty() ? Printable(file) : finding.file(),
                place, ": ", finding.severity(), ": ", finding.message(),
                finding.kernel().empty() ? "" : "; the kernel ",
                finding.kernel(), " [", finding.id(), "]");
}

}  // namespace migstream
