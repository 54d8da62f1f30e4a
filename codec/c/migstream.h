// The C interface of libmigstream: encodes and decodes what QEMU writes when it
// migrates VFIO devices, without I/O and without threads. C11, and C++.
//
//   #include <migstream.h>
//   // cc vmm.c $(pkg-config --cflags --libs migstream)
//
// What the bytes mean is in FORMAT.md, whose sections are named here.
//
// Handles. An object is an opaque handle, made by a _create() function and
// given back by migstream_destroy(), in any order: what another handle still
// uses lives on until that one is destroyed. Null where a handle belongs, or a
// handle of another kind, is MIGSTREAM_BAD_ARGUMENT and does nothing.
//
// Statuses. Every function that can fail returns a migstream_status, and
// migstream_last_error() tells more of MIGSTREAM_ERROR. That is final for a
// decoder, an encoder and a session, which give it again for each further call,
// where a function does not say otherwise.
//
// Options. A struct that the caller fills in begins with its size; zero in any
// other member is the default, and null for the whole struct is all defaults:
//
//   struct migstream_section_options options = {.struct_size = sizeof options};
//
// What the library fills in is its own: a const pointer, good until the next
// call with the same handle. Such a struct begins with its size as well and
// grows at its end only. Numbers that stand for something have fixed values,
// and may get new ones: handle those that you do not know.
//
// Memory. All of it comes from the allocator that the handle was made with, but
// for two things, and those only when an allocation has failed: the C++ runtime
// takes a few bytes for its exception by malloc(), or from a reserve of its
// own; and migstream_models_parse() ends its work with memory of malloc(),
// which it gives back. No exception leaves the library; the call gives
// MIGSTREAM_NO_MEMORY, which is final, and the handle can still be destroyed.
//
// Threads. A handle is used by one thread at a time; two handles share nothing
// unless one was given to the other. The library has no state of its own
// between two calls: no globals, no threads, no signals, no output; it does not
// exit. Callbacks run in the thread of the caller, and may call anything but
// the handle that calls them: that is MIGSTREAM_REENTERED. No exception, panic
// or longjmp() may leave a callback.
//
// Hosts are 64-bit and little-endian.

#ifndef MIGSTREAM_C_MIGSTREAM_H_
#define MIGSTREAM_C_MIGSTREAM_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIGSTREAM_API __attribute__((visibility("default")))

// ---------------------------------------------------------------------------
// Version

// This header's release: 0x010203 is 1.2.3.
#define MIGSTREAM_VERSION_NUMBER 0x000100

// The release of the library that is linked, as text; never null.
//
//   printf("libmigstream %s\n", migstream_version());
MIGSTREAM_API const char* migstream_version(void);

// The same as a number, to be compared with MIGSTREAM_VERSION_NUMBER.
//
//   if (migstream_version_number() < 0x000100) return 1;
MIGSTREAM_API uint32_t migstream_version_number(void);

// ---------------------------------------------------------------------------
// Status

typedef int32_t migstream_status;
enum {
  // It was done.
  MIGSTREAM_OK = 0,
  // A decoder found something, and took its bytes from the input.
  MIGSTREAM_EVENT = 1,
  // What is left of the input has to come again, with more behind it.
  MIGSTREAM_NEED_INPUT = 2,
  // It has ended; the input begins with what follows.
  MIGSTREAM_DONE = 3,
  // An encoder's buffers have no room for it, and nothing changed: write the
  // pieces, clear, and call again.
  MIGSTREAM_FULL = 4,

  // See migstream_last_error().
  MIGSTREAM_ERROR = -1,
  // The allocator gave null. Final.
  MIGSTREAM_NO_MEMORY = -2,
  // Null, a handle of another kind, a number that is not one of those named
  // here, or a struct_size that no struct has. Nothing changed.
  MIGSTREAM_BAD_ARGUMENT = -3,
  // The handle is in use, further up in this very call. Nothing changed.
  MIGSTREAM_REENTERED = -4,
  // An option that this release of the library does not have. Nothing changed.
  MIGSTREAM_NOT_SUPPORTED = -5
};

// The name of a status, "NEED_INPUT"; "unknown" for any other number.
//
//   puts(migstream_status_name(MIGSTREAM_NEED_INPUT));
MIGSTREAM_API const char* migstream_status_name(migstream_status status);

// What is wrong, and at which byte. Texts end with NUL and are never null.
struct migstream_error {
  size_t struct_size;
  int32_t code;     // In ranges by class, FORMAT.md section 15; 0: no error.
  uint64_t offset;  // From the stream's first byte, if `section` is not empty.
  const char* section;  // "0000:00:05.0/vfio END".
  const char* reason;   // What was there, and what was expected.
  const char* file;     // A channel's name; empty: the main channel.
  const char* text;     // All of it in one line.
};

// The error of the last call with `handle`, of any kind, that gave
// MIGSTREAM_ERROR. `*error` is good until the next call with the handle.
//
//   const struct migstream_error* error;
//   if (migstream_last_error(decoder, &error) == MIGSTREAM_OK)
//     fprintf(stderr, "%s\n", error->text);
MIGSTREAM_API migstream_status
migstream_last_error(const void* handle, const struct migstream_error** error);

// ---------------------------------------------------------------------------
// Memory, and the end of a handle

// Where memory comes from. `allocate` gives `bytes` bytes at a multiple of
// `alignment`, or null; `release` gets the same two numbers again. Both are
// called in the threads that call the library.
struct migstream_allocator {
  size_t struct_size;
  void* context;
  void* (*allocate)(void* context, size_t bytes, size_t alignment);
  void (*release)(void* context, void* memory, size_t bytes, size_t alignment);
};

// Gives back a handle of any kind, and all its memory once no other handle uses
// it. Null is fine, and does nothing.
//
//   migstream_destroy(decoder);
MIGSTREAM_API migstream_status migstream_destroy(void* handle);

// ---------------------------------------------------------------------------
// What both directions share

// Which releases of QEMU write a stream: FORMAT.md section 10. The later ones
// are proposals that were never released.
enum {
  // What any release may write: for a decoder that does not know which, and
  // for an encoder of its events.
  MIGSTREAM_DIALECT_AUTO = 0,
  MIGSTREAM_DIALECT_V52 = 1,
  MIGSTREAM_DIALECT_V60 = 2,
  MIGSTREAM_DIALECT_V80 = 3,
  MIGSTREAM_DIALECT_V81 = 4,
  MIGSTREAM_DIALECT_V100 = 5,
  MIGSTREAM_DIALECT_V100M = 6,
  MIGSTREAM_DIALECT_V101M = 7,
  MIGSTREAM_DIALECT_V111 = 8,
  MIGSTREAM_DIALECT_V111M = 9,
  MIGSTREAM_DIALECT_E1 = 1001,
  MIGSTREAM_DIALECT_E2 = 1002,
  MIGSTREAM_DIALECT_E3 = 1003,
  MIGSTREAM_DIALECT_E4 = 1004,
  MIGSTREAM_DIALECT_E5_V7 = 1005,
  MIGSTREAM_DIALECT_E5_V26 = 1006,
  MIGSTREAM_DIALECT_E6 = 1007,
  MIGSTREAM_DIALECT_E7 = 1008
};

// The name of a dialect, "V111"; null for a number that is not one.
//
//   puts(migstream_dialect_name(MIGSTREAM_DIALECT_V111));
MIGSTREAM_API const char* migstream_dialect_name(int32_t dialect);

// The dialect of that name, without regard to case.
//
//   int32_t dialect;
//   if (migstream_find_dialect("v111", &dialect) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status migstream_find_dialect(const char* name,
                                                      int32_t* dialect);

// Section types: FORMAT.md section 2. The numbers are those of the wire.
enum {
  MIGSTREAM_SECTION_START = 1,
  MIGSTREAM_SECTION_PART = 2,
  MIGSTREAM_SECTION_END = 3,
  MIGSTREAM_SECTION_FULL = 4
};

