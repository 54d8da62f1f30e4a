#include <string>

#include "codec/destination/pci_device.h"
#include "codec/payload/kernel_release.h"
#include "codec/wire/text.h"
#include "inspect/pci_device_file.h"
#include "inspect/verb.h"

namespace migstream {
namespace {

ExitStatus Run(const Arguments& arguments) {
  const std::string& file = arguments.files[0];
  PciDevice device;
  if (!ReadPciDevice(arguments, file, device)) return kUnusable;
  if (arguments.kernel) device.kernel = ToString(*arguments.kernel);
  if (device.config.size() == 64 && !arguments.quiet) {
    PrintError(StrCat(file,
                      ": only 64 bytes of its configuration space are there; "
                      "root can read all"));
  }
  return Print(ToJson(device), kFine);
}

constexpr Option kOptions[] = {
    {"format", "FORMAT", "json, which is what is printed if it is not said",
     [](Arguments& arguments, const std::string& value) {
       arguments.format = value;
       return OneOf("format", value, {"json"});
     },
     "json"},
    {"kernel", "X.Y", "the Linux that the device's host runs, if not this one",
     [](Arguments& arguments, const std::string& value) -> std::string {
       arguments.kernel = ParseKernelRelease(value);
       if (arguments.kernel) return "";
       return StrCat("--kernel is a release as 6.12, not '", value, "'");
     }},
};

}  // namespace

const Verb kDescribeVerb = {
    .name = "describe",
    .files = "DEVICE",
    .summary = "a PCI device of this host, for check --destination there",
    .max_files = 1,
    .options = kOptions,
    .run = Run,
    .reads_stream = false,
};

}  // namespace migstream
