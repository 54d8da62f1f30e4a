// For tests: an enclosing stream as bytes, a piece a call. FORMAT.md section 2.
//
//   const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
//   std::string stream = HeaderBytes() + ConfigurationBytes("pc-q35-8.2") +
//                        ram.Start(Be64Bytes(kRamEos)) +
//                        ram.End(Be64Bytes(kRamEos)) + EofBytes() +
//                        DescriptionBytes(DescriptionJson({}));

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_BYTES_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "codec/device/section_bytes.h"
#include "codec/wire/be_text.h"
#include "codec/wire/bytes.h"
#include "codec/wire/text.h"

namespace migstream {

inline constexpr auto& BeBytes = BeText;
inline constexpr auto& Be32Bytes = Be32Text;
inline constexpr auto& Str8Bytes = Str8Text;

inline std::string U8Bytes(uint8_t value) { return BeText(value, 1); }
inline std::string Be16Bytes(uint16_t value) { return BeText(value, 2); }

inline std::string HeaderBytes(uint32_t version = 3) {
  return "QEVM" + Be32Bytes(version);
}

// `subsections` as ConfigurationSubsectionBytes() gives them.
inline std::string ConfigurationBytes(const std::string& machine_type,
                                      const std::string& subsections = "") {
  return U8Bytes(7) + Be32Bytes(static_cast<uint32_t>(machine_type.size())) +
         machine_type + subsections;
}

inline std::string ConfigurationSubsectionBytes(const std::string& name,
                                                const std::string& content) {
  return U8Bytes(5) + Str8Bytes("configuration/" + name) + Be32Bytes(1) +
         content;
}

inline std::string CapabilitiesBytes(
    std::initializer_list<std::string> capabilities) {
  std::string names;
  for (const std::string& name : capabilities) names += Str8Bytes(name);
  return ConfigurationSubsectionBytes(
      "capabilities",
      Be32Bytes(static_cast<uint32_t>(capabilities.size())) + names);
}

// `number` as in flags/command.h.
inline std::string CommandBytes(uint16_t number, const std::string& data = "") {
  return U8Bytes(8) + Be16Bytes(number) +
         Be16Bytes(static_cast<uint16_t>(data.size())) + data;
}

// PACKAGED, and the sections that it holds.
inline std::string PackagedBytes(const std::string& sections) {
  return CommandBytes(7, Be32Bytes(static_cast<uint32_t>(sections.size()))) +
         sections;
}

inline std::string EofBytes() { return std::string(1, '\0'); }

inline std::string DescriptionBytes(const std::string& json) {
  return U8Bytes(6) + Be32Bytes(static_cast<uint32_t>(json.size())) + json;
}

// Who owns sections, and how they look.
struct HandlerBytes {
  uint32_t id = 0;
  std::string idstr = {};
  uint32_t instance = 0;
  uint32_t version = 1;
  bool footers = true;

  std::string Start(const std::string& content) const {
    return Named('\x01') + content + Footer();
  }
  std::string Part(const std::string& content) const {
    return U8Bytes(2) + Be32Bytes(id) + content + Footer();
  }
  std::string End(const std::string& content) const {
    return U8Bytes(3) + Be32Bytes(id) + content + Footer();
  }
  std::string Full(const std::string& content) const {
    return Named('\x04') + content + Footer();
  }

  // What opens a START or a FULL.
  std::string Named(char type) const {
    return U8Bytes(static_cast<uint8_t>(type)) + Be32Bytes(id) +
           Str8Bytes(idstr) + Be32Bytes(instance) + Be32Bytes(version);
  }
  std::string Footer() const {
    return footers ? U8Bytes(0x7e) + Be32Bytes(id) : "";
  }

  // Its entry in the description, as a handler of the old style has it.
  std::string Json(uint64_t full_bytes) const {
    return StrCat(R"({"name":")", idstr, R"(","instance_id":)", instance,
                  R"(,"size":)", full_bytes,
                  R"(,"fields":[{"name":"data","size":)", full_bytes,
                  R"(,"type":"buffer"}]})");
  }
};

// `devices` as HandlerBytes::Json() gives them. 0: the target's page size is
// not said.
inline std::string DescriptionJson(std::initializer_list<std::string> devices,
                                   uint64_t page_size = 0) {
  std::string json = "{";
  if (page_size != 0) StrAppend(&json, R"("page_size":)", page_size, ",");
  StrAppend(&json, R"("devices":[)");
  const char* separator = "";
  for (const std::string& device : devices) {
    StrAppend(&json, separator, device);
    separator = ",";
  }
  return json + "]}";
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_BYTES_H_