// What a VFIO device's section is made of: FORMAT.md section 9.
enum {
  MIGSTREAM_ELEMENT_NONE = 0,
  MIGSTREAM_ELEMENT_SETUP = 1,
  MIGSTREAM_ELEMENT_CONFIG = 2,
  MIGSTREAM_ELEMENT_TRIGGER = 3,
  MIGSTREAM_ELEMENT_DATA_STATE_COMPLETE = 4,
  MIGSTREAM_ELEMENT_DATA = 5,
  MIGSTREAM_ELEMENT_END_OF_STATE = 6,
  MIGSTREAM_ELEMENT_INIT_DATA_SENT = 7,
  MIGSTREAM_ELEMENT_CONFIG_LOAD_READY = 8
};

// The kinds of a device's events.
enum {
  // `element`, which is its tag alone.
  MIGSTREAM_EVENT_TAG = 0,
  // A DATA record or a piece of one, `payload`, which begins `record_offset`
  // bytes into a record of `record_bytes`. The first piece may be empty.
  MIGSTREAM_EVENT_DATA = 1,
  // CONFIG and its payload up to the subsections: `config`.
  MIGSTREAM_EVENT_CONFIG = 2,
  // A subsection of the config: `name`, `version` and `payload`.
  MIGSTREAM_EVENT_SUBSECTION = 3,
  // The END_OF_STATE that closes the config.
  MIGSTREAM_EVENT_CONFIG_END = 4
};

// A subsection of a config payload: FORMAT.md section 11.
struct migstream_subsection {
  const char* name;  // Without a NUL.
  size_t name_bytes;
  const uint8_t* payload;
  size_t payload_bytes;
  uint32_t version;
  uint32_t reserved;  // 0.
};

// A config payload's parts: FORMAT.md section 11.
struct migstream_config {
  size_t struct_size;
  uint32_t version;  // 0 stands for 2 where the caller fills this in.
  const uint8_t* pci_config;
  size_t pci_config_bytes;    // 256 or 4096.
  uint32_t irq_state[4];      // INTA to INTD, each 0 or 1.
  const uint8_t* msix_table;  // 16 bytes a vector, little-endian.
  size_t msix_table_bytes;
  const uint8_t* msix_pba;  // A bit a vector, in whole bytes.
  size_t msix_pba_bytes;
  // With sessions only; else they have events and calls of their own.
  const struct migstream_subsection* subsections;
  size_t subsection_count;
};

// A device's event. Bytes and names are views into the input.
struct migstream_event {
  size_t struct_size;
  int32_t kind;     // MIGSTREAM_EVENT_...
  int32_t element;  // MIGSTREAM_ELEMENT_...
  uint64_t offset;  // Of its first byte, from the stream's start.
  const uint8_t* payload;
  size_t payload_bytes;
  uint64_t record_bytes;
  uint64_t record_offset;
  int32_t starts_record;  // 1: the event comes with the record's header.
  uint32_t version;
  const char* name;  // Without a NUL.
  size_t name_bytes;
  const struct migstream_config* config;  // Null but for CONFIG.
  const void* internal;                   // For _append().
};

// What the caller knows beforehand of a config payload. A live destination
// should say all: else its decoder may wait for bytes that come after the
// section.
struct migstream_config_hints {
  size_t struct_size;
  uint64_t content_bytes;     // Of the whole FULL section; 0: unknown.
  uint32_t pci_config_bytes;  // 256 or 4096; 0: unknown.
  int32_t has_msix_vectors;   // 1: msix_vectors is known.
  uint32_t msix_vectors;      // 0: the device has no MSI-X.
  int32_t has_footer;         // 1: a footer of footer_section_id must follow.
  uint32_t footer_section_id;
};

// Where a decoder is.
struct migstream_position {
  size_t struct_size;
  uint64_t offset;        // Of the next byte.
  uint64_t payload_left;  // Of the record that is under way.
  size_t bytes_needed;    // After NEED_INPUT: the least that leads on.
};

// Asked of any decoder. `*position` is good until the next call with it.
//
//   const struct migstream_position* position;
//   migstream_get_position(decoder, &position);
MIGSTREAM_API migstream_status migstream_get_position(
    const void* decoder, const struct migstream_position** position);

// The input of any decoder, or of a session that loads, has ended, and `left`
// was not taken of it. MIGSTREAM_OK if it may end there; MIGSTREAM_ERROR, with
// code 100, if something is cut off; MIGSTREAM_EVENT if _next() has more to
// give, to which `left` has to be given again, at the same address.
//
//   if (migstream_at_end_of_input(decoder, &input) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status
migstream_at_end_of_input(void* decoder, const struct iovec* left);

// What any encoder has to write, in order, as writev(2) takes it. The pieces
// point into the encoder and into the payloads that it was given, which must
// live until they are written.
//
//   const struct iovec* pieces;
//   int count;
//   migstream_get_pieces(encoder, &pieces, &count);
//   if (writev(fd, pieces, count) < 0) return 1;
MIGSTREAM_API migstream_status migstream_get_pieces(const void* encoder,
                                                    const struct iovec** pieces,
                                                    int* count);

// They are written: forgets an encoder's pieces, and has room again.
//
//   migstream_clear_pieces(encoder);
MIGSTREAM_API migstream_status migstream_clear_pieces(void* encoder);

// ---------------------------------------------------------------------------
// One section of a VFIO device, between its header and its footer: FORMAT.md
// section 9. Neither side allocates after _create().

struct migstream_section_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
  int32_t type;        // MIGSTREAM_SECTION_...; must be given.
  int32_t dialect;     // MIGSTREAM_DIALECT_...
  const char* device;  // Its name in errors; null: "vfio". Copied.
  // Decoding:
  uint64_t offset;  // Of the content in the stream.
  const struct migstream_config_hints* config;
  // 1: INIT_DATA_SENT is an error, as for QEMU without switchover-ack.
  int32_t switchover_ack_off;
  uint32_t max_subsections;   // Of a config; 16.
  uint64_t max_record_bytes;  // 1 TiB.
  uint64_t max_config_bytes;  // 64 KiB.
};

typedef struct migstream_section_decoder migstream_section_decoder;
typedef struct migstream_section_encoder migstream_section_encoder;

// A decoder of one section.
//
//   struct migstream_section_options options = {.struct_size = sizeof options};
//   options.type = MIGSTREAM_SECTION_PART;
//   migstream_section_decoder* decoder;
//   migstream_status status =
//       migstream_section_decoder_create(&options, &decoder);
MIGSTREAM_API migstream_status
migstream_section_decoder_create(const struct migstream_section_options*,
                                 migstream_section_decoder** decoder);

// The same decoder for another section. Its allocator stays.
//
//   options.offset = position->offset;
//   migstream_section_decoder_restart(decoder, &options);
MIGSTREAM_API migstream_status migstream_section_decoder_restart(
    migstream_section_decoder*, const struct migstream_section_options*);

// Takes from the front of `*input`. EVENT, with `*event`; NEED_INPUT: what is
// left has to come again with more behind it; DONE: `*input` begins with what
// follows the section. Payload comes as it is there, in views of the input.
//
//   struct iovec input = {bytes, size};
//   const struct migstream_event* event;
//   while (migstream_section_decoder_next(decoder, &input, &event) ==
//          MIGSTREAM_EVENT)
//     if (event->kind == MIGSTREAM_EVENT_DATA)
//       load(device, event->payload, event->payload_bytes);
MIGSTREAM_API migstream_status
migstream_section_decoder_next(migstream_section_decoder*, struct iovec* input,
                               const struct migstream_event** event);

// The caller moved so many bytes of the record's payload itself; they will not
// be in any input.
//
//   migstream_section_decoder_take_over(decoder, position->payload_left);
MIGSTREAM_API migstream_status
migstream_section_decoder_take_over(migstream_section_decoder*, uint64_t bytes);

