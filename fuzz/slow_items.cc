#include "fuzz/slow_items.h"

#include <utility>

#include "codec/multifd/channel_decoder.h"
#include "codec/qemu/stream_decoder.h"
#include "fuzz/fuzzing.h"
#include "fuzz/section_trace.h"

namespace migstream {
namespace {

// `due` is what is left of the payload behind the event.
slow::StreamItem ItemOf(const StreamEvent& event, uint64_t due) {
  slow::StreamItem item;
  item.at = event.offset;
  switch (event.kind) {
    case StreamEvent::kHeader:
      item.what = "header";
      item.numbers = {event.version};
      break;
    case StreamEvent::kConfiguration:
      item.what = "configuration";
      item.texts = {std::string(event.machine_type)};
      break;
    case StreamEvent::kConfigurationSubsection:
      item.what = "subsection";
      item.numbers = {event.subsection.version};
      item.texts = {std::string(event.subsection.name),
                    std::string(AsText(event.subsection.payload))};
      break;
    case StreamEvent::kSection:
      item.what = "section";
      item.numbers = {static_cast<uint64_t>(event.section->type),
                      event.section->offset, event.section->id,
                      event.section->instance_id, event.section->version_id};
      item.texts = {std::string(event.section->idstr)};
      break;
    case StreamEvent::kDevice: {
      const Event& device = event.device;
      bool config = device.kind == EventKind::kConfig;
      item.what = "device";
      item.at = device.offset;
      item.numbers = {
          static_cast<uint64_t>(SlowKind(
              device.kind, device.kind == EventKind::kTag ? device.element
                                                          : Element::kNone)),
          config                            ? device.layout.pci_config_bytes
          : device.kind == EventKind::kData ? device.record_bytes
                                            : 0,
          config ? device.layout.msix_vectors : 0};
      item.texts = {std::string(AsText(device.payload))};
      break;
    }
    case StreamEvent::kContent:
      item.what = "record";
      item.numbers = {event.content.size(), due};
      break;
    case StreamEvent::kRamRecord:
      item.what = "ram";
      item.numbers = {event.ram.flags,
                      event.ram.block == nullptr ? 0 : event.ram.page_offset,
                      event.ram.payload_bytes};
      item.texts = {event.ram.block == nullptr ? "" : event.ram.block->name};
      break;
    case StreamEvent::kRamBlock:
      item.what = "block";
      item.numbers = {event.block->used_bytes,    event.block->page_bytes,
                      event.block->has_address,   event.block->address,
                      event.block->bitmap_offset, event.block->pages_offset};
      item.texts = {event.block->name};
      break;
    case StreamEvent::kRamBlocks:
      item.what = "blocks";
      break;
    case StreamEvent::kSectionEnd:
      item.what = "section end";
      item.numbers = {event.content_bytes, event.footer};
      break;
    case StreamEvent::kCommand:
      item.what = "command";
      item.numbers = {static_cast<uint64_t>(event.command.command)};
      item.texts = {std::string(AsText(event.command.data))};
      break;
    case StreamEvent::kEof:
      item.what = "eof";
      break;
    case StreamEvent::kDescription:
      item.what = "description";
      item.numbers = {event.description_bytes};
      break;
    case StreamEvent::kTakenOver:
    case StreamEvent::kFinding:
      break;
  }
  return item;
}

}  // namespace

std::optional<uint64_t> FullLength(uint8_t first) {
  if (first == 0xff) return std::nullopt;
  return first;
}

slow::SlowStream TellStream(ByteSpan bytes) {
  slow::SlowStream told;
  StreamDecoderOptions options;
  bool passing = false;  // Content of which only the length is known.
  options.content_length = [&passing](const SectionView&, ByteSpan input) {
    if (input.empty()) return ContentLength{.kind = ContentLength::kNeedInput};
    std::optional<uint64_t> length = FullLength(input[0]);
    if (!length) return ContentLength{.kind = ContentLength::kUnknown};
    passing = true;
    return ContentLength{.kind = ContentLength::kBytes, .bytes = *length};
  };
  StreamDecoder decoder(options);
  ByteSpan input = bytes;
  StreamEvent event;
  bool at_end = false;
  auto fail = [&](const Error& error) {
    told.end = error.code == ErrorCode::kTruncated ? slow::SlowStream::kCut
                                                   : slow::SlowStream::kWrong;
    told.at = error.offset;
    return told;
  };
  while (true) {
    bool payload = decoder.payload_left() > 0;
    switch (decoder.Next(input, event)) {
      case Step::kEvent: {
        if (event.kind == StreamEvent::kFinding) break;
        if (event.kind == StreamEvent::kDevice &&
            event.device.kind == EventKind::kData &&
            !event.device.starts_record) {
          told.items.back().texts[0] += AsText(event.device.payload);
          break;
        }
        if (event.kind != StreamEvent::kContent) passing = false;
        if (event.kind == StreamEvent::kContent && (payload || passing)) break;
        told.items.push_back(ItemOf(event, decoder.payload_left()));
        break;
      }
      case Step::kNeedInput:
        if (!at_end) {
          at_end = true;
          decoder.SetEndOfInput();
          break;
        }
        if (std::optional<Error> error = decoder.AtEndOfInput(input)) {
          if (!error->ok()) return fail(*error);
          told.at = decoder.offset();
          return told;
        }
        break;
      case Step::kDone:
        told.at = decoder.offset();
        return told;
      case Step::kError:
        return fail(decoder.error());
    }
  }
}

slow::SlowChannel TellChannel(ByteSpan bytes, uint32_t page_bytes) {
  slow::SlowChannel told;
  ChannelDecoder decoder({.page_bytes = page_bytes});
  ByteSpan input = bytes;
  MultifdEvent event;
  while (true) {
    switch (decoder.Next(input, event)) {
      case Step::kEvent:
        switch (event.kind) {
          case MultifdEventKind::kInit:
            told.packets.push_back(
                {"init",
                 event.offset,
                 {event.init.channel_id},
                 {std::string(AsText(event.init.uuid)),
                  std::string(AsText(event.init.reserved))}});
            break;
          case MultifdEventKind::kRamPacket:
            told.packets.push_back(
                {"ram",
                 event.offset,
                 {event.flags, event.ram.allocated_pages,
                  event.ram.normal_pages, event.ram.zero_pages,
                  event.ram.packet_number, event.ram.next_packet_size,
                  event.payload_bytes},
                 {std::string(event.ram.block),
                  std::string(AsText(event.ram.offsets))}});
            break;
          case MultifdEventKind::kDeviceState:
            told.packets.push_back(
                {"device",
                 event.offset,
                 {event.flags, event.device.instance_id, event.payload_bytes},
                 {std::string(event.device.idstr)}});
            break;
          case MultifdEventKind::kPayload:
            break;
        }
        break;
      case Step::kNeedInput:
      case Step::kDone: {
        Error error = decoder.AtEndOfInput("channel", input);
        told.end =
            error.ok() ? slow::SlowChannel::kWhole : slow::SlowChannel::kCut;
        told.at = error.ok() ? decoder.offset() : error.offset;
        return told;
      }
      case Step::kError: {
        Error error = decoder.error("channel");
        told.end = slow::SlowChannel::kWrong;
        told.at = error.offset;
        return told;
      }
    }
  }
}

}  // namespace migstream
