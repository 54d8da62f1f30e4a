// Prints codec/FINDINGS.md:
//
//   bazel run //codec/report:findings_doc > codec/FINDINGS.md

#include "codec/report/findings_doc.h"

#include <cstdio>

int main() {
  return std::fputs(migstream::FindingsDoc().c_str(), stdout) < 0 ? 1 : 0;
}
