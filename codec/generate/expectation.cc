#include "codec/generate/expectation.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "codec/device/subsection.h"
#include "codec/io/byte_source.h"
#include "codec/loader/loader.h"
#include "codec/wire/text.h"
#include "flags/release.h"

namespace migstream {
namespace {

using recipe::Expectation;

Expectation::Verdict VerdictOf(const LoadVerdict& predicted) {
  switch (predicted.outcome) {
    case LoadVerdict::kLoads:
      return Expectation::LOADS;
    case LoadVerdict::kWaits:
      return Expectation::WAITS;
    case LoadVerdict::kRefuses:
    case LoadVerdict::kUnreadable:  // It is in memory.
      break;
  }
  return Expectation::REFUSES;
}

}  // namespace

Expectation Expect(const Generated& stream, Release loader) {
  LoaderOptions options;
  options.release = loader;
  options.machine_type = stream.machine_type;
  options.switchover_ack = LoaderOptions::kOff;
  Expectation expected;
  auto provide = [&](auto... words) {
    std::string what = StrCat(words...);
    if (std::count(expected.provided().begin(), expected.provided().end(),
                   what) == 0) {
      *expected.add_provided() = std::move(what);
    }
  };
  if (!stream.machine_type.empty()) {
    provide("machine type ", stream.machine_type);
  }
  for (const GeneratedDevice& device : stream.devices) {
    provide("a device at ", device.idstr);
    if (device.dialect->multifd_device_state) {
      provide("multifd with ", stream.channels.size(), " channels");
      provide("x-migration-multifd-transfer on");
    }
    if (device.config_load_ready) {
      provide("x-migration-load-config-after-iter on");
    }
    if (std::count(device.subsections.begin(), device.subsections.end(),
                   kDisplaySubsection) != 0) {
      provide("ramfb on");
    }
    if (device.init_data_sent) options.switchover_ack = LoaderOptions::kOn;
  }
  const bool ack = options.switchover_ack == LoaderOptions::kOn;
  provide("switchover-ack ", ack ? "on" : "off");
  // One of them is compared.
  if (!stream.devices.empty() && !stream.devices[0].pci_config.empty()) {
    options.destination_config = stream.devices[0].pci_config;
    options.destination_device = stream.devices[0].idstr;
    provide("the config space of ", options.destination_device,
            " as generated");
  }
  MemorySource main(AsBytes(stream.main.bytes));
  std::deque<MemorySource> sources;  // They do not move.
  std::vector<ChannelReader::Channel> channels;
  for (const MarkedBytes& channel : stream.channels) {
    channels.push_back({StrCat("channel ", channels.size() + 1),
                        &sources.emplace_back(AsBytes(channel.bytes))});
  }
  LoadVerdict predicted = PredictLoad(main, std::move(channels), options);
  expected.set_loader(ReleaseName(loader));
  expected.set_verdict(VerdictOf(predicted));
  if (expected.verdict() == Expectation::REFUSES) {
    expected.set_message(predicted.message);
  }
  for (const std::string& given : predicted.given) provide(given);
  for (const GeneratedDevice& device : stream.devices) {
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

}  // namespace migstream
