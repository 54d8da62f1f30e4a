#include "codec/report/side_report.h"

#include <map>

#include "codec/qemu/cpr_state.h"
#include "codec/qemu/preempt_reader.h"
#include "codec/qemu/return_path_reader.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_findings.h"
#include "codec/wire/finding.h"
#include "codec/wire/printable.h"

namespace migstream {
namespace {

constexpr int kMaxMessages = 1 << 16;
constexpr size_t kMaxBlocks = 1 << 10;

void Fill(const ReturnPathMessage& message, report::ReturnPathMessage& row) {
  row.set_offset(message.offset);
  row.set_name(ToString(message.type));
  row.set_block(Printable(message.block));
  row.set_text(Printable(ToString(message)));
  switch (message.type) {
    case ReturnMessage::kShut:
    case ReturnMessage::kPong:
    case ReturnMessage::kResumeAck:
      return row.set_value(message.value);
    case ReturnMessage::kReqPages:
    case ReturnMessage::kReqPagesId:
      row.set_start(message.start);
      return row.set_bytes(message.bytes);
    case ReturnMessage::kRecvBitmap:
      return row.set_bytes(message.bitmap_bytes);
    case ReturnMessage::kSwitchoverAck:
      return;
  }
}

}  // namespace

void ReportLibvirt(const LibvirtSave& save, report::Report& report) {
  report::Libvirt& row = *report.mutable_libvirt();
  row.set_complete(save.complete);
  row.set_version(save.version);
  row.set_format(ToString(save.format));
  row.set_was_running(save.was_running);
  row.set_xml_bytes(save.xml_bytes);
  row.set_data_bytes(save.data_bytes);
  row.set_cookie_offset(save.cookie_offset);
  row.set_big_endian(save.big_endian);
  if (save.complete) return;
  AddFinding({Severity::kError, "libvirt-incomplete", 0, "libvirt header",
              "libvirt never finished this file (LibvirtQemudPart) and refuses "
              "it"},
             report);
}

Error ReportReturnPath(const std::string& file, ByteSource& source,
                       report::Report& report) {
  report::ReturnPath& rows = *report.add_return_paths();
  rows.set_file(Printable(file));
  Error error = ReadReturnPath(source, [&](const ReturnPathMessage& message) {
    if (rows.messages_size() < kMaxMessages) {
      Fill(message, *rows.add_messages());
    } else {
      rows.set_messages_omitted(rows.messages_omitted() + 1);
    }
  });
  rows.set_complete(error.ok());
  return error;
}

Error ReportPreempt(const std::string& file, ByteSource& source,
                    report::Report& report) {
  report::PreemptChannel& row = *report.add_preempt_channels();
  row.set_file(Printable(file));
  std::map<std::string, uint64_t> pages;
  Error error = ReadPreemptChannel(
      source, report.target_page_bytes(), [&](const PreemptRecord& record) {
        if (record.end) return;
        row.set_pages(row.pages() + (record.zero ? 0 : 1));
        row.set_zero_pages(row.zero_pages() + (record.zero ? 1 : 0));
        if (pages.size() < kMaxBlocks || pages.contains(record.block)) {
          ++pages[record.block];
        }
      });
  for (const auto& [name, count] : pages) {
    report::PreemptBlock& block = *row.add_blocks();
    block.set_name(Printable(name));
    block.set_pages(count);
  }
  row.set_complete(error.ok());
  return error;
}

Error ReportCpr(const std::string& file, ByteSource& source,
                report::Report& report) {
  report::Cpr& rows = *report.add_cpr_states();
  rows.set_file(Printable(file));
  CprState state;
  Error error = ReadCprState(source, state);
  for (const CprState::Descriptor& descriptor : state.descriptors) {
    report::CprDescriptor& row = *rows.add_descriptors();
    row.set_offset(descriptor.offset);
    row.set_name(Printable(descriptor.name));
    row.set_id(descriptor.id);
    if (descriptor.number) row.set_number(*descriptor.number);
  }
  for (const CprState::VfioDevice& device : state.vfio_devices) {
    report::CprVfioDevice& row = *rows.add_vfio_devices();
    row.set_offset(device.offset);
    row.set_name(Printable(device.name));
    row.set_device_id(device.device_id);
    row.set_ioas_id(device.ioas_id);
    row.set_hwpt_id(device.hwpt_id);
  }
  rows.set_complete(error.ok());
  return error;
}

}  // namespace migstream
