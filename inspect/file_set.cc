#include "inspect/file_set.h"

#include <sys/stat.h>

#include <string_view>

#include "codec/wire/text.h"

namespace migstream {
namespace {

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

// As it is, or compressed; empty if there is neither.
std::string Find(const std::string& path) {
  for (std::string_view ending : {"", ".zst", ".gz", ".xz", ".bz2"}) {
    if (std::string file = StrCat(path, ending); Exists(file)) return file;
  }
  return "";
}

}  // namespace

std::vector<std::string> ExpandSets(const std::vector<std::string>& names,
                                    bool sides) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    const std::string main = Exists(name) ? "" : Find(StrCat(name, ".qvm"));
    if (main.empty()) {
      files.push_back(name);
      continue;
    }
    files.push_back(main);
    std::string file;
    for (int i = 1; !(file = Find(StrCat(name, ".ch", i, ".qvm"))).empty();
         ++i) {
      files.push_back(file);
    }
    if (!sides) continue;
    for (std::string_view side : {".return", ".cpr"}) {
      file = Find(StrCat(name, side));
      if (!file.empty()) files.push_back(file);
    }
  }
  return files;
}

}  // namespace migstream
