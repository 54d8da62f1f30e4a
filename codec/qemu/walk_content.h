// For tests: walks the content of sections in many ways, which must all give
// the same.

#ifndef MIGSTREAM_CODEC_QEMU_WALK_CONTENT_H_
#define MIGSTREAM_CODEC_QEMU_WALK_CONTENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "codec/qemu/puller.h"
#include "codec/qemu/stream_recording.h"
#include "gtest/gtest.h"

namespace migstream {

struct Walked {
  Error error;
  uint64_t end = 0;     // Offset after the walk.
  std::string content;  // What the visitor was given.
};

// Pulls the content of sections out of a source, as StreamReader does.
class ContentPull {
 public:
  ContentPull(ByteSource& source, StreamVisitor& visitor)
      : source_(source), visitor_(visitor) {
    walk_.offset = source.offset();
  }

  // `next` is one step of a decoder of content.
  template <typename Next>
  void Run(Next next) {
    if (!error_.ok()) return;
    error_ = PullContent(source_, walk_, next, [this](StreamEvent& event) {
      for (Finding& finding : std::exchange(walk_.findings, {})) {
        visitor_.OnFinding(finding);
      }
      if (visitor_.wants_content()) visitor_.OnContent(event.content);
      if (event.kind == StreamEvent::kRamRecord) {
        visitor_.OnRamRecord(event.ram);
      }
      return !visitor_.wants_content();
    });
  }

  Error error() const {
    Error error = error_;
    if (!error.ok()) error.section = "section";
    return error;
  }

 private:
  ByteSource& source_;
  StreamVisitor& visitor_;
  ContentWalk walk_;
  Error error_;
};

using Walk = std::function<void(ContentPull& content)>;

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
  ContentPull content(source, visitor);
  walk(content);
  return {content.error(), source.offset(), visitor.content};
}

// `walk` starts afresh with each call. The visitor gets what it walks over byte
// for byte.
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
