// Writing a migration's main channel, for C.

#include "codec/qemu/stream_encoder.h"

#include <optional>

#include "codec/c/encode.h"
#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/values.h"
#include "codec/qemu/stream_event.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

struct migstream_stream_encoder : Handle {
  static constexpr uint32_t kKind = kKinds | 4;

  explicit migstream_stream_encoder(const Dialect& dialect)
      : Handle(kKind), encoder(dialect, headers, pieces) {}

  migstream_status GetPieces(std::span<const iovec>* all) override {
    *all = encoder.pieces();
    return MIGSTREAM_OK;
  }
  migstream_status ClearPieces() override {
    encoder.Clear();
    return MIGSTREAM_OK;
  }

  [[gnu::cold, gnu::noinline]] migstream_status FailEncoder() {
    return Fail(encoder.error());
  }

  // Many records' worth, so that a caller need not write after each.
  uint8_t headers[8 * StreamEncoder::kMinHeaderBytes];
  iovec pieces[32 * StreamEncoder::kMinPieces];
  StreamEncoder encoder;
  bool in_device = false;  // A VFIO device's section is open.
};

namespace {

// EncodeWith() in a VFIO device's section: `run` is one of event.h, and gets
// what it is given.
template <typename Run, typename... Given>
migstream_status EncodeDevice(migstream_stream_encoder* encoder, Run run,
                              Given... given) {
  return EncodeWith(encoder, [&](StreamEncoder& to, Put* put) {
    if (encoder->in_device) return run(to.device(), given..., put);
    *put = to.Device({});  // Which it refuses.
    return migstream_status{MIGSTREAM_OK};
  });
}

migstream_status PutSection(migstream_stream_encoder& handle,
                            const SectionView& section, Put* put) {
  *put = handle.encoder.Section(section);
  if (*put == Put::kDone) handle.in_device = section.vfio;
  return MIGSTREAM_OK;
}

}  // namespace

extern "C" {

migstream_status migstream_stream_encoder_create(
    const migstream_stream_options* options,
    migstream_stream_encoder** encoder) {
  if (encoder == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *encoder = nullptr;
  migstream_stream_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  const Dialect* dialect = DialectOf(given.dialect);
  if (dialect == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  return Make(given.allocator, encoder, *dialect);
}

migstream_status migstream_stream_encoder_header(
    migstream_stream_encoder* encoder) {
  return EncodeWith(encoder, [](StreamEncoder& to, Put* put) {
    *put = to.Header();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_configuration(
    migstream_stream_encoder* encoder, const char* machine_type) {
  return EncodeWith(encoder, [&](StreamEncoder& to, Put* put) {
    if (machine_type == nullptr) return MIGSTREAM_BAD_ARGUMENT;
    *put = to.Configuration(machine_type);
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_section(
    migstream_stream_encoder* encoder, const migstream_section* section) {
  return EncodeWith(encoder, [&](StreamEncoder&, Put* put) -> migstream_status {
    migstream_section given;
    if (section == nullptr) return MIGSTREAM_BAD_ARGUMENT;
    migstream_status status = ReadOptions(section, &given);
    if (status != MIGSTREAM_OK) return status;
    const std::optional<SectionType> type = SectionTypeOf(given.type);
    if (!type || !IsBytes(given.idstr, given.idstr_bytes)) {
      return MIGSTREAM_BAD_ARGUMENT;
    }
    return PutSection(*encoder,
                      {.type = *type,
                       .id = given.id,
                       .idstr = AsText(Bytes(given.idstr, given.idstr_bytes)),
                       .instance_id = given.instance_id,
                       .version_id = given.version_id,
                       .vfio = given.vfio != 0},
                      put);
  });
}

migstream_status migstream_stream_encoder_tag(migstream_stream_encoder* encoder,
                                              int32_t element) {
  return EncodeDevice(encoder, PutTag, element);
}

migstream_status migstream_stream_encoder_data(
    migstream_stream_encoder* encoder, const void* payload, size_t bytes) {
  return EncodeDevice(encoder, [&](SectionEncoder& to, Put* put) {
    return PutData(to, payload, bytes, put);
  });
}

migstream_status migstream_stream_encoder_data_header(
    migstream_stream_encoder* encoder, uint64_t record_bytes) {
  return EncodeDevice(encoder, PutDataHeader, record_bytes);
}

migstream_status migstream_stream_encoder_payload(
    migstream_stream_encoder* encoder, const void* payload, size_t bytes) {
  return EncodeDevice(encoder, PutPayload, payload, bytes);
}

migstream_status migstream_stream_encoder_take_over(
    migstream_stream_encoder* encoder, uint64_t bytes) {
  return EncodeDevice(encoder, PutTakenOver, bytes);
}

migstream_status migstream_stream_encoder_config(
    migstream_stream_encoder* encoder, const migstream_config* config) {
  return EncodeDevice(encoder, PutConfig, config);
}

migstream_status migstream_stream_encoder_subsection(
    migstream_stream_encoder* encoder, const char* name, uint32_t version,
    const void* payload, size_t bytes) {
  return EncodeDevice(encoder, PutSubsection, name, version, payload, bytes);
}

migstream_status migstream_stream_encoder_end_config(
    migstream_stream_encoder* encoder) {
  return EncodeDevice(encoder, PutConfigEnd);
}

migstream_status migstream_stream_encoder_content(
    migstream_stream_encoder* encoder, const void* bytes, size_t byte_count) {
  return EncodeWith(encoder, [&](StreamEncoder& to, Put* put) {
    if (!IsBytes(bytes, byte_count)) return MIGSTREAM_BAD_ARGUMENT;
    *put = to.Content(Bytes(bytes, byte_count));
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_end_section(
    migstream_stream_encoder* encoder, int32_t footer) {
  return EncodeWith(encoder, [&](StreamEncoder& to, Put* put) {
    *put = to.EndSection(footer != 0);
    if (*put == Put::kDone) encoder->in_device = false;
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_command(
    migstream_stream_encoder* encoder, uint32_t command, const void* data,
    size_t bytes) {
  return EncodeWith(encoder, [&](StreamEncoder& to, Put* put) {
    if (command > 0xffff || !IsBytes(data, bytes)) {
      return MIGSTREAM_BAD_ARGUMENT;
    }
    *put = to.Command(static_cast<Command>(command), Bytes(data, bytes));
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_eof(
    migstream_stream_encoder* encoder) {
  return EncodeWith(encoder, [](StreamEncoder& to, Put* put) {
    *put = to.Eof();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_description(
    migstream_stream_encoder* encoder, const void* json, size_t bytes) {
  return EncodeWith(encoder, [&](StreamEncoder& to, Put* put) {
    if (!IsBytes(json, bytes) || bytes > UINT32_MAX) {
      return MIGSTREAM_BAD_ARGUMENT;
    }
    *put = to.Description(Bytes(json, bytes));
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_stream_encoder_append(
    migstream_stream_encoder* encoder, const migstream_stream_event* event) {
  return EncodeWith(
      encoder, [&](StreamEncoder& to, Put* put) -> migstream_status {
        if (event == nullptr || event->internal == nullptr) {
          return MIGSTREAM_BAD_ARGUMENT;
        }
        const StreamEvent& given =
            *static_cast<const StreamEvent*>(event->internal);
        if (given.kind == StreamEvent::kSection) {
          return PutSection(*encoder, *given.section, put);
        }
        *put = to.Append(given);
        if (*put == Put::kDone && given.kind == StreamEvent::kSectionEnd) {
          encoder->in_device = false;
        }
        return MIGSTREAM_OK;
      });
}

}  // extern "C"
