// The files of a capture by their common name: "vm" for vm.qvm, vm.ch1.qvm and
// vm.return, as `capture -o vm` names them.

#ifndef MIGSTREAM_INSPECT_FILE_SET_H_
#define MIGSTREAM_INSPECT_FILE_SET_H_

#include <string>
#include <vector>

namespace migstream {

// Those that are there, the main channel first; `sides`: with its return path,
// CPR state and postcopy-preempt channel. A file may be compressed: vm.qvm.zst.
std::vector<std::string> FilesOfSet(const std::string& name, bool sides);

// Puts the files of a set, the main channel first, in the place of a name that
// is no file itself.
std::vector<std::string> ExpandSets(const std::vector<std::string>& names,
                                    bool sides);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_FILE_SET_H_
