// The real captures, for tests.

#ifndef MIGSTREAM_TESTDATA_CAPTURES_H_
#define MIGSTREAM_TESTDATA_CAPTURES_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "testdata/manifest.pb.h"

namespace migstream {

// Every capture of the manifest.
const std::vector<testdata::Capture>& AllCaptures();

// Those of further machines and settings, whose files lie in kMoreCaptures,
// with
// ".zst" behind their names. Few tests read them.
const std::vector<testdata::Capture>& MoreCaptures();
inline constexpr char kMoreCaptures[] = "testdata/captures/more/";

// The bytes of a file, out of what compresses them.
std::string ReadDecompressed(const std::string& path);

const testdata::Capture& GetCapture(std::string_view name);

// Where a capture's main channel lies, as compressed as it is in the tree.
std::string CapturePath(const testdata::Capture& capture);

// The main channel's bytes.
std::string ReadCapture(const testdata::Capture& capture);

// The bytes of each multifd channel, in the order of connection.
std::vector<std::string> ReadChannels(const testdata::Capture& capture);

// The captures that have multifd channels.
std::vector<testdata::Capture> CapturesWithChannels();

// Whether the stop-copy data travels on multifd channels.
bool HasDeviceStateChannels(const testdata::Capture& capture);

// In lower-case hexadecimal.
std::string Sha256(std::string_view bytes);

// Names a capture in a parameterized test.
struct CaptureName {
  template <typename Info>
  std::string operator()(const Info& info) const {
    std::string name = info.param.name();
    for (char& c : name) {
      if (c == '-') c = '_';
    }
    return name;
  }
};

namespace testdata {
inline void PrintTo(const Capture& capture, std::ostream* out) {
  *out << capture.name();
}
}  // namespace testdata

}  // namespace migstream

#endif  // MIGSTREAM_TESTDATA_CAPTURES_H_
