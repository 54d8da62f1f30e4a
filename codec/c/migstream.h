// The C interface of libmigstream: encodes and decodes what QEMU writes when it
// migrates VFIO devices, without I/O and without threads. C11, and C++.
//
//   #include <migstream.h>      cc vmm.c $(pkg-config --cflags --libs
//   migstream)
//
// What the bytes mean is in FORMAT.md, whose sections are named here.
//
// Handles. An object is an opaque handle, made by a _create() function and
// given back by migstream_destroy(), in any order: what another handle still
// uses lives on until that one is destroyed. Null where a handle belongs, or a
// handle of another kind, is MIGSTREAM_BAD_ARGUMENT and does nothing.
//
// Statuses. Every function that can fail returns a migstream_status.
// MIGSTREAM_ERROR is final for its handle: each further call gives it again,
// and migstream_last_error() tells more.
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
// Memory. All of it comes from the allocator that the handle was made with. One
// thing does not: when an allocation fails, the C++ runtime takes a few bytes
// for its exception by malloc(), or from a reserve of its own. That exception
// never leaves the library; the call gives MIGSTREAM_NO_MEMORY, which is final,
// and the handle can still be destroyed.
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

  // See migstream_last_error(). Final.
  MIGSTREAM_ERROR = -1,
  // The allocator gave null. Final.
  MIGSTREAM_NO_MEMORY = -2,
  // Null, a handle of another kind, or a number that is not one of those named
  // here. Nothing changed.
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

// The input of any decoder has ended, and `left` bytes were not taken of it.
// MIGSTREAM_OK if it may end there; MIGSTREAM_ERROR, with code 100, if
// something is cut off; MIGSTREAM_EVENT if _next() has more to give.
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
//   writev(fd, pieces, count);
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
  uint32_t max_sections;      // Different section ids; 32768.
  uint32_t max_devices;       // VFIO devices; 10000.
  uint32_t max_ram_blocks;    // 4096.
};

typedef struct migstream_stream_decoder migstream_stream_decoder;
typedef struct migstream_stream_encoder migstream_stream_encoder;

// A decoder of a main channel.
//
//   struct migstream_stream_options options = {.struct_size = sizeof options};
//   migstream_stream_decoder* stream;
//   migstream_status status = migstream_stream_decoder_create(&options,
//   &stream);
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
//   migstream_stream_encoder_append(writer, event);
MIGSTREAM_API migstream_status migstream_stream_encoder_append(
    migstream_stream_encoder*, const struct migstream_stream_event* event);

#ifdef __cplusplus
}
#endif

#endif  // MIGSTREAM_C_MIGSTREAM_H_
