// The VMDESCRIPTION of a guest with many devices: found from the stream's end,
// and parsed. The ceiling reads the same bytes once.

#include <string>

#include "bench/measure.h"
#include "codec/qemu/parse_description.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/vm_description.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// Each device with 20 fields, which is what an average one of QEMU's has.
std::string Json(int64_t devices) {
  std::string json;
  StrAppend(&json, R"({"page_size":4096,"devices":[)");
  for (int64_t i = 0; i < devices; ++i) {
    StrAppend(&json, i == 0 ? "" : ",", R"({"name":"device-)", i,
              R"(","instance_id":0,"vmsd_name":"device","version":1,)",
              R"("size":80,"fields":[)");
    for (int field = 0; field < 20; ++field) {
      StrAppend(&json, field == 0 ? "" : ",", R"({"name":"field)", field,
                R"(","type":"uint32","size":4})");
    }
    StrAppend(&json, "]}");
  }
  StrAppend(&json, "]}");
  return json;
}

void BM_Description(benchmark::State& state) {
  int64_t devices = Once() ? 10 : state.range(0);
  std::string json = Json(devices);
  std::string tail = StrCat(EofBytes(), "\x06", Be32Bytes(json.size()), json);
  Measure(
      state, {.items = static_cast<uint64_t>(devices), .bytes = tail.size()},
      [&] {
        FoundDescription found = FindDescription(AsBytes(tail));
        Require(found.found, "a description is found");
        auto description = ParseDescription(tail.substr(found.json_at));
        Require(description.ok(), "a description is parsed");
        benchmark::DoNotOptimize(description->devices.data());
      },
      [&] { ReadAll(AsBytes(tail)); });
}

BENCHMARK(BM_Description)->Arg(10)->Arg(100)->Arg(1000)->UseManualTime();

}  // namespace
}  // namespace migstream
