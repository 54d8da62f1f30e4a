#include "codec/qemu/content_reader.h"

#include <algorithm>
#include <string_view>

#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kPieceBytes = 1 << 20;

}  // namespace

uint64_t ContentReader::Number(int width) {
  if (!ok()) return 0;
  ByteSpan bytes = source_.Peek(width);
  if (bytes.size() < static_cast<size_t>(width)) {
    Fail(ErrorCode::kTruncated, offset() + bytes.size(),
         "input ends in a number");
    return 0;
  }
  uint64_t value =
      width == 8 ? LoadBe64(bytes.data()) : LoadBe(bytes.data(), width);
  Take(bytes.first(width));
  return value;
}

std::string ContentReader::Str8() {
  size_t length = U8();
  if (!ok()) return "";
  ByteSpan bytes = source_.Peek(length);
  if (bytes.size() < length) {
    Fail(ErrorCode::kTruncated, offset() + bytes.size(),
         "input ends in a name");
    return "";
  }
  std::string text(AsText(bytes.first(length)));
  Take(bytes.first(length));
  return text;
}

bool ContentReader::PeekBe64(uint64_t* value) {
  ByteSpan bytes = source_.Peek(8);
  if (!ok() || bytes.size() < 8) return false;
  *value = LoadBe64(bytes.data());
  return true;
}

void ContentReader::Pass(uint64_t bytes, std::string_view what) {
  if (!ok()) return;
  uint64_t passed = 0;
  if (!wants_content_) {
    passed = source_.Skip(bytes);
  } else {
    while (passed < bytes) {
      // All of it at once where nothing is read ahead, but in bounded pieces.
      ByteSpan here =
          source_.Peek(std::min<uint64_t>(bytes - passed, kPieceBytes));
      if (here.empty()) break;
      size_t size = std::min<uint64_t>(here.size(), bytes - passed);
      Take(here.first(size));
      passed += size;
    }
  }
  if (passed < bytes) {
    Fail(ErrorCode::kTruncated, offset(),
         StrCat("input ends in ", what, " of ", bytes, " bytes, ",
                bytes - passed, " of them missing"));
  }
}

void ContentReader::Take(ByteSpan bytes) {
  if (wants_content_) visitor_.OnContent(bytes);
  source_.Consume(bytes.size());
}

void ContentReader::Fail(ErrorCode code, uint64_t offset, std::string reason) {
  if (!ok()) return;
  error_ = {code, offset, section_, std::move(reason)};
}

}  // namespace migstream
