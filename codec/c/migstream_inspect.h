// The C interface of libmigstream-inspect: what a whole migration is, what is
// wrong with it, which QEMU would load it, and what is in it. C11, and C++.
//
//   #include <migstream_inspect.h>
//   // cc tool.c $(pkg-config --cflags --libs migstream-inspect)
//
// It reads files, compressed ones too: gzip, bzip2, xz, zstd, and what virsh
// save wrote. Unlike libmigstream it links Abseil, protobuf and the libraries
// of those compressions, and its memory comes from malloc(). The rest is as in
// migstream.h: statuses, options that begin with their size, const pointers
// that are good until the next call with the handle, one thread at a time.

#ifndef MIGSTREAM_C_MIGSTREAM_INSPECT_H_
#define MIGSTREAM_C_MIGSTREAM_INSPECT_H_

#include "migstream.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---------------------------------------------------------------------------
// A migration, walked

struct migstream_walk_options {
  size_t struct_size;
  int32_t dialect;      // MIGSTREAM_DIALECT_...
  int32_t records;      // 1: the report lists each device's elements.
  uint64_t offset;      // Bytes of something else before the stream.
  uint64_t page_bytes;  // Of the target; 0: as the stream says.
  // The files of the multifd channels, in any order; each ends with NUL.
  const char* const* channels;
  size_t channel_count;
};

typedef struct migstream_walk migstream_walk;

// Opens a migration by the file of its main channel, which is read anew for
// each thing that is asked, so that it can be no pipe. ERROR, with `*walk` null
// and errno, 0 if the system said nothing: it cannot be read.
//
//   migstream_walk* walk;
//   if (migstream_walk_open(path, NULL, &walk) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status
migstream_walk_open(const char* path, const struct migstream_walk_options*,
                    migstream_walk** walk);

// Gives it back. Null is fine.
//
//   migstream_walk_close(walk);
MIGSTREAM_API migstream_status migstream_walk_close(migstream_walk* walk);

// The release of this library, as text; never null.
//
//   puts(migstream_inspect_version());
MIGSTREAM_API const char* migstream_inspect_version(void);

// As migstream_last_error().
//
//   const struct migstream_error* error;
//   migstream_walk_last_error(walk, &error);
MIGSTREAM_API migstream_status migstream_walk_last_error(
    const migstream_walk* walk, const struct migstream_error** error);

// What the stream is, as JSON in the shape of report.proto, as
// migstream inspect --format=json prints it: numbers of 64 bits are numbers,
// and what is zero is written. It ends with NUL. OK even where the stream is
// damaged: then a finding says so, and migstream_walk_last_error(). ERROR, with
// null: it is not a stream.
//
//   const char* report;
//   if (migstream_walk_report(walk, &report) == MIGSTREAM_OK) puts(report);
MIGSTREAM_API migstream_status migstream_walk_report(migstream_walk* walk,
                                                     const char** report);

// The state of all devices, as JSON in the shape that QEMU's own script
// analyze-migration.py prints; as migstream_walk_report().
//
//   const char* state;
//   if (migstream_walk_state(walk, &state) == MIGSTREAM_OK) puts(state);
MIGSTREAM_API migstream_status migstream_walk_state(migstream_walk* walk,
                                                    const char** state);

enum {
  MIGSTREAM_SEVERITY_NOTE = 0,     // Nothing is wrong.
  MIGSTREAM_SEVERITY_WARNING = 1,  // It loads; data may be lost.
  MIGSTREAM_SEVERITY_ERROR = 2     // A loader refuses it, or it is cut off.
};

// Something that is worth knowing: FINDINGS.md. Texts end with NUL.
struct migstream_finding {
  size_t struct_size;
  int32_t severity;  // MIGSTREAM_SEVERITY_...
  const char* id;    // Stable: "truncated".
  uint64_t offset;
  const char* section;
  const char* message;
  const char* file;    // A channel's name; empty: the main channel.
  const char* kernel;  // What the destination's kernel does; may be empty.
};

// The finding of number `index`, from 0; DONE behind the last.
//
//   const struct migstream_finding* finding;
//   for (size_t i = 0; migstream_walk_check(walk, i, &finding) == MIGSTREAM_OK;
//        ++i)
//     printf("%s: %s\n", finding->id, finding->message);
MIGSTREAM_API migstream_status
migstream_walk_check(migstream_walk* walk, size_t index,
                     const struct migstream_finding** finding);

enum {
  MIGSTREAM_VERDICT_LOADS = 0,
  MIGSTREAM_VERDICT_REFUSES = 1,
  MIGSTREAM_VERDICT_WAITS = 2  // For ever, and with no message.
};

// What a release's loader says: LOADERS.md. Texts end with NUL.
struct migstream_verdict {
  size_t struct_size;
  int32_t verdict;  // MIGSTREAM_VERDICT_...
  uint64_t offset;  // Of what is refused, or waited for.
  const char* section;
  const char* message;  // The loader's words.
};

// Whether the QEMU of that release would load it; BAD_ARGUMENT for a release
// that is not known.
//
//   const struct migstream_verdict* verdict;
//   migstream_walk_verdict(walk, "qemu-11.1", &verdict);
MIGSTREAM_API migstream_status
migstream_walk_verdict(migstream_walk* walk, const char* release,
                       const struct migstream_verdict** verdict);

enum {
  MIGSTREAM_EXTRACT_PAYLOAD = 0,  // What the device's driver gave.
  MIGSTREAM_EXTRACT_CONFIG = 1    // Its PCI configuration space.
};

// Takes one device's bytes out; null: the only one that there is. OK, with
// `*bytes`; ERROR: it is not all there, or there is no such device.
//
//   const void* state;
//   size_t state_bytes;
//   migstream_walk_extract(walk, NULL, MIGSTREAM_EXTRACT_PAYLOAD, &state,
//                          &state_bytes);
MIGSTREAM_API migstream_status migstream_walk_extract(migstream_walk* walk,
                                                      const char* device,
                                                      int32_t what,
                                                      const void** bytes,
                                                      size_t* byte_count);

// A section as migstream_walk_section() gives it; `section` as in migstream.h.
struct migstream_walked_section {
  size_t struct_size;
  const struct migstream_section* section;
  uint64_t content_bytes;
  int32_t footer;
};

// The section of number `index`, from 0, of the main channel; DONE behind the
// last, or where the stream is damaged; ERROR: it is not a stream. The first
// 65536 are kept.
//
//   const struct migstream_walked_section* section;
//   for (size_t i = 0;
//        migstream_walk_section(walk, i, &section) == MIGSTREAM_OK; ++i)
//     printf("%u\n", section->section->id);
MIGSTREAM_API migstream_status
migstream_walk_section(migstream_walk* walk, size_t index,
                       const struct migstream_walked_section** section);

#ifdef __cplusplus
}
#endif

#endif  // MIGSTREAM_C_MIGSTREAM_INSPECT_H_
