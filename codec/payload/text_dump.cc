#include "codec/payload/text_dump.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "codec/payload/formats.h"
#include "codec/payload/payload_tally.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// What one record can lack; more is not believed.
constexpr uint64_t kMostMissing = uint64_t{1} << 40;

// Bytes of one line, and where they stand.
struct DumpLine {
  uint64_t offset = 0;
  std::string bytes;
};

std::optional<uint64_t> HexNumber(std::string_view digits) {
  uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
  if (digits.empty() || error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return value;
}

// Groups of hexadecimal digits with one space between; a group of more than one
// byte is a number of a little-endian host. Two spaces lead to what is not.
std::string HexGroups(std::string_view text) {
  constexpr size_t kBytesOfALine = 32;
  std::string bytes;
  while (bytes.size() < kBytesOfALine) {
    size_t end = std::min(text.find_first_of(" \r"), text.size());
    std::string_view group = text.substr(0, end);
    if (group.empty() || group.size() % 2 != 0 || group.size() > 16) break;
    std::optional<uint64_t> value = HexNumber(group);
    if (!value) break;
    for (size_t i = 0; i < group.size() / 2; ++i) {
      bytes.push_back(static_cast<char>(*value >> (8 * i)));
    }
    if (end == text.size() || text[end] != ' ') break;
    text.remove_prefix(end + 1);
  }
  return bytes;
}

// What follows `mark` in a line; with `numbered`, behind eight digits of an
// offset and a colon.
std::optional<DumpLine> ReadLine(std::string_view line, std::string_view mark,
                                 bool numbered) {
  size_t at = line.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + mark.size());
  DumpLine read;
  if (numbered) {
    if (line.size() < 10 || line.substr(8, 2) != ": ") return std::nullopt;
    std::optional<uint64_t> offset = HexNumber(line.substr(0, 8));
    if (!offset) return std::nullopt;
    read.offset = *offset;
    line.remove_prefix(10);
  }
  read.bytes = HexGroups(line);
  if (read.bytes.empty()) return std::nullopt;
  return read;
}

