// The C interface of libmigstream-inspect, any bytes as the files of a
// migration: a status that is one of those declared, and texts and numbers that
// are well formed, of bytes that there are; whatever else is asked meanwhile,
// the same question gets the same answer.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "codec/c/migstream_inspect.h"
#include "codec/wire/json.h"
#include "codec/wire/text.h"
#include "flags/release.h"
#include "fuzz/fuzzing.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

// Bytes that a path leads to.
class File {
 public:
  explicit File(ByteSpan bytes) : fd_(memfd_create("stream", MFD_CLOEXEC)) {
    REQUIRE(fd_ >= 0);
    REQUIRE(write(fd_, bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
  }
  ~File() { close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::string path() const { return StrCat("/proc/self/fd/", fd_); }

 private:
  const int fd_;
};

// How the dialects of an input are numbered: as the table's rows.
int32_t DialectOf(uint8_t choice) {
  constexpr uint8_t kReleased = MIGSTREAM_DIALECT_V111M;
  constexpr uint8_t kProposed = MIGSTREAM_DIALECT_E7 - MIGSTREAM_DIALECT_E1 + 1;
  if (choice < kReleased) return choice + 1;
  choice = static_cast<uint8_t>(choice - kReleased);
  return choice < kProposed ? MIGSTREAM_DIALECT_E1 + choice
                            : MIGSTREAM_DIALECT_AUTO;
}

bool IsJson(const char* text) {
  rapidjson::StringStream characters(text);
  rapidjson::BaseReaderHandler<> nobody;
  rapidjson::Reader parser;
  return parser.Parse<rapidjson::kParseIterativeFlag>(characters, nobody);
}

int32_t LastCode(migstream_walk* walk) {
  const migstream_error* error;
  REQUIRE(migstream_walk_last_error(walk, &error) == MIGSTREAM_OK);
  REQUIRE((error->code == 0) == (error->text[0] == '\0'));
  return error->code;
}

// The report, or nothing where it is no stream.
std::string Report(migstream_walk* walk) {
  const char* report;
  const migstream_status status = migstream_walk_report(walk, &report);
  REQUIRE((status == MIGSTREAM_OK) == (report != nullptr));
  if (status == MIGSTREAM_OK) return report;
  REQUIRE(status == MIGSTREAM_ERROR && LastCode(walk) != 0);
  return "";
}

void State(migstream_walk* walk) {
  const char* state;
  const migstream_status status = migstream_walk_state(walk, &state);
  REQUIRE(status == MIGSTREAM_OK
              ? IsJson(state)
              : status == MIGSTREAM_ERROR && LastCode(walk) != 0);
}

// All that is found; whether a loader refuses it, or it is cut off.
bool Check(migstream_walk* walk) {
  bool error = false;
  const migstream_finding* finding;
  migstream_status status;
  for (size_t i = 0;
       (status = migstream_walk_check(walk, i, &finding)) == MIGSTREAM_OK;
       ++i) {
    REQUIRE(finding->severity >= MIGSTREAM_SEVERITY_NOTE &&
            finding->severity <= MIGSTREAM_SEVERITY_ERROR);
    REQUIRE(finding->id[0] != '\0' && finding->message[0] != '\0');
    REQUIRE(strlen(finding->section) + strlen(finding->kernel) < 100'000);
    error |= finding->severity == MIGSTREAM_SEVERITY_ERROR;
  }
  REQUIRE(status == MIGSTREAM_DONE || status == MIGSTREAM_ERROR);
  return error;
}

void Verdict(migstream_walk* walk, const std::string& release) {
  const migstream_verdict* verdict;
  const migstream_status status =
      migstream_walk_verdict(walk, release.c_str(), &verdict);
  if (status == MIGSTREAM_ERROR) return;
  REQUIRE(status == MIGSTREAM_OK);
  REQUIRE(verdict->verdict >= MIGSTREAM_VERDICT_LOADS &&
          verdict->verdict <= MIGSTREAM_VERDICT_WAITS);
  REQUIRE((verdict->verdict == MIGSTREAM_VERDICT_LOADS) ==
          (verdict->message[0] == '\0'));
}

void Sections(migstream_walk* walk) {
  const migstream_walked_section* each;
  uint64_t end = 0;
  size_t count = 0;
  while (migstream_walk_section(walk, count, &each) == MIGSTREAM_OK) {
    const migstream_section& section = *each->section;
    REQUIRE(section.type >= MIGSTREAM_SECTION_START &&
            section.type <= MIGSTREAM_SECTION_FULL);
    REQUIRE(section.idstr_bytes <= 255);
    REQUIRE(section.offset >= end);
    end = section.offset + each->content_bytes;
    ++count;
  }
  REQUIRE(migstream_walk_section(walk, count, &each) == MIGSTREAM_DONE ||
          count == 0);
}

void Extract(migstream_walk* walk, int32_t what) {
  const void* bytes;
  size_t count;
  const migstream_status status =
      migstream_walk_extract(walk, nullptr, what, &bytes, &count);
  REQUIRE(status == MIGSTREAM_OK ||
          (status == MIGSTREAM_ERROR && LastCode(walk) != 0));
  // Each of them is there.
  const volatile uint8_t* all = static_cast<const uint8_t*>(bytes);
  for (size_t i = 0; i < count; ++i) (void)all[i];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  migstream_walk_options options = {};
  options.struct_size = sizeof options;
  options.dialect = DialectOf(input.Choice());
  const uint8_t choice = input.Choice();
  options.records = choice / 128;
  const std::string release =
      ReleaseName(kReleases[choice % 128 % std::size(kReleases)].release);
  size_t channel_bytes = input.Choice() * size_t{256};
  channel_bytes += input.Choice();

  ByteSpan main = input.Rest();
  ByteSpan channel;
  if (channel_bytes <= main.size()) {
    channel = main.last(channel_bytes);
    main = main.first(main.size() - channel_bytes);
  }
  const File file(main), channel_file(channel);
  const std::string channel_path = channel_file.path();
  const char* const channels[] = {channel_path.c_str()};
  options.channels = channels;
  options.channel_count = channel.empty() ? 0 : 1;

  migstream_walk* walk;
  const migstream_status status =
      migstream_walk_open(file.path().c_str(), &options, &walk);
  REQUIRE((status == MIGSTREAM_OK) == (walk != nullptr));
  if (status != MIGSTREAM_OK) {
    REQUIRE(status == MIGSTREAM_ERROR && errno == 0);
    return 0;
  }
  const std::string report = Report(walk);
  REQUIRE(report.empty() || IsJson(report.c_str()));
  const bool damaged = !report.empty() && LastCode(walk) != 0;
  State(walk);
  REQUIRE(Check(walk) || !damaged);
  Verdict(walk, release);
  Sections(walk);
  Extract(walk, MIGSTREAM_EXTRACT_PAYLOAD);
  Extract(walk, MIGSTREAM_EXTRACT_CONFIG);
  REQUIRE(Report(walk) == report);
  REQUIRE(migstream_walk_close(walk) == MIGSTREAM_OK);
  return 0;
}
