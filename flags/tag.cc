#include "flags/tag.h"

#include "flags/names.h"

namespace migstream {

std::string ToString(Tag tag) {
  static constexpr Name kNames[] = {
      {0xffffffffef100001, "END_OF_STATE"},
      {0xffffffffef100002, "DEV_CONFIG_STATE"},
      {0xffffffffef100003, "DEV_SETUP_STATE"},
      {0xffffffffef100004, "DEV_DATA_STATE"},
      {0xffffffffef100005, "DEV_INIT_DATA_SENT or STATE_TRIGGER"},
      {0xffffffffef100006, "DEV_CONFIG_LOAD_READY or DATA_STATE_COMPLETE"},
  };
  return NameOf(static_cast<uint64_t>(tag), kNames);
}

}  // namespace migstream
