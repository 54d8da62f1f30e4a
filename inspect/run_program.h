// Runs the program as a user would, for tests.

#ifndef MIGSTREAM_INSPECT_RUN_PROGRAM_H_
#define MIGSTREAM_INSPECT_RUN_PROGRAM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace migstream {

struct ProgramRun {
  int status = -1;  // 128 + the signal that ended it.
  std::string output;
  std::string errors;
  uint64_t peak_rss_kib = 0;
};

// `feed` writes the program's standard input to the descriptor that it is
// given; without it there is none. `signal`, if not 0, is sent to the program
// when all of that has been written, and standard input stays open.
struct ProgramInput {
  std::function<void(int fd)> feed = nullptr;
  int signal = 0;
};

ProgramRun RunProgram(const std::vector<std::string>& words,
                      const ProgramInput& input = {});

// Writes all of `bytes`, or as many as the reader takes.
bool WriteAll(int fd, const void* bytes, size_t count);

// Files for a test, in a folder that is removed with it.
std::string TestFolder();
std::string WriteTestFile(const std::string& name, const std::string& bytes);
std::string ReadTestFile(const std::string& path);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_RUN_PROGRAM_H_