// An encoder of one section.
//
//   struct migstream_section_options options = {.struct_size = sizeof options};
//   options.type = MIGSTREAM_SECTION_END;
//   options.dialect = MIGSTREAM_DIALECT_V111;
//   migstream_section_encoder* encoder;
//   migstream_section_encoder_create(&options, &encoder);
MIGSTREAM_API migstream_status
migstream_section_encoder_create(const struct migstream_section_options*,
                                 migstream_section_encoder** encoder);

// The same encoder for another section, whose bytes follow those that are not
// cleared yet. Its allocator stays.
//
//   migstream_section_encoder_restart(encoder, &options);
MIGSTREAM_API migstream_status migstream_section_encoder_restart(
    migstream_section_encoder*, const struct migstream_section_options*);

// An element that is its tag alone. END_OF_STATE closes a section.
//
//   migstream_section_encoder_tag(encoder, MIGSTREAM_ELEMENT_END_OF_STATE);
MIGSTREAM_API migstream_status
migstream_section_encoder_tag(migstream_section_encoder*, int32_t element);

// A whole DATA record, by reference.
//
//   migstream_section_encoder_data(encoder, bytes, size);
MIGSTREAM_API migstream_status migstream_section_encoder_data(
    migstream_section_encoder*, const void* payload, size_t bytes);

// The header of a DATA record, whose payload follows by
// migstream_section_encoder_payload() or _take_over().
//
//   migstream_section_encoder_data_header(encoder, size);
MIGSTREAM_API migstream_status migstream_section_encoder_data_header(
    migstream_section_encoder*, uint64_t record_bytes);

// A piece of that record.
//
//   migstream_section_encoder_payload(encoder, bytes, size);
MIGSTREAM_API migstream_status migstream_section_encoder_payload(
    migstream_section_encoder*, const void* payload, size_t bytes);

// The caller writes so many bytes of that record itself, behind the pieces.
//
//   migstream_section_encoder_take_over(encoder, size);
MIGSTREAM_API migstream_status
migstream_section_encoder_take_over(migstream_section_encoder*, uint64_t bytes);

// CONFIG and its payload, by reference; then any subsections, then
// migstream_section_encoder_end_config().
//
//   struct migstream_config config = {.struct_size = sizeof config};
//   config.pci_config = pci_config;
//   config.pci_config_bytes = 256;
//   migstream_section_encoder_config(encoder, &config);
//   migstream_section_encoder_end_config(encoder);
MIGSTREAM_API migstream_status migstream_section_encoder_config(
    migstream_section_encoder*, const struct migstream_config* config);

// A subsection of the config, by reference. `name` ends with NUL and has 255
// bytes at the most.
//
//   migstream_section_encoder_subsection(
//       encoder, "VFIOPCIDevice/VFIODisplay", 0, bytes, 28);
MIGSTREAM_API migstream_status migstream_section_encoder_subsection(
    migstream_section_encoder*, const char* name, uint32_t version,
    const void* payload, size_t bytes);

// The config's END_OF_STATE.
//
//   migstream_section_encoder_end_config(encoder);
MIGSTREAM_API migstream_status
migstream_section_encoder_end_config(migstream_section_encoder*);

// Any event that a decoder gave and that is still good; put in the order in
// which they came, they give the same bytes.
//
//   migstream_section_encoder_append(encoder, event);
MIGSTREAM_API migstream_status migstream_section_encoder_append(
    migstream_section_encoder*, const struct migstream_event* event);

// ---------------------------------------------------------------------------
// The main channel of a migration: FORMAT.md sections 2 to 9.

// A section's header.
struct migstream_section {
  size_t struct_size;
  int32_t type;  // MIGSTREAM_SECTION_...
  uint32_t id;
  uint64_t offset;    // Of its first byte.
  const char* idstr;  // Without a NUL; for a PART or an END its START's.
  size_t idstr_bytes;
  uint32_t instance_id;
  uint32_t version_id;
  int32_t vfio;  // 1: a VFIO device's.
};

enum {
  MIGSTREAM_STREAM_HEADER = 0,         // version
  MIGSTREAM_STREAM_CONFIGURATION = 1,  // name: the machine type.
  // name, version, bytes.
  MIGSTREAM_STREAM_CONFIGURATION_SUBSECTION = 2,
  MIGSTREAM_STREAM_SECTION = 3,  // section; its content follows.
  MIGSTREAM_STREAM_DEVICE = 4,   // device: in a VFIO device's section.
  // All other content: `bytes`, of which no more is known.
  MIGSTREAM_STREAM_CONTENT = 5,
  // Takes no bytes: the content is the caller's, who moves it with
  // migstream_stream_decoder_take_over() and says _end_content().
  MIGSTREAM_STREAM_TAKEN_OVER = 6,
  // ram_flags, ram_block, ram_offset; payload_bytes follow as CONTENT.
  MIGSTREAM_STREAM_RAM_RECORD = 7,
  MIGSTREAM_STREAM_RAM_BLOCK = 8,     // An entry of the list: ram_block.
  MIGSTREAM_STREAM_RAM_BLOCKS = 9,    // The list is whole.
  MIGSTREAM_STREAM_SECTION_END = 10,  // content_bytes, footer.
  MIGSTREAM_STREAM_COMMAND = 11,      // command; bytes: its data.
  MIGSTREAM_STREAM_EOF = 12,          // The stream may end here.
  MIGSTREAM_STREAM_DESCRIPTION =
      13,                        // payload_bytes of JSON follow as CONTENT.
  MIGSTREAM_STREAM_FINDING = 14  // name: its id; finding: in words.
};

// Views are into the input.
struct migstream_stream_event {
  size_t struct_size;
  int32_t kind;  // MIGSTREAM_STREAM_...
  uint32_t version;
  uint64_t offset;                          // Of its first byte.
  const struct migstream_section* section;  // Null outside of a section.
  const struct migstream_event* device;     // Null but for DEVICE.
  const uint8_t* bytes;                     // That the event takes.
  size_t byte_count;
  const char* name;  // Without a NUL.
  size_t name_bytes;
  uint64_t content_bytes;
  uint64_t payload_bytes;
  int32_t footer;    // 1: a footer closes the section.
  uint32_t command;  // Its number on the wire.
  uint64_t ram_flags;
  const char* ram_block;     // Ends with NUL; null if it has none.
  uint64_t ram_block_bytes;  // The used length.
  uint64_t ram_offset;       // In the block.
  const char* finding;       // Ends with NUL; null but for FINDING.
  const void* internal;      // For _append().
};

// The answers to how long a section's content is.
enum {
  MIGSTREAM_LENGTH_UNKNOWN = 0,     // An error.
  MIGSTREAM_LENGTH_BYTES = 1,       // As many as `*bytes` says.
  MIGSTREAM_LENGTH_NEED_INPUT = 2,  // Ask again, with more input than now.
  MIGSTREAM_LENGTH_TAKEN_OVER = 3   // The caller reads it.
};

struct migstream_stream_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
  int32_t dialect;                              // MIGSTREAM_DIALECT_...
  int32_t switchover_ack_off;  // 1: see struct migstream_section_options.
  uint64_t offset;             // Of the first byte.
  uint64_t page_bytes;         // Of the target; 0: as the stream says.
  int32_t has_footers;         // 1: `footers` says whether there are any.
  int32_t footers;
  // Lent to the three functions; any of these may be null.
  void* context;
  // Asked for the FULL of each device that is not known here, whose content
  // begins `input`: a MIGSTREAM_LENGTH_... Null: such a section is an error.
  int32_t (*content_length)(void* context, const struct migstream_section*,
                            const void* input, size_t input_bytes,
                            uint64_t* bytes);
  // What the caller knows of a VFIO device's config payload. `hints` comes
  // with its size set and all unknown.
  void (*config_hints)(void* context, const struct migstream_section*,
                       struct migstream_config_hints* hints);
  // Limits; 0: that of the comment.
  uint64_t max_record_bytes;  // Of a DATA record; 1 TiB.
  // Different section ids; each 32 bytes of a name count as one. 32768.
  uint32_t max_sections;
  uint32_t max_devices;     // VFIO devices; 10000.
  uint32_t max_ram_blocks;  // 4096.
};

