// Prints PAYLOADS.md:
//
//   bazel run //codec/payload:print_page > codec/payload/PAYLOADS.md

#include <iostream>

#include "codec/payload/payload_page.h"

int main() { std::cout << migstream::PayloadsPage(); }
