// How a PciDevice is written and read.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "codec/destination/pci_device.h"
#include "codec/device/pci_config.h"
#include "codec/wire/json_document.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr char kKind[] = "migstream-pci-device";
constexpr size_t kLineBytes = 16;
constexpr size_t kMaxJsonBytes = 1 << 20;
constexpr size_t kMaxJsonDepth = 8;

std::string Digits(ByteSpan bytes) {
  std::string text;
  for (uint8_t byte : bytes) text += Hex(byte, 2).substr(2);
  return text;
}

std::optional<uint64_t> ParseHex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [last, error] = std::from_chars(text.data(), end, number, 16);
  if (error != std::errc() || last != end) return std::nullopt;
  return number;
}

// Puts the bytes of "b3151e10" or "b3 15 1e 10" at an offset; false if it is
// not that, or beyond an extended configuration space.
bool PutBytes(uint64_t offset, std::string_view digits, std::string& config) {
  std::string packed;
  std::copy_if(digits.begin(), digits.end(), std::back_inserter(packed),
               [](char c) { return c != ' ' && c != '\r'; });
  if (packed.size() % 2 != 0 || packed.size() / 2 > kPcieConfigBytes ||
      offset > kPcieConfigBytes - packed.size() / 2) {
    return false;
  }
  config.resize(std::max<size_t>(config.size(), offset + packed.size() / 2));
  for (size_t i = 0; i < packed.size(); i += 2) {
    auto byte = ParseHex(std::string_view(packed).substr(i, 2));
    if (!byte || packed[i + 1] == 'x') return false;
    config[offset + i / 2] = static_cast<char>(*byte);
  }
  return true;
}

bool IsConfigSize(size_t bytes) {
  return bytes == 64 || bytes == kPciConfigBytes || bytes == kPcieConfigBytes;
}

constexpr char kBadSize[] =
    "it has no configuration space of 64, 256 or 4096 bytes";

// What lspci prints first: "08:00.2 Ethernet controller: …", or with a domain
// before it.
std::optional<std::string> AddressOf(std::string_view line) {
  std::string_view word = line.substr(0, line.find(' '));
  const size_t dot = word.rfind('.');
  if (dot == word.npos || word.size() != dot + 2 || dot < 5) {
    return std::nullopt;
  }
  if (word.find_first_not_of("0123456789abcdefABCDEF:.") != word.npos ||
      word.find(':') == word.npos) {
    return std::nullopt;
  }
  return StrCat(word.size() == 7 ? "0000:" : "", word);
}

// "00: b3 15 …", "1f0: …".
bool IsDump(std::string_view line) {
  const size_t colon = line.find(": ");
  return (colon == 2 || colon == 3) && ParseHex(line.substr(0, colon));
}

std::string ParseLspci(std::string_view text, PciDevice& device) {
  for (std::string_view line : Split(text, '\n')) {
    while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);
    if (std::optional<std::string> address = AddressOf(line)) {
      if (!device.address.empty()) {
        return "it holds several devices; lspci -s ADDRESS prints one";
      }
      device.address = *address;
    } else if (IsDump(line)) {
      const size_t colon = line.find(':');
      if (!PutBytes(*ParseHex(line.substr(0, colon)), line.substr(colon + 1),
                    device.config)) {
        return StrCat("'", line, "' is no line of lspci -x");
      }
    } else if (size_t at = line.find("Kernel driver in use: ");
               at != line.npos) {
      device.driver = std::string(line.substr(at + 22));
    }
  }
  if (!IsConfigSize(device.config.size())) {
    return StrCat(kBadSize, "; lspci -xxxx prints it");
  }
  CompleteFromConfig(device);
  return "";
}

std::string ParseBars(const rapidjson::Value& bars, PciDevice& device) {
  if (!bars.IsObject()) return "\"bars\" is no object";
  for (const auto& [name, value] : bars.GetObject()) {
    const std::string_view text(name.GetString(), name.GetStringLength());
    if (text.size() != 1 || text[0] < '0' || text[0] > '5' ||
        !value.IsObject() || !value.HasMember("bytes") ||
        !value["bytes"].IsUint64()) {
      return "\"bars\" has something else than BARs 0 to 5 with their bytes";
    }
    const rapidjson::Value& bar = value;
    auto flag = [&bar](const char* flag) {
      return bar.HasMember(flag) && bar[flag].IsTrue();
    };
    device.bars[text[0] - '0'] = {value["bytes"].GetUint64(), flag("io"),
                                  flag("64bit"), flag("prefetchable")};
  }
  return "";
}

std::string ParseConfig(const rapidjson::Value& lines, PciDevice& device) {
  if (!lines.IsObject()) return "\"config\" is no object";
  for (const auto& [name, value] : lines.GetObject()) {
    const std::optional<uint64_t> offset =
        ParseHex({name.GetString(), name.GetStringLength()});
    const size_t size = device.config.size();
    if (!offset || !value.IsString() ||
        !PutBytes(*offset, {value.GetString(), value.GetStringLength()},
                  device.config) ||
        device.config.size() != size) {
      return "\"config\" has a line that is not in it";
    }
  }
  return "";
}