typedef struct migstream_stream_decoder migstream_stream_decoder;
typedef struct migstream_stream_encoder migstream_stream_encoder;

// A decoder of a main channel.
//
//   struct migstream_stream_options options = {.struct_size = sizeof options};
//   migstream_stream_decoder* stream;
//   migstream_status status =
//       migstream_stream_decoder_create(&options, &stream);
MIGSTREAM_API migstream_status migstream_stream_decoder_create(
    const struct migstream_stream_options*, migstream_stream_decoder** decoder);

// As migstream_section_decoder_next(). DONE: behind the description, or behind
// EOF where none follows.
//
//   struct iovec input = {bytes, size};
//   const struct migstream_stream_event* event;
//   while (migstream_stream_decoder_next(stream, &input, &event) ==
//          MIGSTREAM_EVENT)
//     if (event->kind == MIGSTREAM_STREAM_SECTION)
//       printf("%.*s\n", (int)event->section->idstr_bytes,
//              event->section->idstr);
MIGSTREAM_API migstream_status
migstream_stream_decoder_next(migstream_stream_decoder*, struct iovec* input,
                              const struct migstream_stream_event** event);

// The caller moved or skips so many bytes of what is due: a record, a page,
// content, the description. They will not be in any input.
//
//   migstream_stream_decoder_take_over(stream, position->payload_left);
MIGSTREAM_API migstream_status
migstream_stream_decoder_take_over(migstream_stream_decoder*, uint64_t bytes);

// After MIGSTREAM_STREAM_TAKEN_OVER: the section's content is over.
//
//   migstream_stream_decoder_end_content(stream);
MIGSTREAM_API migstream_status
migstream_stream_decoder_end_content(migstream_stream_decoder*);

// An encoder of a main channel, which heeds the allocator and the dialect of
// the options. It does not allocate after this.
//
//   struct migstream_stream_options options = {.struct_size = sizeof options};
//   options.dialect = MIGSTREAM_DIALECT_V111;
//   migstream_stream_encoder* writer;
//   migstream_stream_encoder_create(&options, &writer);
MIGSTREAM_API migstream_status migstream_stream_encoder_create(
    const struct migstream_stream_options*, migstream_stream_encoder** encoder);

// The stream's header, first of all.
//
//   migstream_stream_encoder_header(writer);
MIGSTREAM_API migstream_status
migstream_stream_encoder_header(migstream_stream_encoder*);

// CONFIGURATION, behind the header.
//
//   migstream_stream_encoder_configuration(writer, "pc-q35-11.1");
MIGSTREAM_API migstream_status migstream_stream_encoder_configuration(
    migstream_stream_encoder*, const char* machine_type);

// A section's header. `idstr` is that of the START, for a PART or an END; for
// these two the instance and version ids are not written. With `vfio` 1 the
// content is encoded by migstream_stream_encoder_tag() and what follows it.
//
//   struct migstream_section section = {.struct_size = sizeof section};
//   section.type = MIGSTREAM_SECTION_PART;
//   section.id = 1;
//   section.idstr = "0000:00:05.0/vfio";
//   section.idstr_bytes = strlen(section.idstr);
//   section.vfio = 1;
//   migstream_stream_encoder_section(writer, &section);
MIGSTREAM_API migstream_status migstream_stream_encoder_section(
    migstream_stream_encoder*, const struct migstream_section* section);

// In a VFIO device's section, as migstream_section_encoder_tag().
//
//   migstream_stream_encoder_tag(writer, MIGSTREAM_ELEMENT_END_OF_STATE);
MIGSTREAM_API migstream_status
migstream_stream_encoder_tag(migstream_stream_encoder*, int32_t element);

// As migstream_section_encoder_data().
//
//   migstream_stream_encoder_data(writer, bytes, size);
MIGSTREAM_API migstream_status migstream_stream_encoder_data(
    migstream_stream_encoder*, const void* payload, size_t bytes);

// As migstream_section_encoder_data_header().
//
//   migstream_stream_encoder_data_header(writer, size);
MIGSTREAM_API migstream_status migstream_stream_encoder_data_header(
    migstream_stream_encoder*, uint64_t record_bytes);

// As migstream_section_encoder_payload().
//
//   migstream_stream_encoder_payload(writer, bytes, size);
MIGSTREAM_API migstream_status migstream_stream_encoder_payload(
    migstream_stream_encoder*, const void* payload, size_t bytes);

// As migstream_section_encoder_take_over().
//
//   migstream_stream_encoder_take_over(writer, size);
MIGSTREAM_API migstream_status
migstream_stream_encoder_take_over(migstream_stream_encoder*, uint64_t bytes);

// As migstream_section_encoder_config().
//
//   struct migstream_config config = {.struct_size = sizeof config};
//   config.pci_config = pci_config;
//   config.pci_config_bytes = 256;
//   migstream_stream_encoder_config(writer, &config);
MIGSTREAM_API migstream_status migstream_stream_encoder_config(
    migstream_stream_encoder*, const struct migstream_config* config);

// As migstream_section_encoder_subsection().
//
//   migstream_stream_encoder_subsection(writer, "VFIOPCIDevice/VFIODisplay", 0,
//                                       bytes, 28);
MIGSTREAM_API migstream_status migstream_stream_encoder_subsection(
    migstream_stream_encoder*, const char* name, uint32_t version,
    const void* payload, size_t bytes);

// As migstream_section_encoder_end_config().
//
//   migstream_stream_encoder_end_config(writer);
MIGSTREAM_API migstream_status
migstream_stream_encoder_end_config(migstream_stream_encoder*);

// Content of any other section, by reference.
//
//   migstream_stream_encoder_content(writer, bytes, size);
MIGSTREAM_API migstream_status migstream_stream_encoder_content(
    migstream_stream_encoder*, const void* bytes, size_t byte_count);

// The section's end, with a footer if `footer` is 1, as QEMU has written it
// since 2.4.
//
//   migstream_stream_encoder_end_section(writer, 1);
MIGSTREAM_API migstream_status
migstream_stream_encoder_end_section(migstream_stream_encoder*, int32_t footer);

// A command between two sections, by its number on the wire; `data` by
// reference.
//
//   migstream_stream_encoder_command(writer, 1, NULL, 0);
MIGSTREAM_API migstream_status
migstream_stream_encoder_command(migstream_stream_encoder*, uint32_t command,
                                 const void* data, size_t bytes);

// The stream's end.
//
//   migstream_stream_encoder_eof(writer);
MIGSTREAM_API migstream_status
migstream_stream_encoder_eof(migstream_stream_encoder*);

// The description behind it, JSON, by reference.
//
//   migstream_stream_encoder_description(writer, "{}", 2);
MIGSTREAM_API migstream_status migstream_stream_encoder_description(
    migstream_stream_encoder*, const void* json, size_t bytes);

// Any event that a decoder gave and that is still good; put in the order in
// which they came, they give the same bytes.
//
//   migstream_stream_encoder_append(writer, stream_event);
MIGSTREAM_API migstream_status migstream_stream_encoder_append(
    migstream_stream_encoder*, const struct migstream_stream_event* event);

// ---------------------------------------------------------------------------
// Many records in one call: half of the time where they are small.

// Takes whole DATA records from the front of `*input`, as many as it begins
// with and `capacity` has room for: `*count` of them, whose payloads `records`
// views. OK; what stands behind them, errors too, is for
// migstream_section_decoder_next().
//
//   struct iovec records[64];
//   size_t count;
//   migstream_section_decoder_next_batch(decoder, &input, records, 64, &count);
MIGSTREAM_API migstream_status migstream_section_decoder_next_batch(
    migstream_section_decoder*, struct iovec* input, struct iovec* records,
    size_t capacity, size_t* count);

// A whole DATA record of each payload, by reference. `*put` of them were put:
// all with OK; with FULL and ERROR those before the first that was not; none
// with BAD_ARGUMENT.
//
//   size_t put;
//   migstream_section_encoder_data_batch(encoder, records, count, &put);
MIGSTREAM_API migstream_status migstream_section_encoder_data_batch(
    migstream_section_encoder*, const struct iovec* payloads, size_t count,
    size_t* put);

