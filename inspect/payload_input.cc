#include "inspect/payload_input.h"

#include <memory>
#include <string>

#include "codec/payload/formats.h"
#include "codec/report/payload_file.h"
#include "codec/report/report.pb.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/inputs.h"
#include "inspect/progress.h"

namespace migstream {
namespace {

constexpr char kDrivers[] =
    "gvt-g hisi_acc mlx5 mtty pds qat spdk-nvme virtio xe";

}  // namespace

const Option kPayloadOption = {
    "payload",
    "[=DRIVER]",
    "FILE is no stream but a device's payload, or the text\n"
    "that its driver prints of it; without a name the bytes\n"
    "say whose. One of:",
    [](Arguments& arguments, const std::string& value) {
      arguments.payload = true;
      arguments.payload_format = FormatNamed(value);
      return value.empty() || arguments.payload_format != nullptr
                 ? std::string()
                 : StrCat("there is no driver '", value, "', but ", kDrivers);
    },
    kDrivers,
    "dialect"};

const Option kSplitOption = {
    "split",
    "N",
    "with --payload: its first N bytes were read before the\n"
    "guest was stopped",
    [](Arguments& arguments, const std::string& value) {
      return ParseNumber("split", " of bytes", value, 0, UINT64_MAX,
                         arguments.split.emplace());
    },
    {},
    {},
    "payload"};

bool ReadPayloadFile(const Arguments& arguments, PayloadReport& payload,
                     report::Report& report) {
  if (arguments.files.size() != 1) {
    PrintError("--payload takes one FILE");
    return false;
  }
  const std::string& file = arguments.files[0];
  std::unique_ptr<ByteSource> source =
      OpenInput(file, OpenOptionsOf(arguments));
  if (source == nullptr) return false;
  Progress progress(*source, arguments.quiet);
  report.set_file(Printable(file));
  Error error = ReadPayload(
      *source, {.format = arguments.payload_format, .split = arguments.split},
      payload, report);
  if (!error.ok()) PrintError(StrCat(file, ": ", error.reason));
  return error.ok();
}

}  // namespace migstream
