// The program `migstream`: what is in a QEMU migration stream, and what is
// wrong with it.

#include <malloc.h>

#include <string>
#include <vector>

#include "inspect/command_line.h"

namespace {

// What is freed of more than this goes back to the system. By default glibc
// learns to keep pieces of up to 32 MiB, such as a description was read into.
constexpr int kMostKeptBytes = 4 << 20;

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, kMostKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kMostKeptBytes);
  return migstream::RunMain(std::vector<std::string>(argv + 1, argv + argc));
}