// ---------------------------------------------------------------------------
// The return path: FORMAT.md section 4.2. Neither side allocates after
// _create().

// What a message is; the numbers are those of the wire.
enum {
  MIGSTREAM_REPLY_SHUT = 1,          // value: 0 if all is well.
  MIGSTREAM_REPLY_PONG = 2,          // value: that of the PING.
  MIGSTREAM_REPLY_REQ_PAGES_ID = 3,  // start, bytes, block
  MIGSTREAM_REPLY_REQ_PAGES = 4,     // start, bytes
  MIGSTREAM_REPLY_RECV_BITMAP = 5,   // block, bitmap_bytes
  MIGSTREAM_REPLY_RESUME_ACK = 6,    // value
  MIGSTREAM_REPLY_SWITCHOVER_ACK = 7
};

struct migstream_reply {
  size_t struct_size;
  int32_t type;  // MIGSTREAM_REPLY_...
  uint32_t value;
  uint64_t offset;    // Of its first byte.
  uint64_t start;     // In the block.
  uint32_t bytes;     // From there.
  const char* block;  // Without a NUL.
  size_t block_bytes;
  uint64_t bitmap_bytes;  // They follow.
};

struct migstream_return_path_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
  uint64_t offset;                              // Of the first byte.
};

typedef struct migstream_return_path_decoder migstream_return_path_decoder;
typedef struct migstream_return_path_encoder migstream_return_path_encoder;

// A decoder, at the source.
//
//   migstream_return_path_decoder* replies;
//   migstream_return_path_decoder_create(NULL, &replies);
MIGSTREAM_API migstream_status migstream_return_path_decoder_create(
    const struct migstream_return_path_options*,
    migstream_return_path_decoder** decoder);

// As migstream_section_decoder_next(), and never DONE. A RECV_BITMAP comes
// before its bitmap, which is passed over.
//
//   const struct migstream_reply* reply;
//   while (migstream_return_path_decoder_next(replies, &input, &reply) ==
//          MIGSTREAM_EVENT)
//     if (reply->type == MIGSTREAM_REPLY_SHUT) printf("%u\n", reply->value);
MIGSTREAM_API migstream_status migstream_return_path_decoder_next(
    migstream_return_path_decoder*, struct iovec* input,
    const struct migstream_reply** reply);

// An encoder, at the destination.
//
//   migstream_return_path_encoder* answers;
//   migstream_return_path_encoder_create(NULL, &answers);
MIGSTREAM_API migstream_status migstream_return_path_encoder_create(
    const struct migstream_return_path_options*,
    migstream_return_path_encoder** encoder);

// A message, with RECV_BITMAP's bitmap by reference.
//
//   struct migstream_reply pong = {.struct_size = sizeof pong};
//   pong.type = MIGSTREAM_REPLY_PONG;
//   pong.value = 1;
//   migstream_return_path_encoder_send(answers, &pong, NULL, 0);
MIGSTREAM_API migstream_status migstream_return_path_encoder_send(
    migstream_return_path_encoder*, const struct migstream_reply* reply,
    const void* bitmap, size_t bitmap_bytes);

// ---------------------------------------------------------------------------
// Multifd channels, and the devices' packets on them: FORMAT.md section 13.

enum {
  MIGSTREAM_CHANNEL_INIT = 0,          // uuid, channel_id
  MIGSTREAM_CHANNEL_RAM_PACKET = 1,    // name: the block; the page counts
  MIGSTREAM_CHANNEL_DEVICE_STATE = 2,  // name: the idstr; instance_id
  MIGSTREAM_CHANNEL_PAYLOAD = 3        // bytes; maybe packet
};

struct migstream_channel_event {
  size_t struct_size;
  int32_t kind;          // MIGSTREAM_CHANNEL_...
  uint32_t flags;        // Of the packet.
  uint64_t offset;       // Of its first byte in the channel.
  const uint8_t* bytes;  // That the event takes, as they stand there.
  size_t byte_count;
  const uint8_t* uuid;  // 16 bytes.
  uint32_t channel_id;
  uint32_t instance_id;
  const char* name;  // Without a NUL.
  size_t name_bytes;
  uint32_t normal_pages;  // Their bytes are the payload.
  uint32_t zero_pages;
  uint32_t payload_bytes;   // Of the whole packet.
  uint32_t payload_offset;  // Of a PAYLOAD, in it.
  // The whole payload of a device's packet, with the event that completes it;
  // else null.
  const uint8_t* packet;
  size_t packet_bytes;
  const void* internal;  // For _append().
};

struct migstream_channel_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
  const char* name;     // In errors; null: "channel". Copied.
  uint32_t page_bytes;  // Of the target; 0: 4096.
  // Decoding:
  uint32_t max_packet_bytes;  // Of a device's packet; 2 MiB.
  // Encoding:
  int32_t host_endian;  // 1: the packets of dialects E6 and E7.
};

typedef struct migstream_channel_decoder migstream_channel_decoder;
typedef struct migstream_channel_encoder migstream_channel_encoder;

// A decoder of one channel.
//
//   migstream_channel_decoder* channel;
//   migstream_channel_decoder_create(NULL, &channel);
MIGSTREAM_API migstream_status
migstream_channel_decoder_create(const struct migstream_channel_options*,
                                 migstream_channel_decoder** decoder);

// As migstream_section_decoder_next(), and never DONE: a channel ends well
// where migstream_at_end_of_input() is OK.
//
//   const struct migstream_channel_event* event;
//   migstream_channel_decoder_next(channel, &input, &event);
MIGSTREAM_API migstream_status
migstream_channel_decoder_next(migstream_channel_decoder*, struct iovec* input,
                               const struct migstream_channel_event** event);

struct migstream_piece {
  size_t struct_size;
  const char* idstr;  // Without a NUL.
  size_t idstr_bytes;
  uint32_t instance_id;
  uint32_t index;
  int32_t config;  // 1: CONFIG to END_OF_STATE, and the device's last.
  const uint8_t* data;
  size_t data_bytes;
};

struct migstream_reassembler_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
  int32_t host_endian;      // 1: the packets of dialects E6 and E7.
  uint32_t max_index;       // 1048576.
  uint32_t max_gap;         // Packets ahead of the one that is due; 4096.
  uint32_t max_devices;     // 4096.
  uint64_t max_held_bytes;  // Of all devices; 256 MiB.
};

typedef struct migstream_reassembler migstream_reassembler;

// Puts the packets of all channels in order.
//
//   migstream_reassembler* reassembler;
//   migstream_reassembler_create(NULL, &reassembler);
MIGSTREAM_API migstream_status
migstream_reassembler_create(const struct migstream_reassembler_options*,
                             migstream_reassembler** reassembler);

// One device's packet: `packet` of an event of a channel's decoder. It must be
// good until migstream_reassembler_next() gives DONE; one that has to wait is
// copied.
//
//   const char* idstr = "0000:00:05.0/vfio";
//   migstream_reassembler_add(reassembler, idstr, 0, bytes, size);
MIGSTREAM_API migstream_status migstream_reassembler_add(migstream_reassembler*,
                                                         const char* idstr,
                                                         uint32_t instance_id,
                                                         const void* packet,
                                                         size_t bytes);

// EVENT with the next piece that is due, of any device; DONE: none is. Good
// until the next call.
//
//   const struct migstream_piece* piece;
//   while (migstream_reassembler_next(reassembler, &piece) == MIGSTREAM_EVENT)
//     load(device, piece->data, piece->data_bytes);
MIGSTREAM_API migstream_status migstream_reassembler_next(
    migstream_reassembler*, const struct migstream_piece** piece);

// No packet will follow. ERROR names the first that is missing.
//
//   if (migstream_reassembler_finish(reassembler) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status
migstream_reassembler_finish(migstream_reassembler*);