std::string ParseJsonDevice(std::string_view text, PciDevice& device) {
  rapidjson::Document json;
  std::string problem = ParseJson(text, kMaxJsonBytes, kMaxJsonDepth, json);
  if (!problem.empty()) return problem;
  if (!json.IsObject()) return "it is no object";
  auto word = [&json](const char* name) -> std::string {
    if (!json.HasMember(name) || !json[name].IsString()) return "";
    return {json[name].GetString(), json[name].GetStringLength()};
  };
  auto number = [&](const char* name) {
    return ParseHex(word(name)).value_or(0);
  };
  constexpr struct {
    const char* name;
    int digits;
  } kNumbers[] = {
      {"vendor", 4},           {"device", 4}, {"subsystem_vendor", 4},
      {"subsystem_device", 4}, {"class", 6},  {"revision", 2}};
  for (const auto& [name, digits] : kNumbers) {
    const std::optional<uint64_t> found = ParseHex(word(name));
    if (json.HasMember(name) && (!found || *found >> 4 * digits != 0)) {
      return StrCat("\"", name, "\" is no number of ", digits,
                    " hexadecimal digits");
    }
  }
  device.address = word("address");
  device.kernel = word("kernel");
  device.driver = word("driver");
  SetNumbers(device, number);
  const bool sized =
      json.HasMember("config_bytes") && json["config_bytes"].IsUint();
  if (!sized || !IsConfigSize(json["config_bytes"].GetUint())) return kBadSize;
  device.config.resize(json["config_bytes"].GetUint());
  if (json.HasMember("bars")) problem = ParseBars(json["bars"], device);
  if (problem.empty() && json.HasMember("config")) {
    problem = ParseConfig(json["config"], device);
  }
  if (problem.empty()) CompleteFromConfig(device);
  return problem;
}

}  // namespace

std::string ToJson(const PciDevice& device) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> json(buffer);
  json.SetIndent(' ', 2);
  auto text = [&json](const char* name, const std::string& value) {
    if (value.empty()) return;
    json.Key(name);
    json.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  text("kind", kKind);
  text("address", device.address);
  text("kernel", device.kernel);
  text("driver", device.driver);
  text("vendor", Hex(device.vendor_id, 4));
  text("device", Hex(device.device_id, 4));
  text("subsystem_vendor", Hex(device.subsystem_vendor_id, 4));
  text("subsystem_device", Hex(device.subsystem_id, 4));
  text("class", Hex(device.class_code, 6));
  text("revision", Hex(device.revision, 2));
  const ByteSpan config = AsBytes(device.config);
  const PciConfig pci = PciConfig::Parse(config);
  if (pci.msix.present) {
    json.Key("msix_vectors");
    json.Uint(pci.msix.vectors);
  }
  json.Key("bars");
  json.StartObject();
  for (const auto& [index, bar] : device.bars) {
    json.Key(StrCat(index).c_str());
    json.StartObject();
    json.Key("bytes");
    json.Uint64(bar.bytes);
    auto flag = [&json](const char* name, bool set) {
      if (!set) return;
      json.Key(name);
      json.Bool(true);
    };
    flag("io", bar.io);
    flag("64bit", bar.is_64bit);
    flag("prefetchable", bar.prefetchable);
    json.EndObject();
  }
  json.EndObject();
  json.Key("config_bytes");
  json.Uint(static_cast<unsigned>(config.size()));
  json.Key("config");
  json.StartObject();
  for (size_t at = 0; at < config.size(); at += kLineBytes) {
    const ByteSpan line =
        config.subspan(at, std::min(kLineBytes, config.size() - at));
    if (std::all_of(line.begin(), line.end(),
                    [](uint8_t byte) { return byte == 0; })) {
      continue;
    }
    text(Hex(at, 3).c_str(), Digits(line));
  }
  json.EndObject();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

bool LooksLikePciDevice(std::string_view head) {
  const size_t start = head.find_first_not_of(" \t\r\n");
  if (start == head.npos) return false;
  head.remove_prefix(start);
  if (head[0] == '{') return head.find(kKind) != head.npos;
  return AddressOf(head.substr(0, head.find('\n'))).has_value();
}

std::string ParsePciDevice(std::string_view text, PciDevice& device) {
  device = {};
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start != text.npos && text[start] == '{') {
    return ParseJsonDevice(text, device);
  }
  return ParseLspci(text, device);
}

void CompleteFromConfig(PciDevice& device) {
  const ByteSpan config = AsBytes(device.config);
  if (config.size() < 64) return;
  auto complete = [](auto& number, auto own) {
    if (number == 0) number = own;
  };
  constexpr uint16_t kNone = 0xffff;  // What a virtual function has.
  if (LoadLe16(config.data()) != kNone) {
    complete(device.vendor_id, LoadLe16(config.data()));
    complete(device.device_id, LoadLe16(&config[2]));
  }
  complete(device.subsystem_vendor_id, LoadLe16(&config[0x2c]));
  complete(device.subsystem_id, LoadLe16(&config[0x2e]));
  complete(device.class_code, LoadLe32(&config[8]) >> 8);
  complete(device.revision, config[8]);
}

}  // namespace migstream
