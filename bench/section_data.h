// An END section of equal records, as bytes. What a benchmark does not touch
// takes no memory, so that sections of large records can have many.

#ifndef MIGSTREAM_BENCH_SECTION_DATA_H_
#define MIGSTREAM_BENCH_SECTION_DATA_H_

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "bench/measure.h"
#include "codec/wire/bytes.h"
#include "flags/dialect.h"
#include "flags/tag.h"

namespace migstream {

inline const Dialect& BenchDialect() { return GetDialect(DialectId::kV111); }

// Zeroed pages.
class Memory {
 public:
  explicit Memory(size_t bytes) : bytes_(bytes) {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    Require(pages != MAP_FAILED, "no memory");
    data_ = static_cast<uint8_t*>(pages);
  }
  ~Memory() { munmap(data_, bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  uint8_t* data() { return data_; }
  size_t size() const { return bytes_; }
  ByteSpan span() const { return ByteSpan(data_, bytes_); }

  // Gives it pages of its own.
  void Touch() { std::memset(data_, 'x', bytes_); }

 private:
  uint8_t* data_;
  size_t bytes_;
};

class SectionData {
 public:
  explicit SectionData(const std::vector<uint64_t>& record_bytes,
                       bool touch = false)
      : memory_(Total(record_bytes)) {
    if (touch) memory_.Touch();
    uint8_t* to = memory_.data();
    for (uint64_t bytes : record_bytes) {
      StoreBe64(to, static_cast<uint64_t>(Tag::kDevDataState));
      StoreBe64(to + kTagBytes, bytes);
      payloads_.emplace_back(to + kRecordHeaderBytes, bytes);
      to += kRecordHeaderBytes + bytes;
    }
    StoreBe64(to, static_cast<uint64_t>(Tag::kEndOfState));
  }

  ByteSpan bytes() const { return memory_.span(); }
  const std::vector<ByteSpan>& payloads() const { return payloads_; }
  uint64_t payload_bytes() const {
    return memory_.size() - payloads_.size() * kRecordHeaderBytes - kTagBytes;
  }

 private:
  static size_t Total(const std::vector<uint64_t>& record_bytes) {
    size_t total = kTagBytes;
    for (uint64_t bytes : record_bytes) total += kRecordHeaderBytes + bytes;
    return total;
  }

  Memory memory_;
  std::vector<ByteSpan> payloads_;
};

// Equal records for a benchmark that touches their payload: as many as make
// 64 MiB, at most 64.
inline std::vector<uint64_t> TouchedRecords(uint64_t record_bytes) {
  record_bytes = Scaled(record_bytes);
  uint64_t count = std::clamp<uint64_t>(Scaled(64 << 20) / record_bytes, 1, 64);
  return std::vector<uint64_t>(count, record_bytes);
}

// The sizes that the tables have.
inline const std::vector<int64_t> kRecordSizes = {64,       1 << 10, 4 << 10,
                                                  64 << 10, 1 << 20, 16 << 20};

}  // namespace migstream

#endif  // MIGSTREAM_BENCH_SECTION_DATA_H_