// An encoder of one channel. It does not allocate after this.
//
//   migstream_channel_encoder* sender;
//   migstream_channel_encoder_create(NULL, &sender);
MIGSTREAM_API migstream_status
migstream_channel_encoder_create(const struct migstream_channel_options*,
                                 migstream_channel_encoder** encoder);

// What opens a channel: the VM's uuid of 16 bytes, null for zeros, and the
// channel's id, 255 at the most.
//
//   migstream_channel_encoder_init(sender, NULL, 0);
MIGSTREAM_API migstream_status migstream_channel_encoder_init(
    migstream_channel_encoder*, const uint8_t* uuid, uint32_t channel_id);

// A device's whole packet, with its data by reference. Indices begin at 0 for
// each device, and go on over all channels; `config` is the device's last.
//
//   struct migstream_piece packet = {.struct_size = sizeof packet};
//   packet.idstr = "0000:00:05.0/vfio";
//   packet.idstr_bytes = strlen(packet.idstr);
//   packet.data = (const uint8_t*)bytes;
//   packet.data_bytes = size;
//   migstream_channel_encoder_packet(sender, &packet);
MIGSTREAM_API migstream_status migstream_channel_encoder_packet(
    migstream_channel_encoder*, const struct migstream_piece* packet);

// The same without `data`, which is not looked at: data_bytes of it follow by
// migstream_channel_encoder_payload() or _take_over().
//
//   migstream_channel_encoder_packet_header(sender, piece);
MIGSTREAM_API migstream_status migstream_channel_encoder_packet_header(
    migstream_channel_encoder*, const struct migstream_piece* packet);

// Pages of one RAM block.
struct migstream_ram_packet {
  size_t struct_size;
  uint32_t flags;  // Of the packet: its compression, and 1 for SYNC.
  uint32_t allocated_pages;
  uint32_t normal_pages;  // Their bytes are the payload.
  uint32_t zero_pages;
  uint32_t payload_bytes;
  uint64_t packet_number;
  const char* block;  // Without a NUL.
  size_t block_bytes;
  // Where the pages are in the block, 8 bytes each, big-endian: the normal
  // ones, then the zero pages. By reference.
  const uint8_t* offsets;
  size_t offsets_bytes;
};

// A packet of pages. If there are normal pages, payload_bytes follow by
// migstream_channel_encoder_payload() or _take_over().
//
//   struct migstream_ram_packet pages = {.struct_size = sizeof pages};
//   pages.block = "pc.ram";
//   pages.block_bytes = strlen(pages.block);
//   migstream_channel_encoder_ram(sender, &pages);
MIGSTREAM_API migstream_status migstream_channel_encoder_ram(
    migstream_channel_encoder*, const struct migstream_ram_packet* packet);

// SYNC: a packet without pages.
//
//   migstream_channel_encoder_sync(sender, 1);
MIGSTREAM_API migstream_status migstream_channel_encoder_sync(
    migstream_channel_encoder*, uint64_t packet_number);

// A piece of the payload that is due, by reference.
//
//   migstream_channel_encoder_payload(sender, bytes, size);
MIGSTREAM_API migstream_status migstream_channel_encoder_payload(
    migstream_channel_encoder*, const void* payload, size_t bytes);

// The caller writes so many bytes of it itself, behind the pieces.
//
//   migstream_channel_encoder_take_over(sender, size);
MIGSTREAM_API migstream_status
migstream_channel_encoder_take_over(migstream_channel_encoder*, uint64_t bytes);

// Any event that a decoder gave and that is still good; put in the order in
// which they came, they give the same bytes.
//
//   migstream_channel_encoder_append(sender, channel_event);
MIGSTREAM_API migstream_status migstream_channel_encoder_append(
    migstream_channel_encoder*, const struct migstream_channel_event* event);

// ---------------------------------------------------------------------------
// What a driver put inside DATA: PAYLOADS.md.

enum {
  MIGSTREAM_PAYLOAD_RECORD = 0,      // It begins: bytes, name.
  MIGSTREAM_PAYLOAD_FIELDS = 1,      // Its body, whole.
  MIGSTREAM_PAYLOAD_OPAQUE = 2,      // A piece of its body.
  MIGSTREAM_PAYLOAD_RECORD_END = 3,  // The end of a list.
  MIGSTREAM_PAYLOAD_OVERRUN = 4      // It claims more than its list has.
};

struct migstream_payload_event {
  size_t struct_size;
  int32_t kind;  // MIGSTREAM_PAYLOAD_...
  uint32_t depth;
  uint64_t offset;  // Of `view` in the payload.
  uint64_t record_offset;
  uint64_t key;      // The record's tag.
  uint64_t bytes;    // Of its body; UINT64_MAX: to the payload's end.
  uint64_t left;     // Of its body, behind `view`.
  const char* name;  // The record's, without a NUL; empty: unknown.
  size_t name_bytes;
  const uint8_t* view;  // Into the input.
  size_t view_bytes;
  int32_t big_endian;
};

struct migstream_payload_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
  const char* device;  // Its name in errors; null: "vfio". Copied.
  const char* driver;  // "mlx5"; null: as ids and `head` say.
  int32_t has_ids;     // 1: the two that follow are known.
  uint32_t vendor_id;
  uint32_t device_id;
  const void* head;  // The payload's first 64 bytes, or all there are.
  size_t head_bytes;
};

typedef struct migstream_payload_decoder migstream_payload_decoder;

// A decoder of one device's payload, which it does not keep. BAD_ARGUMENT for
// a driver that is not known.
//
//   struct migstream_payload_options options = {.struct_size = sizeof options};
//   options.driver = "mlx5";
//   migstream_payload_decoder* payload;
//   migstream_payload_decoder_create(&options, &payload);
MIGSTREAM_API migstream_status
migstream_payload_decoder_create(const struct migstream_payload_options*,
                                 migstream_payload_decoder** decoder);

// The name of the driver that it was taken for, "opaque" if none; null without
// a decoder.
//
//   puts(migstream_payload_decoder_driver(payload));
MIGSTREAM_API const char* migstream_payload_decoder_driver(
    const migstream_payload_decoder*);

// As migstream_section_decoder_next(), and never DONE: payloads just end.
//
//   const struct migstream_payload_event* event;
//   migstream_payload_decoder_next(payload, &input, &event);
MIGSTREAM_API migstream_status
migstream_payload_decoder_next(migstream_payload_decoder*, struct iovec* input,
                               const struct migstream_payload_event** event);

// ---------------------------------------------------------------------------
// Devices, and sets of them that move together.

// The states of a device; the numbers are the kernel's.
enum {
  MIGSTREAM_STATE_ERROR = 0,
  MIGSTREAM_STATE_STOP = 1,
  MIGSTREAM_STATE_RUNNING = 2,
  MIGSTREAM_STATE_STOP_COPY = 3,
  MIGSTREAM_STATE_RESUMING = 4,
  MIGSTREAM_STATE_RUNNING_P2P = 5,
  MIGSTREAM_STATE_PRE_COPY = 6,
  MIGSTREAM_STATE_PRE_COPY_P2P = 7
};

// What a device can do; the numbers are the kernel's.
enum {
  MIGSTREAM_MIGRATION_STOP_COPY = 1,
  MIGSTREAM_MIGRATION_P2P = 2,
  MIGSTREAM_MIGRATION_PRE_COPY = 4
};

// A device of the caller's: it does what it is told, and gives 0, or bytes, or
// a negative errno. Each may be null, and is not supported then.
struct migstream_device_functions {
  size_t struct_size;
  // `*new_session` 1: data of a new session is to be read or written from now
  // on. After an error no session is open.
  int (*set_state)(void* context, uint32_t state, int* new_session);
  int (*get_state)(void* context, uint32_t* state);
  // The session's end, without a change of state.
  void (*drop_session)(void* context);
  // Any state becomes RUNNING; what was loaded is gone.
  int (*reset)(void* context);
  // As read(2) and write(2) of the session that is open. -EAGAIN: nothing can
  // be done before wait().
  int64_t (*read)(void* context, void* buffer, size_t bytes);
  int64_t (*write)(void* context, const void* data, size_t bytes);
  int (*wait)(void* context, int writing);
  // What of PRE_COPY's data is to be read; `*reinit` 1: there is new initial
  // data.
  int (*get_precopy_bytes)(void* context, uint64_t* initial, uint64_t* dirty,
                           int* reinit);
  // All that would come if the device were stopped now.
  int (*get_stop_copy_bytes)(void* context, uint64_t* bytes);
  // Only with has_records, for the v1 protocol: the next transaction, of
  // `*bytes`; `*pending` 0: there is nothing more.
  int (*start_reading)(void* context, int* pending, uint64_t* bytes);
  int (*start_writing)(void* context, uint64_t bytes);
};

