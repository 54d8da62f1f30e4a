#include "codec/page/html_page.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "codec/page/page_text.h"
#include "codec/wire/json.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr int kMost = 500;
constexpr size_t kMostNameBytes = 120;

// What of a script could end it is written as a number.
std::string InScript(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (char c : json) {
    switch (c) {
      case '<':
        text += "\\u003c";
        break;
      case '>':
        text += "\\u003e";
        break;
      case '&':
        text += "\\u0026";
        break;
      default:
        text += c;
    }
  }
  return text;
}

std::string Short(std::string_view name) {
  if (name.size() <= kMostNameBytes) return std::string(name);
  return StrCat(name.substr(0, kMostNameBytes), "...");
}

// The page's data, as page.js takes it.
class PageData {
 public:
  std::string Make(const report::Report& report,
                   const std::vector<PageFile>& files) {
    json_.StartObject();
    Put("file", report.file());
    json_.Key("complete");
    json_.Bool(report.complete());
    PutFacts(report);
    PutKinds();
    PutFindings(report, files);
    PutDevices(report);
    PutFiles(files);
    // The others refer to it.
    PutOwners();
    json_.EndObject();
    return InScript(buffer_.GetString());
  }

 private:
  void Text(std::string_view text) {
    json_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }
  void Put(const char* key, std::string_view text) {
    json_.Key(key);
    Text(text);
  }

  void PutFacts(const report::Report& report) {
    json_.Key("facts");
    json_.StartArray();
    auto fact = [&](std::string_view key, std::string_view value) {
      if (value.empty()) return;
      json_.StartArray();
      Text(key);
      Text(value);
      json_.EndArray();
    };
    fact("written by", StrJoin(report.writers(), " or "));
    fact("dialect", report.dialect());
    fact("machine", Short(report.machine_type()));
    if (report.ram().total_bytes() != 0) {
      fact("RAM",
           StrCat(report.ram().total_bytes(), " bytes in ",
                  report.ram().blocks_size(), " blocks; ", report.ram().pages(),
                  " pages, ", report.ram().zero_pages(), " of zeros"));
    }
    std::vector<std::string> commands;
    for (const report::Command& command : report.commands()) {
      commands.push_back(command.name());
    }
    fact("commands", Short(StrJoin(commands, ", ")));
    json_.EndArray();
  }

  void PutKinds() {
    json_.Key("kinds");
    json_.StartArray();
    for (int kind = 0; kind <= static_cast<int>(MapKind::kMixed); ++kind) {
      Text(ToString(static_cast<MapKind>(kind)));
    }
    json_.EndArray();
  }

  void PutFindings(const report::Report& report,
                   const std::vector<PageFile>& files) {
    json_.Key("findings");
    json_.StartArray();
    int left = kMost;
    // What matters most comes first.
    for (std::string_view severity : {"error", "warning", "note"}) {
      for (const report::Finding& finding : report.findings()) {
        if (finding.severity() != severity || left-- <= 0) continue;
        json_.StartObject();
        Put("severity", finding.severity());
        Put("id", finding.id());
        Put("file", finding.file().empty() && !files.empty() ? files[0].name
                                                             : finding.file());
        json_.Key("offset");
        json_.Uint64(finding.offset());
        Put("section", Short(finding.section()));
        Put("message", finding.message());
        json_.EndObject();
      }
    }
    json_.EndArray();
  }

  void PutDevices(const report::Report& report) {
    json_.Key("devices");
    json_.StartArray();
    for (int i = 0; i < std::min(report.devices_size(), kMost); ++i) {
      const report::Device& device = report.devices(i);
      std::vector<std::string> marks;
      if (device.init_data_sent() != 0) marks.push_back("INIT_DATA_SENT");
      if (device.config_load_ready()) marks.push_back("CONFIG_LOAD_READY");
      if (device.multifd_device_state()) {
        marks.push_back(device.multifd_read() ? "on channels"
                                              : "on channels, not given");
      }
      json_.StartArray();
      Text(Short(device.idstr()));
      Text(device.config().pci().ids());
      Text(device.payload().driver());
      Text(StrCat(device.pre_copy().bytes()));
      Text(StrCat(device.stop_copy().bytes()));
      Text(StrCat(device.data_records()));
      Text(StrCat(device.config().pci_config_bytes()));
      Text(StrJoin(marks, ", "));
      json_.EndArray();
    }
    json_.EndArray();
  }

  size_t Owner(const std::string& name) {
    return owners_.emplace(name, owners_.size()).first->second;
  }

  void PutFiles(const std::vector<PageFile>& files) {
    json_.Key("files");
    json_.StartArray();
    for (const PageFile& file : files) {
      json_.StartObject();
      Put("name", file.name);
      json_.Key("bytes");
      json_.Uint64(file.map.bytes());
      json_.Key("folded");
      json_.Uint64(file.map.folded_ranges());
      json_.Key("totals");
      json_.StartArray();
      PutTotals(file.map.Totals(kMost));
      json_.EndArray();
      json_.Key("rows");
      json_.StartArray();
      for (const FoldedMap::Row& row : file.map.rows()) PutRow(row);
      json_.EndArray();
      json_.EndObject();
    }
    json_.EndArray();
  }

  void PutTotals(const std::vector<FoldedMap::Share>& totals) {
    for (const FoldedMap::Share& share : totals) {
      json_.StartArray();
      json_.Uint64(Owner(Short(share.owner)));
      json_.Int(static_cast<int>(share.kind));
      json_.Uint64(share.bytes);
      json_.EndArray();
    }
  }

  // [offset, bytes, kind, owner, what, count, round, stopped, cut]
  void PutRow(const FoldedMap::Row& row) {
    std::vector<std::string> owners;
    for (const FoldedMap::Share& share : row.shares) {
      owners.push_back(share.owner);
    }
    json_.StartArray();
    json_.Uint64(row.range.offset);
    json_.Uint64(row.range.bytes);
    json_.Int(static_cast<int>(row.range.kind));
    json_.Uint64(
        Owner(Short(owners.empty() ? row.range.owner : StrJoin(owners, ", "))));
    Text(Short(Describe(row.range)));
    json_.Uint64(row.range.count);
    json_.Uint(row.range.round);
    json_.Int(row.range.stopped ? 1 : 0);
    json_.Int(row.range.cut ? 1 : 0);
    json_.EndArray();
  }

  void PutOwners() {
    std::vector<const std::string*> names(owners_.size());
    for (const auto& [name, index] : owners_) names[index] = &name;
    json_.Key("owners");
    json_.StartArray();
    for (const std::string* name : names) Text(*name);
    json_.EndArray();
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> json_{buffer_};
  std::map<std::string, size_t> owners_;
};

}  // namespace

std::string HtmlPage(const report::Report& report,
                     const std::vector<PageFile>& files) {
  // Only what has these sums is run; there is nothing else that it may fetch.
  return StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'; script-src 'sha256-",
      kPageScriptSum, "'; style-src 'sha256-", kPageStyleSum,
      "'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>migstream</title>\n<style>",
      kPageStyle, "</style>\n</head>\n<body>\n", kPageBody,
      "<script type=\"application/json\" id=\"data\">",
      PageData().Make(report, files), "</script>\n<script>", kPageScript,
      "</script>\n</body>\n</html>\n");
}

size_t PageRows(size_t files) {
  constexpr size_t kAll = 4000;
  constexpr size_t kLeast = 20;
  return std::max(kLeast, kAll / std::max<size_t>(files, 1));
}

}  // namespace migstream
