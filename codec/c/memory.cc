#include "codec/c/memory.h"

namespace migstream::c {

__attribute__((
    tls_model("initial-exec"))) thread_local constinit const MemoryScope*
    MemoryScope::innermost_ = nullptr;
__attribute__((tls_model(
    "initial-exec"))) thread_local constinit bool MemoryScope::failed_ = false;

}  // namespace migstream::c
