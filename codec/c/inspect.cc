// A whole migration, for C.

#include <sys/stat.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/c/handle.h"
#include "codec/c/migstream_inspect.h"
#include "codec/c/stream_event.h"
#include "codec/c/values.h"
#include "codec/channels/channel_reader.h"
#include "codec/extract/payload_extractor.h"
#include "codec/io/byte_sink.h"
#include "codec/io/open_stream.h"
#include "codec/loader/loader.h"
#include "codec/loader/loader_row.h"
#include "codec/qemu/stream_reader.h"
#include "codec/report/message_json.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "codec/state/field_reader.h"
#include "codec/state/state_json.h"
#include "codec/survey/stream_survey.h"
#include "codec/version.h"
#include "codec/wire/printable.h"
#include "flags/release.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

// The sections of a main channel, by name.
class Sections : public StreamVisitor {
 public:
  struct One {
    SectionView view;
    std::string idstr;
    uint64_t content_bytes = 0;
    bool footer = false;
  };
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override {
    constexpr size_t kMost = 1 << 16;
    if (all.size() == kMost) return;
    One& one = all.emplace_back();
    one.idstr = section.idstr;
    one.view = section;
    one.content_bytes = content_bytes;
    one.footer = footer;
  }
  std::deque<One> all;
};

// A migration's files, opened; they are again for each thing that is asked.
struct Files {
  std::unique_ptr<ByteSource> main;
  std::vector<std::unique_ptr<ByteSource>> sources;
  std::vector<ChannelReader::Channel> channels;
};

// Opens a file that can be read anew for each question: a pipe is read once,
// and would wait here for who writes it. "-" is a name like any other.
OpenedStream OpenAgain(const std::string& name,
                       const OpenOptions& options = {}) {
  const std::string path = name == "-" ? "./-" : name;
  struct stat info;
  if (stat(path.c_str(), &info) == 0 &&
      (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) {
    OpenedStream refused;
    refused.error = {ErrorCode::kReadFailed, 0, "",
                     "cannot be read more than once"};
    errno = ESPIPE;
    return refused;
  }
  return OpenStream(path, options);
}

// Whether nothing is known of what was to be read.
bool IsNoStream(const Error& error) {
  return error.code == ErrorCode::kNotAStream ||
         error.code == ErrorCode::kUnknownVersion ||
         error.code == ErrorCode::kReadFailed;
}

int32_t SeverityOf(const std::string& severity) {
  return severity == "error"     ? MIGSTREAM_SEVERITY_ERROR
         : severity == "warning" ? MIGSTREAM_SEVERITY_WARNING
                                 : MIGSTREAM_SEVERITY_NOTE;
}

}  // namespace

struct migstream_walk : Handle {
  static constexpr uint32_t kKind = kKinds | 32;

  migstream_walk(const char* path, const migstream_walk_options& given,
                 const Dialect& dialect)
      : Handle(kKind),
        file(path),
        channel_files(given.channels, given.channels + given.channel_count),
        records(given.records != 0) {
    open.offset = given.offset;
    reader.dialect = &dialect;
    reader.page_bytes = given.page_bytes;
  }

  Error Open(Files* files) const {
    OpenedStream opened = OpenAgain(file, open);
    if (!opened.error.ok()) return opened.error;
    files->main = std::move(opened.source);
    for (const std::string& name : channel_files) {
      opened = OpenAgain(name);
      if (!opened.error.ok()) return opened.error;
      files->sources.push_back(std::move(opened.source));
      files->channels.push_back({name, files->sources.back().get()});
    }
    return {};
  }

  // Reads the report, if that was not done yet.
  migstream_status Report() {
    if (report) return MIGSTREAM_OK;
    Files files;
    const Error unopened = Open(&files);
    if (!unopened.ok()) return Fail(unopened);
    ReportOptions options;
    options.reader = reader;
    options.records = records;
    report::Report built;
    NameMessage(built, "report");
    built.set_file(Printable(file));
    const Error error =
        BuildReport(*files.main, files.channels, options, built);
    if (!error.ok()) Fail(error);
    if (IsNoStream(error)) return MIGSTREAM_ERROR;
    report = std::move(built);
    return MIGSTREAM_OK;
  }

