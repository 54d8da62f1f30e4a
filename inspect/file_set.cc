#include "inspect/file_set.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

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

std::vector<std::string> FilesOfSet(const std::string& name, bool sides) {
  std::vector<std::string> files;
  auto take = [&files](std::string file) {
    if (file.empty()) return false;
    files.push_back(std::move(file));
    return true;
  };
  take(Find(StrCat(name, ".qvm")));
  for (int i = 1; take(Find(StrCat(name, ".ch", i, ".qvm"))); ++i) {
  }
  if (!sides) return files;
  for (std::string_view side : {".return", ".cpr", ".preempt"}) {
    take(Find(StrCat(name, side)));
  }
  return files;
}

std::vector<std::string> ExpandSets(const std::vector<std::string>& names,
                                    bool sides) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    if (Exists(name) || Find(StrCat(name, ".qvm")).empty()) {
      files.push_back(name);
      continue;
    }
    std::vector<std::string> set = FilesOfSet(name, sides);
    std::move(set.begin(), set.end(), std::back_inserter(files));
  }
  return files;
}

}  // namespace migstream
