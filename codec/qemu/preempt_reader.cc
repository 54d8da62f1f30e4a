#include "codec/qemu/preempt_reader.h"

#include <string_view>

#include "codec/wire/printable.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr uint64_t kUsualPageBytes = 4096;

Error Cut(const ByteSource& source, std::string_view what) {
  if (!source.failure().empty()) {
    return {ErrorCode::kReadFailed, source.offset(), "preempt channel",
            source.failure()};
  }
  return {ErrorCode::kTruncated, source.offset(), "preempt channel",
          StrCat("input ends in ", what)};
}

// The name of a block, behind a record's head.
Error ReadBlockName(ByteSource& source, std::string& block) {
  ByteSpan bytes = source.Peek(1);
  if (bytes.empty()) return Cut(source, "the name of a RAM block");
  const size_t length = bytes[0];
  if (length == 0) {
    return {ErrorCode::kBadRam, source.offset(), "preempt channel",
            "a RAM block without a name"};
  }
  bytes = source.Peek(1 + length);
  if (bytes.size() < 1 + length) return Cut(source, "the name of a RAM block");
  block.assign(AsText(bytes.subspan(1, length)));
  source.Consume(1 + length);
  return {};
}

}  // namespace

Error ReadPreemptChannel(
    ByteSource& source, uint64_t page_bytes,
    const std::function<void(const PreemptRecord& record)>& on_record) {
  if (!IsPageSize(page_bytes)) page_bytes = kUsualPageBytes;
  PreemptRecord record;
  while (!record.end) {
    record.offset = source.offset();
    const ByteSpan head = source.Peek(kHeadBytes);
    if (head.empty()) return Cut(source, "postcopy: no EOS ends it");
    if (head.size() < kHeadBytes) return Cut(source, "a RAM record");
    const uint64_t number = LoadBe64(head.data());
    const uint64_t flags = number & (page_bytes - 1);
    record.start = number - flags;
    record.zero = (flags & ~uint64_t{kRamContinue}) == kRamZero;
    record.end = flags == kRamEos;
    const bool page = (flags & ~uint64_t{kRamContinue}) == kRamPage;
    if (!record.zero && !record.end && !page) {
      return {ErrorCode::kBadRam, record.offset, "preempt channel",
              StrCat("unknown RAM flags ", Hex(flags))};
    }
    source.Consume(kHeadBytes);
    if (!record.end && (flags & kRamContinue) == 0) {
      if (Error error = ReadBlockName(source, record.block); !error.ok()) {
        return error;
      }
    } else if (!record.end && record.block.empty()) {
      return {ErrorCode::kBadRam, record.offset, "preempt channel",
              "a page that goes on in the block before, and there is none"};
    }
    const uint64_t content = record.end ? 0 : record.zero ? 1 : page_bytes;
    record.content = source.Peek(content);
    if (record.content.size() < content) return Cut(source, "a page");
    record.content = record.content.first(content);
    on_record(record);
    source.Consume(content);
  }
  return {};
}

}  // namespace migstream
