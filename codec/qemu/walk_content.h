// For tests: walks the content of sections in many ways, which must all give
// the same.

#ifndef MIGSTREAM_CODEC_QEMU_WALK_CONTENT_H_
#define MIGSTREAM_CODEC_QEMU_WALK_CONTENT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "codec/qemu/content_reader.h"
#include "codec/qemu/stream_recording.h"
#include "gtest/gtest.h"

namespace migstream {

struct Walked {
  Error error;
  uint64_t end = 0;     // Offset after the walk.
  std::string content;  // What the visitor was given.
};

using Walk = std::function<void(ContentReader& content)>;

class ContentVisitor : public StreamVisitor {
 public:
  explicit ContentVisitor(bool wants_content) : wants_content_(wants_content) {}
  bool wants_content() const override { return wants_content_; }
  void OnContent(ByteSpan bytes) override {
    content.append(AsText(bytes).data(), bytes.size());
  }

  std::string content;

 private:
  const bool wants_content_;
};

inline Walked WalkFrom(ByteSource& source, bool wants_content,
                       const Walk& walk) {
  ContentVisitor visitor(wants_content);
  ContentReader content(source, visitor, "section");
  walk(content);
  return {content.error(), source.offset(), visitor.content};
}

// `walk` starts afresh with each call. What it walks over is told byte for
// byte.
inline Walked WalkAllWays(const std::string& bytes, const Walk& walk) {
  MemorySource memory(AsBytes(bytes));
  Walked whole = WalkFrom(memory, true, walk);
  EXPECT_EQ(whole.content, bytes.substr(0, whole.end));
  MemorySource skipped(AsBytes(bytes));
  Walked unseen = WalkFrom(skipped, false, walk);
  EXPECT_EQ(ToString(unseen.error), ToString(whole.error)) << "skipping";
  EXPECT_EQ(unseen.end, whole.end) << "skipping";
  EXPECT_EQ(unseen.content, "");
  for (size_t longest : {1, 2, 7, 100, 5000}) {
    for (bool wants_content : {true, false}) {
      ShortReadSource pipe(AsBytes(bytes), longest);
      Walked piped = WalkFrom(pipe, wants_content, walk);
      EXPECT_EQ(ToString(piped.error), ToString(whole.error)) << longest;
      EXPECT_EQ(piped.end, whole.end) << longest;
      EXPECT_EQ(piped.content, wants_content ? whole.content : "");
    }
  }
  return whole;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_WALK_CONTENT_H_