struct migstream_device_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;         // Null: malloc().
  const struct migstream_device_functions* functions;  // Copied.
  void* context;                                       // Lent to them.
  uint64_t flags;        // MIGSTREAM_MIGRATION_...; 0: STOP_COPY.
  int32_t has_records;   // 1: data has transactions that are kept (v1).
  int32_t tells_reinit;  // 1: `*reinit` is to be relied on.
  // For migstream_device_from_fd(): how long a driver may have nothing to give,
  // in milliseconds; 0: 10000.
  int32_t wait_milliseconds;
};

typedef struct migstream_device migstream_device;
typedef struct migstream_set migstream_set;

// A device that the caller implements.
//
//   struct migstream_device_options options = {.struct_size = sizeof options};
//   options.functions = &functions;
//   options.context = device;
//   migstream_device* mine;
//   migstream_device_create(&options, &mine);
MIGSTREAM_API migstream_status migstream_device_create(
    const struct migstream_device_options*, migstream_device** device);

// A device of the kernel's v2 protocol, Linux 5.18 on, by its VFIO fd, which is
// lent. ERROR, with `*device` null: it cannot migrate; errno says more where
// the kernel did.
//
//   migstream_device* vfio;
//   if (migstream_device_from_fd(NULL, fd, &vfio) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status migstream_device_from_fd(
    const struct migstream_device_options*, int fd, migstream_device** device);

struct migstream_set_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
};

// An empty set.
//
//   migstream_set* set;
//   migstream_set_create(NULL, &set);
MIGSTREAM_API migstream_status
migstream_set_create(const struct migstream_set_options*, migstream_set** set);

// Adds a device, which is asked for its state. The idstr, which ends with NUL,
// and the instance id are those of its sections. A device is in one set.
//
//   migstream_set_add(set, mine, "0000:00:05.0/vfio", 0);
MIGSTREAM_API migstream_status migstream_set_add(migstream_set*,
                                                 migstream_device* device,
                                                 const char* idstr,
                                                 uint32_t instance_id);

// ERROR says why the devices cannot be moved.
//
//   if (migstream_set_check(set) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status migstream_set_check(migstream_set*);

// All devices run, after a load that has completed.
//
//   migstream_set_run(set);
MIGSTREAM_API migstream_status migstream_set_run(migstream_set*);

// All devices are reset and run: what was loaded is gone.
//
//   migstream_set_reset(set);
MIGSTREAM_API migstream_status migstream_set_reset(migstream_set*);

// Where a device is, and what went wrong with it first.
struct migstream_device_report {
  size_t struct_size;
  const char* idstr;  // Ends with NUL.
  uint32_t instance_id;
  uint32_t asked;     // MIGSTREAM_STATE_...
  uint32_t state;     // MIGSTREAM_STATE_..., unless it is lost.
  int32_t was_reset;  // 1: its guest has to set it up anew.
  int32_t lost;       // 1: not even a reset brings it back.
  int32_t failed_errno;
  const char* text;  // All of it in one line.
};

// The device that was added as number `index`, from 0; BAD_ARGUMENT behind the
// last.
//
//   const struct migstream_device_report* report;
//   for (size_t i = 0; migstream_set_report(set, i, &report) == MIGSTREAM_OK;
//        ++i)
//     puts(report->text);
MIGSTREAM_API migstream_status
migstream_set_report(migstream_set*, size_t index,
                     const struct migstream_device_report** report);

// How a migration ended, for one of its sides.
enum {
  MIGSTREAM_OUTCOME_COMPLETED = 1,  // The guest is at the destination.
  MIGSTREAM_OUTCOME_ABORTED = 2,    // It is not; at the source it may run.
  MIGSTREAM_OUTCOME_UNKNOWN = 3     // Nobody may run it at the source unasked.
};

// ---------------------------------------------------------------------------
// Saving the devices of a set, at the source of a migration.

struct migstream_save_options {
  size_t struct_size;
  int32_t dialect;  // MIGSTREAM_DIALECT_...; AUTO: V111.
  int32_t no_footers;
  int32_t no_return_path;
  int32_t switchover_ack;
  int32_t switchover_ack_legacy;  // One ack in all: machine types to 11.0.
  int32_t config_load_ready;      // V101M and V111M: FULL is CONFIG_LOAD_READY.
  int32_t skip_empty_parts;
  int32_t trust_shut;     // SHUT 0 is success with multifd too.
  uint32_t record_bytes;  // Of a DATA record at the most; 0: 1 MiB.
  uint32_t channels;      // Multifd's, for dialects with state on channels.
  uint8_t uuid[16];       // The VM's, for the channels.
  // The devices' section ids, in the order of the set; null: 1, 2, 3 ...
  const uint32_t* section_ids;
  size_t section_id_count;
  // Writes all pieces to channel 0, the main one, or 1 to `channels`: 0, or a
  // negative errno if the channel is gone. It is lent `context`.
  void* context;
  int (*write)(void* context, uint32_t channel, const struct iovec* pieces,
               int count);
};

typedef struct migstream_save migstream_save;

// A session that saves the devices of `set`, whose allocator it uses.
//
//   struct migstream_save_options options = {.struct_size = sizeof options};
//   options.dialect = MIGSTREAM_DIALECT_V111;
//   options.write = write_pieces;
//   migstream_save* save;
//   migstream_save_create(set, &options, &save);
MIGSTREAM_API migstream_status
migstream_save_create(migstream_set* set, const struct migstream_save_options*,
                      migstream_save** save);

// For a VMM without sections before these: header, CONFIGURATION and, with a
// return path, OPEN_RETURN_PATH.
//
//   migstream_save_write_head(save, "pc-q35-11.1");
MIGSTREAM_API migstream_status
migstream_save_write_head(migstream_save*, const char* machine_type);

// The STARTs; PRE_COPY begins, and the guest runs on.
//
//   migstream_save_start(save);
MIGSTREAM_API migstream_status migstream_save_start(migstream_save*);

// PARTs of `max_bytes` at the most, exceeded by one record; 0: no limit.
// `*bytes` were written. OK; DONE: no device had any more.
//
//   uint64_t written;
//   while (migstream_save_iterate(save, 1 << 20, &written) == MIGSTREAM_OK) {
//   }
MIGSTREAM_API migstream_status migstream_save_iterate(migstream_save*,
                                                      uint64_t max_bytes,
                                                      uint64_t* bytes);

// What is still to be read, as the drivers estimate it, in bytes.
struct migstream_pending {
  size_t struct_size;
  uint64_t initial;
  uint64_t dirty;
  uint64_t stop_copy;          // If the guest stopped now.
  int32_t stop_copy_is_guess;  // A driver does not say.
  int32_t switchover_allowed;  // All initial data was sent, and acknowledged.
};

// `exact` 1: the devices are asked.
//
//   const struct migstream_pending* pending;
//   migstream_save_get_pending(save, 1, &pending);
MIGSTREAM_API migstream_status migstream_save_get_pending(
    migstream_save*, int32_t exact, const struct migstream_pending** pending);

// What came on the return path; takes whole messages from the front.
//
//   migstream_save_on_return_path(save, &input);
MIGSTREAM_API migstream_status
migstream_save_on_return_path(migstream_save*, struct iovec* input);

