// The program `migstream`: what is in a QEMU migration stream, and what is
// wrong with it.

#include <string>
#include <vector>

#include "inspect/command_line.h"

int main(int argc, char** argv) {
  return migstream::RunMain(std::vector<std::string>(argv + 1, argv + argc));
}