  const std::string file;
  const std::vector<std::string> channel_files;
  const bool records;
  OpenOptions open;
  ReaderOptions reader;

  std::optional<report::Report> report;
  std::string text;  // What was given last.
  migstream_finding finding = {};
  LoadVerdict loader;
  migstream_verdict verdict = {};
  std::optional<Sections> sections;
  migstream_section section = {};
  migstream_walked_section walked = {};
};

extern "C" {

const char* migstream_inspect_version(void) { return MIGSTREAM_VERSION; }

migstream_status migstream_walk_open(const char* path,
                                     const migstream_walk_options* options,
                                     migstream_walk** walk) {
  if (walk == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *walk = nullptr;
  migstream_walk_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  const Dialect* dialect = DialectOf(given.dialect);
  if (path == nullptr || dialect == nullptr ||
      !IsBytes(given.channels, given.channel_count)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  for (size_t i = 0; i < given.channel_count; ++i) {
    if (given.channels[i] == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  }
  errno = 0;
  migstream_walk* made;
  status = Make(nullptr, &made, path, given, *dialect);
  if (status != MIGSTREAM_OK) return status;
  status = Call(made, [&] {
    Files files;
    return made->Check(made->Open(&files));
  });
  if (status == MIGSTREAM_OK) {
    *walk = made;
  } else {
    const int why = errno;
    migstream_walk_close(made);
    errno = why;
  }
  return status;
}

migstream_status migstream_walk_close(migstream_walk* walk) {
  if (walk == nullptr) return MIGSTREAM_OK;
  return Is(walk) ? migstream_destroy(walk) : MIGSTREAM_BAD_ARGUMENT;
}

migstream_status migstream_walk_last_error(const migstream_walk* walk,
                                           const migstream_error** error) {
  if (!Is(walk)) return MIGSTREAM_BAD_ARGUMENT;
  return migstream_last_error(walk, error);
}

migstream_status migstream_walk_report(migstream_walk* walk,
                                       const char** report) {
  if (report == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *report = nullptr;
  return Call(walk, [&] {
    const migstream_status status = walk->Report();
    if (status != MIGSTREAM_OK) return status;
    walk->text.clear();
    WriteJson(*walk->report, 2, [&](std::string_view piece) {
      walk->text += piece;
      return true;
    });
    *report = walk->text.c_str();
    return status;
  });
}

migstream_status migstream_walk_state(migstream_walk* walk,
                                      const char** state) {
  if (state == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *state = nullptr;
  return Call(walk, [&]() -> migstream_status {
    Files files;
    Error error = walk->Open(&files);
    if (!error.ok()) return walk->Fail(error);
    StringSink sink;
    StateJson json(sink);
    FieldReader fields(json);
    error = StreamReader(*files.main, fields, walk->reader).Read();
    fields.Finish(error);
    if (!error.ok()) {
      walk->Fail(error);
      if (!json.begun()) return MIGSTREAM_ERROR;
    }
    json.Finish();
    walk->text = sink.bytes();
    *state = walk->text.c_str();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_walk_check(migstream_walk* walk, size_t index,
                                      const migstream_finding** finding) {
  if (finding == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *finding = nullptr;
  return Call(walk, [&]() -> migstream_status {
    const migstream_status status = walk->Report();
    if (status != MIGSTREAM_OK) return status;
    const auto& all = walk->report->findings();
    if (index >= static_cast<size_t>(all.size())) return MIGSTREAM_DONE;
    const report::Finding& found = all[static_cast<int>(index)];
    walk->finding = {.struct_size = sizeof(migstream_finding),
                     .severity = SeverityOf(found.severity()),
                     .id = found.id().c_str(),
                     .offset = found.offset(),
                     .section = found.section().c_str(),
                     .message = found.message().c_str(),
                     .file = found.file().c_str(),
                     .kernel = found.kernel().c_str()};
    *finding = &walk->finding;
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_walk_verdict(migstream_walk* walk,
                                        const char* release,
                                        const migstream_verdict** verdict) {
  if (release == nullptr || verdict == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *verdict = nullptr;
  return Call(walk, [&]() -> migstream_status {
    LoaderOptions options;
    options.release = ParseRelease(release);
    options.page_bytes = walk->reader.page_bytes;
    if (FindLoader(options.release) == nullptr) return MIGSTREAM_BAD_ARGUMENT;
    Files files;
    const Error error = walk->Open(&files);
    if (!error.ok()) return walk->Fail(error);
    walk->loader = PredictLoad(*files.main, files.channels, options);
    const LoadVerdict& says = walk->loader;
    int32_t number = MIGSTREAM_VERDICT_LOADS;
    switch (says.outcome) {
      case LoadVerdict::kLoads:
        break;
      case LoadVerdict::kRefuses:
        number = MIGSTREAM_VERDICT_REFUSES;
        break;
      case LoadVerdict::kWaits:
        number = MIGSTREAM_VERDICT_WAITS;
        break;
      case LoadVerdict::kUnreadable:
        return walk->Fail({ErrorCode::kReadFailed, 0, "", says.message});
    }
    walk->verdict = {.struct_size = sizeof(migstream_verdict),
                     .verdict = number,
                     .offset = says.offset,
                     .section = says.section.c_str(),
                     .message = says.message.c_str()};
    *verdict = &walk->verdict;
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_walk_extract(migstream_walk* walk,
                                        const char* device, int32_t what,
                                        const void** bytes,
                                        size_t* byte_count) {
  if (bytes == nullptr || byte_count == nullptr ||
      (what != MIGSTREAM_EXTRACT_PAYLOAD && what != MIGSTREAM_EXTRACT_CONFIG)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  *bytes = nullptr;
  *byte_count = 0;
  return Call(walk, [&]() -> migstream_status {
    Files files;
    Error error = walk->Open(&files);
    if (!error.ok()) return walk->Fail(error);
    StringSink sink;
    PayloadExtractor extractor(sink, device == nullptr ? "" : device,
                               what == MIGSTREAM_EXTRACT_CONFIG
                                   ? PayloadExtractor::kConfig
                                   : PayloadExtractor::kPayload);
    StreamSurvey survey(walk->reader, extractor);
    error = survey.ReadAll(*files.main, files.channels,
                           [&extractor](const ReassembledPiece& piece) {
                             extractor.OnPiece(piece);
                           });
    const StreamFacts& facts = survey.facts();
    const bool matters = facts.complete() ? extractor.NeedsChannels(facts)
                                          : !extractor.IsCertain(facts);
    if (!error.ok() && matters) return walk->Fail(error);
    error = extractor.Finish(facts);
    if (!error.ok()) return walk->Fail(error);
    walk->text = sink.bytes();
    *bytes = walk->text.data();
    *byte_count = walk->text.size();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_walk_section(
    migstream_walk* walk, size_t index,
    const migstream_walked_section** section) {
  if (section == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *section = nullptr;
  return Call(walk, [&]() -> migstream_status {
    if (!walk->sections) {
      Files files;
      Error error = walk->Open(&files);
      if (!error.ok()) return walk->Fail(error);
      Sections sections;
      error = StreamReader(*files.main, sections, walk->reader).Read();
      // What came before an error is there all the same.
      if (!error.ok()) walk->Fail(error);
      if (IsNoStream(error)) return MIGSTREAM_ERROR;
      walk->sections.emplace();
      walk->sections->all = std::move(sections.all);
    }
    if (index >= walk->sections->all.size()) return MIGSTREAM_DONE;
    const Sections::One& one = walk->sections->all[index];
    SectionView view = one.view;
    view.idstr = one.idstr;
    walk->section = SectionOf(view);
    walk->walked = {.struct_size = sizeof(migstream_walked_section),
                    .section = &walk->section,
                    .content_bytes = one.content_bytes,
                    .footer = one.footer ? 1 : 0};
    *section = &walk->walked;
    return MIGSTREAM_OK;
  });
}

}  // extern "C"
