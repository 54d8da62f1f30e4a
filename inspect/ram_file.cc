#include "inspect/ram_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kPieceBytes = 256 << 10;
constexpr size_t kSmallestHole = 16 << 10;

}  // namespace

RamFile::RamFile(OutputFile& output, std::unique_ptr<ByteSource> again,
                 WriteBehind& behind)
    : output_(output), fd_(output.image()), behind_(behind) {
  if (fd_ < 0) store_.SetStream(std::move(again));
}

void RamFile::Keep(int error) {
  if (error == 0 || !status_.ok()) return;
  status_ = absl::UnavailableError(
      StrCat(output_.name(), ": ", std::strerror(error)));
}

void RamFile::Resize(uint64_t bytes) {
  size_ = bytes;
  if (fd_ >= 0) {
    if (ftruncate(fd_, static_cast<off_t>(bytes)) != 0) Keep(errno);
    return;
  }
  RamBlock block;
  block.used_bytes = bytes;
  kept_ = store_.Add(block);
  if (kept_ != nullptr) kept_->Resize(bytes);
}

void RamFile::Write(uint64_t offset, ByteSpan bytes) {
  if (fd_ < 0) {
    if (kept_ != nullptr) kept_->Write(offset, bytes);
    return;
  }
  if (!status_.ok()) return;
  PunchHole();
  end_ = std::max(end_, offset + bytes.size());
  Keep(behind_.Write(fd_, offset, bytes));
}

void RamFile::WriteFromStream(uint64_t offset, ByteSpan bytes, uint64_t at) {
  if (fd_ >= 0) return Write(offset, bytes);
  if (kept_ != nullptr) kept_->WriteFromStream(offset, bytes, at);
}

// Few zeros between others are written with them: that takes less time than
// another call and a hole.
void RamFile::WritePages(const RamPages& row, std::span<const RamPage> pages) {
  if (fd_ < 0) return RamImage::WritePages(row, pages);
  static constexpr uint8_t kZeros[kSmallestHole] = {};
  const uint64_t page_bytes = row.page_bytes;
  uint64_t offset = 0;  // Of pieces_.
  pieces_.clear();
  for (size_t i = 0; i < pages.size();) {
    size_t next = i;
    while (next < pages.size() && pages[next].bytes == nullptr) ++next;
    const uint64_t zeros = (next - i) * page_bytes;
    if (zeros != 0 && !pieces_.empty() && next < pages.size() &&
        zeros < kSmallestHole) {
      pieces_.push_back({const_cast<uint8_t*>(kZeros), zeros});
    } else if (zeros != 0) {
      WritePieces(offset);
      Zero(pages[i].page_offset, zeros);
    }
    if (next == pages.size()) break;
    if (pieces_.empty()) offset = pages[next].page_offset;
    pieces_.push_back({const_cast<uint8_t*>(pages[next].bytes), page_bytes});
    i = next + 1;
  }
  WritePieces(offset);
}

void RamFile::WritePieces(uint64_t offset) {
  if (pieces_.empty() || !status_.ok()) return;
  PunchHole();
  uint64_t end = offset;
  for (const iovec& piece : pieces_) end += piece.iov_len;
  end_ = std::max(end_, end);
  Keep(behind_.Write(fd_, offset, std::span<const iovec>(pieces_)));
  pieces_.clear();
}

void RamFile::Zero(uint64_t offset, uint64_t bytes) {
  if (fd_ < 0) {
    if (kept_ != nullptr) kept_->Zero(offset, bytes);
    return;
  }
  if (offset >= end_ || !status_.ok()) return;  // It is zero already.
  Keep(behind_.Flush());
  if (offset != hole_end_) {
    PunchHole();
    hole_ = offset;
  }
  hole_end_ = offset + bytes;
}

void RamFile::PunchHole() {
  const uint64_t from = hole_;
  const uint64_t bytes = std::min(std::exchange(hole_end_, 0), end_) - from;
  hole_ = 0;
  if (bytes == 0 ||
      fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(from), static_cast<off_t>(bytes)) == 0) {
    return;
  }
  // No holes on this file system.
  const std::vector<uint8_t> zeros(std::min<uint64_t>(bytes, kPieceBytes));
  for (uint64_t done = 0; done < bytes && status_.ok();) {
    const uint64_t here = std::min<uint64_t>(bytes - done, zeros.size());
    Keep(behind_.Write(fd_, from + done, ByteSpan(zeros.data(), here)));
    done += here;
  }
}

void RamFile::Flush() {
  PunchHole();
  Keep(behind_.Flush());
}

void RamFile::Read(uint64_t offset, std::span<uint8_t> bytes) {
  if (fd_ < 0) {
    if (kept_ != nullptr) kept_->Read(offset, bytes);
    return;
  }
  Flush();
  while (!bytes.empty() && status_.ok()) {
    const ssize_t got =
        pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got > 0) {
      bytes = bytes.subspan(got);
      offset += got;
    } else if (got == 0) {
      Keep(EIO);
    } else if (errno != EINTR) {
      Keep(errno);
    }
  }
}

absl::Status RamFile::Finish() {
  if (fd_ >= 0) {
    Flush();
    return status_;
  }
  std::vector<uint8_t> buffer(kPieceBytes);
  // Whoever read the pipe may be gone.
  for (uint64_t at = 0; at < size_ && kept_ != nullptr && output_.ok();) {
    const uint64_t bytes = kept_->Gather(at, buffer, pieces_);
    if (bytes == 0) break;
    output_.WriteAll(pieces_);
    at += bytes;
  }
  return store_.error().ok() ? absl::OkStatus()
                             : absl::UnavailableError(store_.error().reason);
}

Error TakePreempt(const Inputs& inputs, RamExtractor& extractor) {
  Error first;
  for (const Inputs::Side& side : inputs.sides) {
    if (side.kind != FileKind::kPreempt) continue;
    Error error = extractor.TakePreempt(side.file, *side.source);
    if (first.ok()) first = std::move(error);
  }
  return first;
}

}  // namespace migstream
