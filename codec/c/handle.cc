#include "codec/c/handle.h"

#include "codec/version.h"

namespace migstream::c {

Handle* Handle::From(void* handle) {
  Handle* any = static_cast<Handle*>(handle);
  return any != nullptr && (any->kind_ & kKindMask) == kKinds ? any : nullptr;
}

migstream_status Handle::Fail(const Error& error) {
  error_ = error;
  error_line_ = ToString(error_);
  return MIGSTREAM_ERROR;
}

migstream_status Handle::Fail(Step step, const Error& error) {
  return step == Step::kError ? Fail(error) : StatusOf(step);
}

const migstream_error& Handle::last_error() {
  c_error_ = {.struct_size = sizeof c_error_,
              .code = static_cast<int32_t>(error_.code),
              .offset = error_.offset,
              .section = error_.section.c_str(),
              .reason = error_.reason.c_str(),
              .file = error_.file.c_str(),
              .text = error_line_.c_str()};
  return c_error_;
}

migstream_status Handle::GetPosition(const migstream_position**) {
  return MIGSTREAM_BAD_ARGUMENT;
}
migstream_status Handle::AtEndOfInput(ByteSpan) {
  return MIGSTREAM_BAD_ARGUMENT;
}
migstream_status Handle::GetPieces(std::span<const iovec>*) {
  return MIGSTREAM_BAD_ARGUMENT;
}
migstream_status Handle::ClearPieces() { return MIGSTREAM_BAD_ARGUMENT; }

void Handle::Unref() {
  if (--refs_ != 0) return;
  const Memory memory = this->memory();
  const size_t bytes = bytes_;
  void* block = reinterpret_cast<char*>(this) - kMemoryBytes;
  {
    MemoryScope scope(this->memory());
    this->~Handle();
  }
  memory.release(memory.context, block, bytes, kMemoryBytes);
}

migstream_status Handle::Destroy() {
  if (in_call()) return MIGSTREAM_REENTERED;
  if (destroyed_) return MIGSTREAM_BAD_ARGUMENT;
  destroyed_ = true;
  Unref();
  return MIGSTREAM_OK;
}

migstream_status RunCallOf(Handle& handle,
                           migstream_status (*run)(void* context),
                           void* context) {
  return RunCall(handle, [&] { return run(context); });
}

namespace {

migstream_status MemoryOf(const migstream_allocator* allocator,
                          Memory* memory) {
  migstream_allocator given;
  migstream_status status = ReadOptions(allocator, &given);
  if (status != MIGSTREAM_OK) return status;
  if ((given.allocate == nullptr) != (given.release == nullptr)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  *memory = given.allocate == nullptr
                ? Memory::Default()
                : Memory{given.context, given.allocate, given.release};
  return MIGSTREAM_OK;
}

}  // namespace

migstream_status MakeIn(const migstream_allocator* allocator, size_t bytes,
                        void (*make)(void* context, void* place),
                        void* context) {
  Memory memory;
  migstream_status status = MemoryOf(allocator, &memory);
  if (status != MIGSTREAM_OK) return status;
  void* block = memory.allocate(memory.context, bytes, Handle::kMemoryBytes);
  if (block == nullptr) return MIGSTREAM_NO_MEMORY;
  MemoryScope scope(*new (block) Memory(memory));
  try {
    make(context, static_cast<char*>(block) + Handle::kMemoryBytes);
    return MIGSTREAM_OK;
  } catch (...) {  // std::bad_alloc, and nothing else.
    memory.release(memory.context, block, bytes, Handle::kMemoryBytes);
    return MIGSTREAM_NO_MEMORY;
  }
}

migstream_allocator AllocatorOf(const Handle& handle) {
  const Memory& memory = handle.memory();
  return {sizeof(migstream_allocator), memory.context, memory.allocate,
          memory.release};
}

}  // namespace migstream::c

using migstream::c::Bytes;
using migstream::c::Handle;
using migstream::c::IsBytes;

extern "C" {

const char* migstream_version(void) { return MIGSTREAM_VERSION; }

uint32_t migstream_version_number(void) {
  constexpr uint32_t kNumber = MIGSTREAM_VERSION_MAJOR << 16 |
                               MIGSTREAM_VERSION_MINOR << 8 |
                               MIGSTREAM_VERSION_PATCH;
  static_assert(kNumber == MIGSTREAM_VERSION_NUMBER);
  return kNumber;
}

const char* migstream_status_name(migstream_status status) {
  switch (status) {
    case MIGSTREAM_OK:
      return "OK";
    case MIGSTREAM_EVENT:
      return "EVENT";
    case MIGSTREAM_NEED_INPUT:
      return "NEED_INPUT";
    case MIGSTREAM_DONE:
      return "DONE";
    case MIGSTREAM_FULL:
      return "FULL";
    case MIGSTREAM_ERROR:
      return "ERROR";
    case MIGSTREAM_NO_MEMORY:
      return "NO_MEMORY";
    case MIGSTREAM_BAD_ARGUMENT:
      return "BAD_ARGUMENT";
    case MIGSTREAM_REENTERED:
      return "REENTERED";
    case MIGSTREAM_NOT_SUPPORTED:
      return "NOT_SUPPORTED";
    default:
      return "unknown";
  }
}

migstream_status migstream_last_error(const void* handle,
                                      const migstream_error** error) {
  Handle* any = Handle::From(const_cast<void*>(handle));
  if (any == nullptr || error == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *error = &any->last_error();
  return MIGSTREAM_OK;
}

migstream_status migstream_destroy(void* handle) {
  if (handle == nullptr) return MIGSTREAM_OK;
  Handle* any = Handle::From(handle);
  return any == nullptr ? MIGSTREAM_BAD_ARGUMENT : any->Destroy();
}

migstream_status migstream_get_position(const void* decoder,
                                        const migstream_position** position) {
  Handle* any = Handle::From(const_cast<void*>(decoder));
  if (any == nullptr || position == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  return any->GetPosition(position);
}

migstream_status migstream_at_end_of_input(void* decoder, const iovec* left) {
  if (left != nullptr && !IsBytes(left->iov_base, left->iov_len)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  return Call(Handle::From(decoder), [&] {
    return Handle::From(decoder)->AtEndOfInput(
        left == nullptr ? migstream::ByteSpan() : Bytes(*left));
  });
}

migstream_status migstream_get_pieces(const void* encoder, const iovec** pieces,
                                      int* count) {
  Handle* any = Handle::From(const_cast<void*>(encoder));
  if (any == nullptr || pieces == nullptr || count == nullptr) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  std::span<const iovec> all;
  migstream_status status = any->GetPieces(&all);
  if (status != MIGSTREAM_OK) return status;
  *pieces = all.data();
  *count = static_cast<int>(all.size());
  return MIGSTREAM_OK;
}

migstream_status migstream_clear_pieces(void* encoder) {
  Handle* any = Handle::From(encoder);
  return any == nullptr ? MIGSTREAM_BAD_ARGUMENT : any->ClearPieces();
}

}  // extern "C"
