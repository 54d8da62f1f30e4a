// What two streams differ in, a line each, and how such lines are kept few.
//
//   Differences out(10, list);
//   out.SetDevice("0000:00:05.0/vfio");
//   out.Compare("payload bytes", a.bytes, b.bytes);
//   DifferenceKind registers(out, "registers");   // One line may stand for
//   for (…) registers.Add(name, value_a, value_b);  // many: see the end.

#ifndef MIGSTREAM_CODEC_DIFF_DIFFERENCE_H_
#define MIGSTREAM_CODEC_DIFF_DIFFERENCE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/wire/text.h"

namespace migstream {

struct Difference {
  std::string device;  // Printable; "stream" for what belongs to none.
  std::string what;    // "config 0x4 command", "payload 0x100-0x1ff".
  std::string a;       // Its value in each; empty where it is not.
  std::string b;
};

class Differences {
 public:
  // `list` must outlive it, and gets what is added.
  Differences(size_t max_of_a_kind, std::vector<Difference>& list)
      : max_of_a_kind_(max_of_a_kind), list_(list) {}

  // Whose differences follow.
  void SetDevice(std::string device) { device_ = std::move(device); }

  void Add(std::string what, std::string a, std::string b) {
    list_.push_back({device_, std::move(what), std::move(a), std::move(b)});
  }
  void Compare(std::string what, const std::string& a, const std::string& b) {
    if (a != b) Add(std::move(what), a, b);
  }
  void Compare(std::string what, uint64_t a, uint64_t b) {
    if (a != b) Add(std::move(what), StrCat(a), StrCat(b));
  }

  size_t max_of_a_kind() const { return max_of_a_kind_; }
  size_t size() const { return list_.size(); }

 private:
  const size_t max_of_a_kind_;
  std::vector<Difference>& list_;
  std::string device_;
};

// Differences of one kind, of which only the first are listed; the others are
// one line, with their number, when it goes.
class DifferenceKind {
 public:
  // `out` must outlive it. `kind` is a plural: "registers".
  DifferenceKind(Differences& out, std::string_view kind)
      : out_(out), kind_(kind) {}
  DifferenceKind(const DifferenceKind&) = delete;
  ~DifferenceKind() {
    if (count_ <= out_.max_of_a_kind()) return;
    out_.Add(StrCat(count_ - out_.max_of_a_kind(), " more ", kind_), "…", "…");
  }

  void Add(std::string what, std::string a, std::string b) {
    if (IsListed()) out_.Add(std::move(what), std::move(a), std::move(b));
  }
  // Counts one; whether it is to be listed, by the caller.
  bool IsListed() { return ++count_ <= out_.max_of_a_kind(); }

 private:
  Differences& out_;
  const std::string kind_;
  size_t count_ = 0;
};

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_DIFFERENCE_H_
