#include "codec/rewrite/rewrite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "codec/report/report_builder.h"
#include "codec/rewrite/config_mover.h"
#include "codec/rewrite/described_writer.h"
#include "codec/rewrite/device_filters.h"
#include "codec/rewrite/dialect_guard.h"
#include "codec/rewrite/record_cutter.h"
#include "codec/rewrite/visitor_filter.h"

namespace migstream {
namespace {

Error NotAgain() {
  return {ErrorCode::kReadFailed, 0, "stream",
          "the input has to be read twice for this, and it can be read only "
          "once"};
}

// What must be known before the first byte is written.
struct Foreknowledge {
  bool record_boundaries_matter = true;
  std::string dialects;  // That the stream may be of.
  HeldConfigs configs;
};

Error LookAtDialect(const Reopen& input, const RewriteOptions& options,
                    Foreknowledge& known) {
  if (options.reader.dialect->id != DialectId::kAuto) {
    known.dialects = std::string(options.reader.dialect->name);
    known.record_boundaries_matter =
        options.reader.dialect->record_boundaries_matter;
    return {};
  }
  std::unique_ptr<ByteSource> source = input();
  if (!source) return NotAgain();
  ReportOptions report_options;
  report_options.reader = options.reader;
  report::Report report;
  Error error = BuildReport(*source, report_options, report);
  known.dialects = report.dialect();
  known.record_boundaries_matter = false;
  for (const std::string& name : report.dialects()) {
    const Dialect* row = FindDialect(name);
    known.record_boundaries_matter |= row && row->record_boundaries_matter;
  }
  return error;
}

Error LookAtConfigs(const Reopen& input, const RewriteOptions& options,
                    Foreknowledge& known) {
  std::unique_ptr<ByteSource> source = input();
  if (!source) return NotAgain();
  ConfigCollector collector;
  Error error = StreamReader(*source, collector, options.reader).Read();
  known.configs = std::move(collector.configs());
  return error.ok() ? collector.error() : error;
}

bool ConfigInEnd(const Dialect& dialect) {
  return dialect.end.After(Element::kNone).Contains(Element::kConfig);
}

// What the options ask for that no dialect can give.
Error CheckOptions(const RewriteOptions& options) {
  const Dialect* to = options.to;
  auto refuse = [](std::string reason) {
    return Error{ErrorCode::kNotWritable, 0, "stream", std::move(reason)};
  };
  if (to != nullptr && !to->released()) {
    return refuse(absl::StrCat(
        to->name, " was never released; no QEMU would read the result"));
  }
  if (to != nullptr && to->multifd_device_state) {
    return refuse(absl::StrCat("device state of ", to->name,
                               " is on multifd channels; spread it over some"));
  }
  return {};
}

}  // namespace

Error Rewrite(const Reopen& input, ByteSink& sink,
              const RewriteOptions& options) {
  Error error = CheckOptions(options);
  if (!error.ok()) return error;
  Foreknowledge known;
  const Dialect* to = options.to;
  if (options.record_bytes != 0 || options.payload != nullptr) {
    error = LookAtDialect(input, options, known);
  }
  if (error.ok() && to != nullptr && ConfigInEnd(*to)) {
    error = LookAtConfigs(input, options, known);
  }
  if (!error.ok()) return error;
  if (options.record_bytes != 0 && known.record_boundaries_matter) {
    return {ErrorCode::kNotWritable, 0, "stream",
            absl::StrCat("the stream may be of ", known.dialects,
                         ", and a record of v1 is a transaction of the device: "
                         "it must stay as it is")};
  }

  // From the last step to the first.
  const Dialect& written = to != nullptr ? *to : *options.reader.dialect;
  DescribedWriter writer(sink, written);
  StreamVisitor* first = &writer;
  std::vector<std::unique_ptr<VisitorFilter>> filters;
  auto add = [&](std::unique_ptr<VisitorFilter> filter) {
    first = filter.get();
    filters.push_back(std::move(filter));
  };
  if (to != nullptr) {
    add(std::make_unique<DialectGuard>(*to, *first));
    if (ConfigInEnd(*to)) {
      add(std::make_unique<ConfigToEnd>(known.configs, *first));
    } else if (to->protocol == VfioProtocol::kV1) {
      add(std::make_unique<ConfigToFull>(*first));
    }
  }
  if (options.strip_empty_parts) {
    add(std::make_unique<EmptyPartStripper>(*first));
  }
  if (options.record_bytes != 0) {
    add(std::make_unique<RecordCutter>(options.record_bytes, *first));
  }
  if (!options.config.empty()) {
    add(std::make_unique<ConfigReplacer>(options.device, options.config,
                                         *first));
  }
  if (options.payload != nullptr) {
    add(std::make_unique<PayloadReplacer>(options.device, *options.payload,
                                          known.record_boundaries_matter,
                                          *first));
  }
  for (const std::string& device : options.dropped_devices) {
    add(std::make_unique<DeviceDropper>(device, *first));
  }

  std::unique_ptr<ByteSource> source = input();
  if (!source) return NotAgain();
  error = StreamReader(*source, *first, options.reader).Read();
  if (!error.ok()) return error;
  // The error of an early step explains those of later ones.
  for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter) {
    (*filter)->Finish();
    if (!(*filter)->error().ok()) return (*filter)->error();
  }
  return writer.error();
}

}  // namespace migstream
