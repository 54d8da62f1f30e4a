#include "inspect/map.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "codec/io/absl_view.h"
#include "codec/map/folded_map.h"
#include "codec/map/stream_map.h"
#include "codec/qemu/stream_reader.h"
#include "codec/survey/stream_survey.h"
#include "codec/version.h"
#include "codec/wire/json.h"
#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "inspect/progress.h"
#include "inspect/table.h"
#include "inspect/text_report.h"

namespace migstream {
namespace {

// More lines than that nobody reads.
constexpr size_t kTextRows = 200;
constexpr size_t kOutputBytes = 64 << 10;

// Writes what has come once there is enough of it; the first failure stays.
class Output {
 public:
  std::string& text() { return text_; }
  void Flush(size_t least = 0) {
    if (text_.size() <= least || status_ != kFine) return;
    status_ = Print(text_, kFine);
    text_.clear();
  }
  ExitStatus status() const { return status_; }

 private:
  std::string text_;
  ExitStatus status_ = kFine;
};

// Whose a row is, and what it is.
std::pair<std::string, std::string> WordsOf(const FoldedMap::Row& row) {
  if (row.shares.empty()) return {row.range.owner, Describe(row.range)};
  const std::string what = StrCat(row.range.count, " x ", row.range.what);
  if (row.shares.size() > 2)
    return {StrCat(row.shares.size(), " owners"), what};
  std::vector<std::string> owners;
  for (const FoldedMap::Share& share : row.shares) {
    owners.push_back(share.owner);
  }
  return {StrJoin(owners, ", "), what};
}

std::string TextMap(const std::string& name, FoldedMap& map) {
  map.Fold();
  std::string text = StrCat(name, ": ", map.bytes(), " bytes\n");
  // What it is may be long; it stands last, so that nothing is torn apart.
  auto line = [&text](std::string_view offset, std::string_view bytes,
                      std::string_view owner, std::string_view what) {
    constexpr size_t kBefore = 10 + 2 + 11 + 2 + 22 + 2;
    StrAppend(&text,
              WrappedLines(absl::StrFormat("%-10s  %11s  %-22s  %s\n",
                                           AbslView(offset), AbslView(bytes),
                                           AbslView(owner), AbslView(what)),
                           LineColumns(STDOUT_FILENO), kBefore));
  };
  line("OFFSET", "BYTES", "OWNER", "WHAT");
  bool stopped = false;
  for (const FoldedMap::Row& row : map.rows()) {
    if (row.range.stopped && !stopped) {
      line("", "", "", "-- the guest is stopped");
    }
    stopped = row.range.stopped;
    auto [owner, what] = WordsOf(row);
    line(Hex(row.range.offset), StrCat(row.range.bytes), owner, what);
  }
  text += "\n";
  Table totals("lrr");
  totals.Row({"OWNER", "BYTES", ""});
  for (const FoldedMap::Share& share : map.Totals(kTextRows)) {
    totals.Row(
        {share.owner, StrCat(share.bytes),
         absl::StrFormat("%.1f %%", 100.0 * static_cast<double>(share.bytes) /
                                        static_cast<double>(map.bytes()))});
  }
  totals.Row({"all", StrCat(map.bytes()), ""});
  StrAppend(&text, totals.Text());
  if (map.folded_ranges() != 0) {
    StrAppend(&text, "\n", Plural(map.folded_ranges(), "row"),
              " folded into others; --format=csv lists all\n");
  }
  return text;
}

ExitStatus PrintText(const Arguments& arguments, Inputs& inputs) {
  std::string name;
  std::string text;
  FoldedMap map(kTextRows);
  auto finish = [&] {
    if (name.empty()) return;
    StrAppend(&text, text.empty() ? "" : "\n", TextMap(name, map));
  };
  const ExitStatus status = MapInputs(
      arguments, inputs,
      [&](const std::string& file) {
        finish();
        name = file;
        map = FoldedMap(kTextRows);
      },
      [&](const MapRange& range) { map.Add(range); });
  finish();
  if (status == kUnusable) return status;
  return Print(text, status);
}

// As RFC 4180 has it.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

ExitStatus PrintCsv(const Arguments& arguments, Inputs& inputs) {
  Output output;
  output.text() =
      "file,offset,bytes,kind,owner,what,count,records,payload_bytes,pages,"
      "zero_pages,round,stopped,cut\n";
  std::string name;
  const ExitStatus status = MapInputs(
      arguments, inputs, [&](const std::string& file) { name = Quoted(file); },
      [&](const MapRange& range) {
        StrAppend(&output.text(), name, ",", range.offset, ",", range.bytes,
                  ",", ToString(range.kind), ",", Quoted(range.owner), ",",
                  Quoted(range.detail.empty()
                             ? range.what
                             : StrCat(range.what, " ", range.detail)),
                  ",", range.count, ",", range.records, ",",
                  range.payload_bytes, ",", range.pages, ",", range.zero_pages,
                  ",", range.round, ",", range.stopped ? 1 : 0, ",",
                  range.cut ? 1 : 0, "\n");
        output.Flush(kOutputBytes);
      });
  if (status == kUnusable) return status;
  output.Flush();
  return std::max(status, output.status());
}

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

void PutText(Json& json, const char* key, std::string_view text) {
  json.Key(key);
  json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void PutNumber(Json& json, const char* key, uint64_t number) {
  json.Key(key);
  json.Uint64(number);
}

void PutRange(Json& json, const MapRange& range) {
  json.StartObject();
  PutNumber(json, "offset", range.offset);
  PutNumber(json, "bytes", range.bytes);
  PutText(json, "kind", ToString(range.kind));
  PutText(json, "owner", range.owner);
  PutText(json, "what", range.what);
  PutText(json, "detail", range.detail);
  PutNumber(json, "count", range.count);
  PutNumber(json, "records", range.records);
  PutNumber(json, "payloadBytes", range.payload_bytes);
  PutNumber(json, "pages", range.pages);
  PutNumber(json, "zeroPages", range.zero_pages);
  PutNumber(json, "round", range.round);
  json.Key("stopped");
  json.Bool(range.stopped);
  json.Key("cut");
  json.Bool(range.cut);
  json.EndObject();
}

// A report::Map, a range a line; it may be longer than memory.
ExitStatus PrintJson(const Arguments& arguments, Inputs& inputs) {
  Output output;
  output.text() =
      "{\"schema\": \"migstream.map/1\",\n \"version\": \"" MIGSTREAM_VERSION
      "\",\n \"files\": [";
  uint64_t bytes = 0;
  bool in_file = false;
  bool first_range = true;
  auto end_file = [&] {
    if (in_file) StrAppend(&output.text(), "],\n  \"bytes\": ", bytes, "}");
  };
  const ExitStatus status = MapInputs(
      arguments, inputs,
      [&](const std::string& file) {
        end_file();
        rapidjson::StringBuffer quoted;
        Json json(quoted);
        json.String(file.data(), static_cast<rapidjson::SizeType>(file.size()));
        StrAppend(&output.text(), in_file ? "," : "",
                  "\n {\"file\": ", quoted.GetString(), ",\n  \"ranges\": [");
        in_file = first_range = true;
        bytes = 0;
      },
      [&](const MapRange& range) {
        rapidjson::StringBuffer text;
        Json json(text);
        PutRange(json, range);
        StrAppend(&output.text(), first_range ? "\n   " : ",\n   ",
                  text.GetString());
        first_range = false;
        bytes += range.bytes;
        output.Flush(kOutputBytes);
      });
  if (status == kUnusable) return status;
  end_file();
  output.text() += "\n]}\n";
  output.Flush();
  return std::max(status, output.status());
}

// What stands before the stream.
std::string ContainerOf(const Inputs& inputs) {
  return inputs.libvirt ? "libvirt's header and XML" : "before the stream";
}

}  // namespace

ExitStatus MapInputs(const Arguments& arguments, Inputs& inputs,
                     const OnMapFile& on_file, const OnMapRange& on_range) {
  ExitStatus status = kFine;
  StreamFacts facts;
  facts.page_bytes = arguments.page_bytes;
  auto judge = [&](const std::string& file, const Error& error) {
    if (error.ok()) return;
    PrintError(ErrorLine(error.file.empty() ? file : error.file, error));
    status = std::max(status, IsUnusable(error) ? kUnusable : kFindings);
  };
  auto map_side = [&](const std::string& file, FileKind kind,
                      ByteSource& source) {
    on_file(Printable(file));
    if (kind == FileKind::kCpr) {
      judge(file, MapCpr(source, on_range));
    } else if (kind == FileKind::kPreempt) {
      judge(file, MapPreempt(source, facts.page_bytes, on_range));
    } else {
      judge(file, MapReturnPath(source, on_range));
    }
  };
  const FileKind kind = KindOf(inputs.main->Peek(kFileKindBytes));
  if (IsSide(kind)) {
    map_side(inputs.file, kind, *inputs.main);
    return status;
  }
  Progress progress(*inputs.main, arguments.quiet);
  on_file(Printable(inputs.file));
  judge(inputs.file, MapStream(*inputs.main, ReaderOptionsOf(arguments),
                               ContainerOf(inputs), on_range, facts));
  if (status == kUnusable) return status;
  const ChannelReaderOptions channel_options = ChannelOptionsOf(facts);
  for (const ChannelReader::Channel& channel : inputs.Channels()) {
    on_file(Printable(channel.name));
    judge(channel.name,
          MapChannel(channel.name, *channel.source, channel_options, on_range));
  }
  for (const Inputs::Side& side : inputs.sides) {
    map_side(side.file, side.kind, *side.source);
  }
  return status;
}

ExitStatus PrintMap(const Arguments& arguments, Inputs& inputs) {
  if (arguments.format == "csv") return PrintCsv(arguments, inputs);
  if (arguments.format == "json") return PrintJson(arguments, inputs);
  return PrintText(arguments, inputs);
}

}  // namespace migstream
