// The release of this library and its program: the one place for the number.
// CHANGELOG.md begins with it, and the manual page ends with it; a test holds
// the three together.
//
//   #if MIGSTREAM_VERSION_MAJOR == 0 && MIGSTREAM_VERSION_MINOR < 2

#ifndef MIGSTREAM_CODEC_VERSION_H_
#define MIGSTREAM_CODEC_VERSION_H_

#define MIGSTREAM_VERSION_MAJOR 0
#define MIGSTREAM_VERSION_MINOR 1
#define MIGSTREAM_VERSION_PATCH 0
#define MIGSTREAM_VERSION "0.1.0"

#endif  // MIGSTREAM_CODEC_VERSION_H_
