// For tests: two migrations, compared, as lines.
//
//   EXPECT_THAT(Diff(ReadStreams("s111-two"), {changed}, true),
//               ElementsAre("0000:00:06.0/vfio: VFIO device: present | "));

#ifndef MIGSTREAM_CODEC_DIFF_DIFF_LINES_H_
#define MIGSTREAM_CODEC_DIFF_DIFF_LINES_H_

#include <memory>
#include <string>
#include <vector>

#include "codec/diff/stream_diff.h"
#include "codec/diff/stream_state.h"
#include "codec/rewrite/rewrite_streams.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {

inline Error Read(const Streams& streams, StreamState& state,
                  StateOptions options = {}) {
  MemorySource main(AsBytes(streams.main));
  std::vector<std::unique_ptr<ByteSource>> sources;
  auto open = [&] {
    std::vector<ChannelReader::Channel> channels;
    for (const std::string& channel : streams.channels) {
      sources.push_back(std::make_unique<MemorySource>(AsBytes(channel)));
      channels.push_back({"channel", sources.back().get()});
    }
    return channels;
  };
  if (options.ram) options.ram_channels = open();
  return state.Read(main, open(), options);
}

// "DEVICE: WHAT: A | B". What A has is read again where it stands, what B has
// is kept.
inline std::vector<std::string> Diff(const Streams& a, const Streams& b,
                                     bool ignore_cuts,
                                     const StateOptions& options = {},
                                     int threads = 1) {
  StreamState state_a, state_b;
  StateOptions options_a = options;
  options_a.open_again = [&a] {
    return std::make_unique<MemorySource>(AsBytes(a.main));
  };
  Read(a, state_a, options_a);
  Read(b, state_b, options);
  std::vector<Difference> differences;
  Error error = CompareStreams(state_a, state_b,
                               {.ignore_cuts = ignore_cuts, .threads = threads},
                               differences);
  EXPECT_TRUE(error.ok()) << ToString(error);
  std::vector<std::string> lines;
  for (const Difference& d : differences) {
    lines.push_back(StrCat(d.device, ": ", d.what, ": ", d.a, " | ", d.b));
  }
  return lines;
}

// On one channel.
inline Streams Reshaped(const Streams& from, const RewriteOptions& options) {
  RewrittenStreams result = RewriteStreams(from, 0, options);
  EXPECT_TRUE(result.error.ok()) << ToString(result.error);
  return result.streams;
}

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_DIFF_DIFF_LINES_H_
