#include "codec/diff/keyed_lists.h"

#include <string_view>
#include <utility>
#include <vector>

#include "codec/wire/text.h"

namespace migstream {
namespace {

struct KeyedList {
  std::string_view keys;
  std::string_view values;
};

// The registers of Arm CPUs.
constexpr KeyedList kLists[] = {
    {"cpreg_vmstate_indexes", "cpreg_vmstate_values"},
};

struct Renamed {
  std::string path;
  StateValue value;
};

// The values under their keys' names; none if the list is no set.
std::vector<Renamed> Renames(const std::map<std::string, StateValue>& values,
                             const KeyedList& list, std::string_view parent) {
  std::vector<Renamed> renamed;
  std::map<std::string, int> times;
  const std::string prefix = StrCat(parent, list.keys, "[");
  for (auto key = values.lower_bound(prefix);
       key != values.end() && key->first.starts_with(prefix); ++key) {
    const std::string index = key->first.substr(prefix.size());
    auto value = values.find(StrCat(parent, list.values, "[", index));
    if (value == values.end() || ++times[key->second.text] > 1) return {};
    renamed.push_back({StrCat(parent, list.values, "[", key->second.text, "]"),
                       value->second});
  }
  return renamed;
}

void Erase(std::map<std::string, StateValue>& values,
           const std::string& prefix) {
  auto first = values.lower_bound(prefix);
  auto last = first;
  while (last != values.end() && last->first.starts_with(prefix)) ++last;
  values.erase(first, last);
}

}  // namespace

void NameByKey(std::map<std::string, StateValue>& values) {
  for (const KeyedList& list : kLists) {
    // The state of a CPU is a struct of its own in some machines.
    std::vector<std::string> parents;
    const std::string first = StrCat(list.keys, "[0]");
    for (const auto& [path, value] : values) {
      if (!path.ends_with(first)) continue;
      parents.push_back(path.substr(0, path.size() - first.size()));
    }
    for (const std::string& parent : parents) {
      std::vector<Renamed> renamed = Renames(values, list, parent);
      if (renamed.empty()) continue;
      Erase(values, StrCat(parent, list.keys, "["));
      Erase(values, StrCat(parent, list.values, "["));
      for (Renamed& one : renamed) {
        values[std::move(one.path)] = std::move(one.value);
      }
    }
  }
}

}  // namespace migstream
