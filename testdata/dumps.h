// What three QEMUs say that they can load, for tests: the JSON of
// -dump-vmstate, and what QEMU's static checker finds between two of them.

#ifndef MIGSTREAM_TESTDATA_DUMPS_H_
#define MIGSTREAM_TESTDATA_DUMPS_H_

#include <string>
#include <string_view>
#include <vector>

namespace migstream {

// "7.2", "10.0" or "11.1".
std::string DumpPath(std::string_view release);
std::string ReadDump(std::string_view release);

// A finding a line.
std::vector<std::string> CheckerLines(std::string_view from,
                                      std::string_view to);

}  // namespace migstream

#endif  // MIGSTREAM_TESTDATA_DUMPS_H_