// The vCPUs are stopped. NEED_INPUT: a device has new initial data, the guest
// should run on, and the session goes on.
//
//   migstream_save_switchover(save);
MIGSTREAM_API migstream_status migstream_save_switchover(migstream_save*);

// SWITCHOVER_START, ENDs or packets, and the FULLs with the configs, one for
// each device of the set.
//
//   struct migstream_config config = {.struct_size = sizeof config};
//   config.pci_config = pci_config;
//   config.pci_config_bytes = 256;
//   const struct migstream_config* configs[] = {&config};
//   migstream_save_complete(save, configs, 1);
MIGSTREAM_API migstream_status migstream_save_complete(
    migstream_save*, const struct migstream_config* const* configs,
    size_t count);

// The stream's end, and the description: JSON, which may be null.
//
//   migstream_save_write_eof(save, NULL, 0);
MIGSTREAM_API migstream_status migstream_save_write_eof(migstream_save*,
                                                        const void* json,
                                                        size_t bytes);

// No message will come any more. OK, with `*outcome`; where that is not
// COMPLETED, migstream_last_error() says why.
//
//   int32_t outcome;
//   migstream_save_finish(save, &outcome);
MIGSTREAM_API migstream_status migstream_save_finish(migstream_save*,
                                                     int32_t* outcome);

// After UNKNOWN, somebody asked the destination: 1 if the guest runs there.
//
//   migstream_save_decide(save, 1, &outcome);
MIGSTREAM_API migstream_status migstream_save_decide(
    migstream_save*, int32_t runs_at_destination, int32_t* outcome);

// Before EOF: all devices run again.
//
//   migstream_save_cancel(save);
MIGSTREAM_API migstream_status migstream_save_cancel(migstream_save*);

// ---------------------------------------------------------------------------
// Loading the devices of a set, at the destination.

struct migstream_load_options {
  size_t struct_size;
  int32_t dialect;      // The source's; AUTO: V111.
  uint32_t channels;    // Multifd's.
  uint32_t page_bytes;  // Of the target; 0: 4096.
  int32_t no_return_path;
  int32_t switchover_ack;
  int32_t switchover_ack_legacy;
  // 1: a config is not due before migstream_load_interrupts_ready().
  int32_t wait_for_interrupts;
  int32_t has_footers;  // 1: `footers` says whether there are any.
  int32_t footers;
  uint64_t max_queue_bytes;  // Of packets before SWITCHOVER_START; 64 MiB.
  // What is known of the devices' configs, one for each of the set; or null.
  const struct migstream_config_hints* const* hints;
  size_t hint_count;
  // As in struct migstream_stream_options; lent `context`.
  void* context;
  int32_t (*content_length)(void* context, const struct migstream_section*,
                            const void* input, size_t input_bytes,
                            uint64_t* bytes);
};

enum {
  MIGSTREAM_ACTION_STREAM = 0,  // event: what is not a device of the set.
  MIGSTREAM_ACTION_OPEN_RETURN_PATH = 1,  // The source listens for replies.
  MIGSTREAM_ACTION_REPLY = 2,             // reply: is to be sent.
  MIGSTREAM_ACTION_APPLY_CONFIG = 3       // config: is device `device`'s.
};

struct migstream_action {
  size_t struct_size;
  int32_t kind;                                // MIGSTREAM_ACTION_...
  size_t device;                               // Its number in the set.
  const struct migstream_stream_event* event;  // Good as long as the input.
  const struct migstream_reply* reply;
  const struct migstream_config* config;
};

typedef struct migstream_load migstream_load;

// A session that loads the devices of `set`, whose allocator it uses, from any
// thread that calls it.
//
//   struct migstream_load_options options = {.struct_size = sizeof options};
//   options.dialect = MIGSTREAM_DIALECT_V111;
//   migstream_load* loader;
//   migstream_load_create(set, &options, &loader);
MIGSTREAM_API migstream_status
migstream_load_create(migstream_set* set, const struct migstream_load_options*,
                      migstream_load** load);

// All devices are fresh, and in RESUMING.
//
//   migstream_load_start(loader);
MIGSTREAM_API migstream_status migstream_load_start(migstream_load*);

// As migstream_stream_decoder_next(): EVENT with what the VMM has to do. The
// devices' own data goes to them.
//
//   const struct migstream_action* action;
//   while (migstream_load_next(loader, &input, &action) == MIGSTREAM_EVENT)
//     if (action->kind == MIGSTREAM_ACTION_APPLY_CONFIG)
//       apply(device, action->config->pci_config);
MIGSTREAM_API migstream_status
migstream_load_next(migstream_load*, struct iovec* input,
                    const struct migstream_action** action);

// As migstream_stream_decoder_take_over() and _end_content().
//
//   migstream_load_take_over(loader, position->payload_left);
MIGSTREAM_API migstream_status migstream_load_take_over(migstream_load*,
                                                        uint64_t bytes);

// After MIGSTREAM_STREAM_TAKEN_OVER: the section's content is over.
//
//   migstream_load_end_content(loader);
MIGSTREAM_API migstream_status migstream_load_end_content(migstream_load*);

// What channel `channel`, from 0, has brought: takes all but what has to come
// again with more. It may wait for migstream_load_next(). Unlike all others it
// may be called for each channel in a thread of its own, beside the thread that
// calls migstream_load_next(), which gives the error as well.
//
//   migstream_load_feed_channel(loader, 0, &input);
MIGSTREAM_API migstream_status migstream_load_feed_channel(migstream_load*,
                                                           uint32_t channel,
                                                           struct iovec* input);

// The guest's interrupt controllers are loaded.
//
//   migstream_load_interrupts_ready(loader);
MIGSTREAM_API migstream_status migstream_load_interrupts_ready(migstream_load*);

// The VMM gives up: nobody waits any more, and migstream_load_finish() resets
// all. In any thread, in a callback too, and after MIGSTREAM_NO_MEMORY.
//
//   migstream_load_cancel(loader);
MIGSTREAM_API migstream_status migstream_load_cancel(migstream_load*);

// OK: all has come. ERROR, which is not final here: what is not there yet.
//
//   if (migstream_load_check_complete(loader) != MIGSTREAM_OK) return 1;
MIGSTREAM_API migstream_status migstream_load_check_complete(migstream_load*);

// The devices' drivers judge what they were given. OK, with `*outcome`:
// COMPLETED: they are stopped, and may run; else they were reset, and
// migstream_last_error() says why. `*shut` is the message for the return path.
//
//   int32_t outcome;
//   const struct migstream_reply* shut;
//   migstream_load_finish(loader, &outcome, &shut);
MIGSTREAM_API migstream_status migstream_load_finish(
    migstream_load*, int32_t* outcome, const struct migstream_reply** shut);

// ---------------------------------------------------------------------------
// Device models: whether a destination can have a device, before anything is
// migrated.

struct migstream_models_options {
  size_t struct_size;
  const struct migstream_allocator* allocator;  // Null: malloc().
};

typedef struct migstream_models migstream_models;

// All models that a host can make, none before migstream_models_parse().
//
//   migstream_models* models;
//   migstream_models_create(NULL, &models);
MIGSTREAM_API migstream_status migstream_models_create(
    const struct migstream_models_options*, migstream_models** models);

// Those of a JSON text, instead of those before. ERROR says what is wrong with
// it, and is not final.
//
//   migstream_models_parse(models, json, strlen(json));
MIGSTREAM_API migstream_status migstream_models_parse(migstream_models*,
                                                      const char* json,
                                                      size_t bytes);

// Whether `models`, the destination's, take a source's device, as
// "vendor.com/my-nic,num-queues=4". OK, with what to make there, which ends
// with NUL; ERROR, not final: why not, and `*made` is null.
//
//   const char* made;
//   if (migstream_models_check(models, "vendor.com/my-nic", &made) !=
//       MIGSTREAM_OK)
//     return 1;
MIGSTREAM_API migstream_status migstream_models_check(migstream_models*,
                                                      const char* device,
                                                      const char** made);

#ifdef __cplusplus
}
#endif

#endif  // MIGSTREAM_C_MIGSTREAM_H_
