#include "codec/c/stream_event.h"

#include <string_view>

#include "codec/c/values.h"

namespace migstream::c {

migstream_section SectionOf(const SectionView& view) {
  return {.struct_size = sizeof(migstream_section),
          .type = static_cast<int32_t>(view.type),
          .id = view.id,
          .offset = view.offset,
          .idstr = view.idstr.data(),
          .idstr_bytes = view.idstr.size(),
          .instance_id = view.instance_id,
          .version_id = view.version_id,
          .vfio = view.vfio ? 1 : 0};
}

ContentLength AskLength(LengthFunction ask, void* context,
                        const SectionView& view, ByteSpan input) {
  const migstream_section section = SectionOf(view);
  uint64_t bytes = 0;
  switch (ask(context, &section, input.data(), input.size(), &bytes)) {
    case MIGSTREAM_LENGTH_BYTES:
      return {.kind = ContentLength::kBytes, .bytes = bytes};
    case MIGSTREAM_LENGTH_NEED_INPUT:
      return {.kind = ContentLength::kNeedInput};
    case MIGSTREAM_LENGTH_TAKEN_OVER:
      return {.kind = ContentLength::kTakenOver};
    default:
      return {};
  }
}

void StreamEventOut::GiveRam(const StreamEvent& event) {
  const RamBlock* block =
      event.kind == StreamEvent::kRamBlock ? event.block : event.ram.block;
  event_.ram_flags = event.ram.flags;
  event_.ram_offset = event.ram.page_offset;
  event_.payload_bytes = event.ram.payload_bytes;
  event_.ram_block = nullptr;
  event_.ram_block_bytes = 0;
  if (block != nullptr) {
    event_.ram_block = block->name.c_str();
    event_.ram_block_bytes = block->used_bytes;
  }
}

const migstream_stream_event* StreamEventOut::Give() {
  const StreamEvent& event = from_;
  event_.struct_size = sizeof event_;
  event_.kind = NumberOf(event.kind);
  event_.offset = event.offset;
  event_.internal = &event;
  auto text = [this](std::string_view name) {
    event_.name = name.data();
    event_.name_bytes = name.size();
  };
  if (event.kind == StreamEvent::kDevice) {
    // What a stream of many records is made of: nothing more than it needs.
    if (event_.finding != nullptr) [[unlikely]] {
      event_.finding = nullptr;
      text({});
    }
    event_.device = device_.Give();
    return &event_;
  }
  auto bytes = [this](ByteSpan taken) {
    event_.bytes = taken.data();
    event_.byte_count = taken.size();
  };
  event_.device = nullptr;
  event_.finding = nullptr;
  bytes({});
  text({});
  switch (event.kind) {
    case StreamEvent::kHeader:
      event_.version = event.version;
      break;
    case StreamEvent::kConfiguration:
      text(event.machine_type);
      break;
    case StreamEvent::kConfigurationSubsection:
      text(event.subsection.name);
      event_.version = event.subsection.version;
      bytes(event.subsection.payload);
      break;
    case StreamEvent::kSection:
      section_ = SectionOf(*event.section);
      event_.section = &section_;
      break;
    case StreamEvent::kContent:
      bytes(event.content);
      break;
    case StreamEvent::kRamRecord:
    case StreamEvent::kRamBlock:
      bytes(event.content);
      GiveRam(event);
      break;
    case StreamEvent::kSectionEnd:
      event_.content_bytes = event.content_bytes;
      event_.footer = event.footer ? 1 : 0;
      break;
    case StreamEvent::kCommand:
      event_.command = static_cast<uint32_t>(event.command.command);
      bytes(event.command.data);
      break;
    case StreamEvent::kDescription:
      event_.payload_bytes = event.description_bytes;
      break;
    case StreamEvent::kFinding:
      text(event.finding->id);
      event_.finding = event.finding->message.c_str();
      break;
    case StreamEvent::kDevice:
    case StreamEvent::kTakenOver:
    case StreamEvent::kRamBlocks:
    case StreamEvent::kEof:
      break;
  }
  if (event.section == nullptr) event_.section = nullptr;
  return &event_;
}

}  // namespace migstream::c