// A dump whose lines count from 0; one that begins again takes its place.
class Block {
 public:
  // False if the line does not go on where the last one ended.
  bool Add(const DumpLine& line) {
    if (line.offset == 0) bytes_.clear();
    if (line.offset != bytes_.size()) return false;
    bytes_ += line.bytes;
    return true;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

TextDump::Piece LeftOut(size_t bytes) {
  return {.bytes = std::string(bytes, '\0'), .shown = false};
}

// hisi_acc: the struct, without the four addresses at its end. What shows a
// live device's has no more of the first part than the state.
std::optional<TextDump> HisiAcc(const std::vector<std::string_view>& lines) {
  constexpr size_t kShownBytes = 144, kAllBytes = 176;
  constexpr size_t kMatchBytes = 40, kState = 24, kStateEnd = 28;
  Block migrated, live;
  for (std::string_view line : lines) {
    if (auto read = ReadLine(line, "Mig Data:", true)) migrated.Add(*read);
    if (auto read = ReadLine(line, "Dev Data:", true)) live.Add(*read);
  }
  TextDump dump = {.format = FormatNamed("hisi_acc")};
  std::string bytes = migrated.bytes().substr(0, kAllBytes);
  if (!bytes.empty()) {
    dump.kind = "Mig Data (debugfs)";
    bool cut = bytes.size() == kShownBytes;
    dump.pieces.push_back({std::move(bytes)});
    if (cut) dump.pieces.push_back(LeftOut(kAllBytes - kShownBytes));
    return dump;
  }
  bytes = live.bytes().substr(0, kShownBytes);
  if (bytes.size() < kShownBytes) return std::nullopt;
  dump.kind = "Dev Data (debugfs)";
  dump.pieces = {LeftOut(kState),
                 {bytes.substr(kState, kStateEnd - kState)},
                 LeftOut(kMatchBytes - kStateEnd),
                 {bytes.substr(kMatchBytes)},
                 LeftOut(kAllBytes - kShownBytes)};
  return dump;
}

// xe: the header of each packet, and its first bytes.
std::optional<TextDump> Xe(const std::vector<std::string_view>& lines) {
  constexpr size_t kHeaderBytes = 24, kSizeAt = 16;
  TextDump dump = {.format = FormatNamed("xe"), .kind = "mig_hdr (log)"};
  std::string header, body;
  auto close = [&] {
    if (header.size() == kHeaderBytes) {
      uint64_t size = payload::LoadNumber(AsBytes(header).data() + kSizeAt, 8,
                                          /*big_endian=*/false);
      body.resize(std::min<uint64_t>(body.size(), size));
      uint64_t missing = size - body.size();
      dump.pieces.push_back({.bytes = header + body, .missing = missing});
    }
    header.clear();
    body.clear();
  };
  for (std::string_view line : lines) {
    if (auto read = ReadLine(line, "mig_hdr: ", false)) {
      if (header.size() >= kHeaderBytes) close();
      header += read->bytes;
    } else if (auto data = ReadLine(line, "mig_data: ", false)) {
      body += data->bytes;
    }
  }
  close();
  if (dump.pieces.empty()) return std::nullopt;
  return dump;
}

// What stands before QAT's sections, and is in no dump.
std::string QatPreamble(uint16_t sections, size_t bytes) {
  constexpr uint32_t kMagic = 0xadf5caea;
  std::string preamble(16, '\0');
  auto put = [&](size_t at, uint64_t value, int width) {
    for (int i = 0; i < width; ++i) {
      preamble[at + i] = static_cast<char>(value >> (8 * i));
    }
  };
  put(0, kMagic, 4);
  put(4, 1, 4);
  put(8, preamble.size(), 2);
  put(10, sections, 2);
  put(12, bytes, 4);
  return preamble;
}

// qat: sections, each as it is made and again inside the one that holds it; the
// outermost have all.
std::optional<TextDump> Qat(const std::vector<std::string_view>& lines) {
  constexpr size_t kHeaderBytes = 16, kNameBytes = 8;
  constexpr std::string_view kState[] = {"GENER", "MISCBAR", "ETRBAR"};
  std::map<std::string, std::string, std::less<>> sections;
  Block header, body;
  for (std::string_view line : lines) {
    if (auto read = ReadLine(line, "h-", true)) {
      header.Add(*read);
      body = Block();
    } else if (auto data = ReadLine(line, "s-", true)) {
      if (header.bytes().size() != kHeaderBytes || !body.Add(*data)) continue;
      uint32_t size = LoadLe32(AsBytes(header.bytes()).data() + kNameBytes);
      if (body.bytes().size() != size) continue;
      std::string name = header.bytes().substr(0, kNameBytes);
      name.resize(std::min(name.find('\0'), name.size()));
      sections[name] = header.bytes() + body.bytes();
    }
  }
  auto setup = sections.find("CONFIG");
  if (setup == sections.end()) return std::nullopt;
  TextDump dump = {.format = FormatNamed("qat"), .kind = "h-, s- (log)"};
  auto add_block = [&](uint16_t count, std::string bytes) {
    dump.pieces.push_back(
        {.bytes = QatPreamble(count, bytes.size()), .shown = false});
    dump.pieces.push_back({std::move(bytes)});
  };
  add_block(1, setup->second);
  std::string state;
  uint16_t count = 0;
  for (std::string_view name : kState) {
    auto found = sections.find(name);
    if (found == sections.end()) continue;
    state += found->second;
    ++count;
  }
  if (count != 0) add_block(count, std::move(state));
  return dump;
}

struct Gap {
  uint64_t begin = 0;
  uint64_t end = 0;

  bool Meets(uint64_t from, uint64_t to) const {
    return from < end && begin < to;
  }
};

}  // namespace

std::optional<TextDump> ParseTextDump(std::string_view text) {
  std::vector<std::string_view> lines = Split(text, '\n');
  for (auto* parse : {HisiAcc, Xe, Qat}) {
    if (std::optional<TextDump> dump = parse(lines)) return dump;
  }
  return std::nullopt;
}

PayloadReport TallyTextDump(const TextDump& dump) {
  PayloadTally tally({.format = dump.format});
  tally.BeginStopCopy();
  std::vector<Gap> gaps;
  for (const TextDump::Piece& piece : dump.pieces) {
    uint64_t begin = tally.bytes();
    tally.Add(AsBytes(piece.bytes), {});
    if (!piece.shown) gaps.push_back({begin, tally.bytes()});
    // Only what nobody reads can be left out.
    if (piece.missing == 0) continue;
    if (piece.missing > std::min(kMostMissing, tally.skippable())) break;
    tally.Skip(piece.missing);
  }
  PayloadReport report = tally.Finish(/*whole=*/false);
  report.runs.clear();
  report.runs_end = 0;
  for (PayloadValue& value : report.values) {
    uint64_t end = value.offset + value.bytes;
    for (const Gap& gap : gaps) {
      if (gap.Meets(value.offset, end)) value.bytes = 0;
    }
  }
  std::erase_if(report.findings, [&gaps](const PayloadFinding& finding) {
    return std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
      return gap.Meets(finding.offset, finding.offset + 1);
    });
  });
  return report;
}

}  // namespace migstream
