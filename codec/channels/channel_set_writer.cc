#include "codec/channels/channel_set_writer.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "codec/channels/channel_source.h"
#include "codec/multifd/channel_encoder.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

constexpr size_t kMaxChannels = 256;  // Their ids are bytes.

void WritePieces(ChannelEncoder& encoder, ByteSink& sink) {
  for (const iovec& piece : encoder.pieces()) {
    sink.Write(
        ByteSpan(static_cast<const uint8_t*>(piece.iov_base), piece.iov_len));
  }
  encoder.Clear();
}

}  // namespace

struct ChannelSetWriter::Channel {
  Channel(ByteSink& sink, const ChannelSetOptions& options)
      : sink(sink),
        encoder(headers, pieces,
                {.page_bytes = options.page_bytes,
                 .host_endian = options.host_endian}) {}

  ByteSink& sink;
  uint8_t headers[ChannelEncoder::kMinHeaderBytes];
  iovec pieces[ChannelEncoder::kMinPieces];
  ChannelEncoder encoder;
};

ChannelSetWriter::ChannelSetWriter(const std::vector<ByteSink*>& channels,
                                   const ChannelSetOptions& options)
    : options_(options),
      distributor_(static_cast<uint32_t>(channels.size()), options.choice,
                   options.limits) {
  if (channels.empty() || channels.size() > kMaxChannels) {
    Fail(ErrorCode::kNotWritable,
         StrCat(channels.size(), " channels, expected 1 to ", kMaxChannels));
    return;
  }
  for (size_t i = 0; i < channels.size(); ++i) {
    channels_.push_back(std::make_unique<Channel>(*channels[i], options_));
    Channel& channel = *channels_.back();
    MultifdInit init;
    init.uuid = options_.uuid;
    init.channel_id = static_cast<uint8_t>(i);
    Write(channel, channel.encoder.Init(init));
  }
}

ChannelSetWriter::~ChannelSetWriter() = default;

Error ChannelSetWriter::Data(std::string_view idstr, uint32_t instance_id,
                             ByteSpan data) {
  Error error = DataStart(idstr, instance_id, data.size());
  return error.ok() ? Payload(data) : error;
}

Error ChannelSetWriter::DataStart(std::string_view idstr, uint32_t instance_id,
                                  uint64_t bytes) {
  if (!error_.ok()) return error_;
  if (packet_left_ != 0 || data_left_ != 0) {
    return Fail(ErrorCode::kMissingPayload,
                StrCat("data, but what came before lacks ",
                       packet_left_ + data_left_, " bytes"));
  }
  idstr_ = std::string(idstr);
  instance_id_ = instance_id;
  data_left_ = bytes;
  return {};
}

// A packet of the data or config of idstr_.
Error ChannelSetWriter::StartPacket(uint32_t data_bytes, bool config) {
  DistributedPacket packet;
  error_ = config ? distributor_.Config(idstr_, instance_id_, packet)
                  : distributor_.Data(idstr_, instance_id_, packet);
  if (!error_.ok()) return error_;
  current_ = packet.channel;
  Channel& channel = *channels_[current_];
  return Write(channel, channel.encoder.VfioPacketStart(
                            packet.device, packet.header, data_bytes));
}

Error ChannelSetWriter::Payload(ByteSpan piece) {
  if (!error_.ok()) return error_;
  if (piece.size() > packet_left_ + data_left_) {
    return Fail(ErrorCode::kRecordOverrun, "more data than was announced");
  }
  uint32_t header_bytes = VfioPacketHeader::kBytes;
  uint64_t most = std::min<uint64_t>(
      options_.packet_data_bytes,
      std::max(options_.limits.packet_bytes, header_bytes) - header_bytes);
  while (!piece.empty()) {
    if (packet_left_ == 0) {
      packet_left_ = static_cast<uint32_t>(
          std::min(data_left_, std::max<uint64_t>(most, 1)));
      data_left_ -= packet_left_;
      if (Error error = StartPacket(packet_left_, false); !error.ok()) {
        return error;
      }
    }
    ByteSpan here = piece.first(std::min<size_t>(piece.size(), packet_left_));
    piece = piece.subspan(here.size());
    packet_left_ -= static_cast<uint32_t>(here.size());
    Channel& channel = *channels_[current_];
    if (Error error = Write(channel, channel.encoder.Payload(here));
        !error.ok()) {
      return error;
    }
  }
  return {};
}

Error ChannelSetWriter::Config(std::string_view idstr, uint32_t instance_id,
                               ByteSpan config) {
  if (Error error = DataStart(idstr, instance_id, 0); !error.ok()) {
    return error;
  }
  uint64_t bytes = config.size() + VfioPacketHeader::kBytes;
  if (bytes > options_.limits.packet_bytes) {
    return Fail(ErrorCode::kMultifdPacketLimit,
                StrCat("a config packet of ", bytes,
                       " bytes, the limit "
                       "is ",
                       options_.limits.packet_bytes));
  }
  Error error = StartPacket(static_cast<uint32_t>(config.size()), true);
  if (!error.ok()) return error;
  Channel& channel = *channels_[current_];
  return Write(channel, channel.encoder.Payload(config));
}

Error ChannelSetWriter::Ram(std::string_view block,
                            std::span<const uint64_t> normal,
                            std::span<const uint64_t> zero, ByteSpan pages) {
  if (Error error = DataStart("", 0, 0); !error.ok()) return error;
  uint64_t slots = RamPacketSlots(options_.page_bytes);
  if (normal.size() > slots || zero.size() > slots - normal.size() ||
      pages.size() != normal.size() * options_.page_bytes) {
    return Fail(ErrorCode::kMultifdPages,
                StrCat(normal.size(), " normal and ", zero.size(),
                       " zero pages with ", pages.size(), " bytes"));
  }
  offsets_.resize(8 * (normal.size() + zero.size()));
  uint8_t* at = offsets_.data();
  for (std::span<const uint64_t> kind : {normal, zero}) {
    for (uint64_t offset : kind) {
      StoreBe64(at, offset);
      at += 8;
    }
  }
  RamPacket packet;
  packet.allocated_pages = static_cast<uint32_t>(slots);
  packet.normal_pages = static_cast<uint32_t>(normal.size());
  packet.next_packet_size = static_cast<uint32_t>(pages.size());
  packet.packet_number = packet_number_++;
  packet.zero_pages = static_cast<uint32_t>(zero.size());
  packet.block = block;
  packet.offsets = offsets_;
  Channel& channel = *channels_[ram_turn_++ % channels_.size()];
  Error error = Write(channel, channel.encoder.Ram(0, packet));
  return error.ok() ? Write(channel, channel.encoder.Payload(pages)) : error;
}

Error ChannelSetWriter::Sync() {
  if (Error error = DataStart("", 0, 0); !error.ok()) return error;
  for (auto& channel : channels_) {
    Write(*channel, channel->encoder.Sync(packet_number_++));
  }
  return error_;
}

Error ChannelSetWriter::Finish() {
  if (Error error = DataStart("", 0, 0); !error.ok()) return error;
  return distributor_.Finish();
}

Error ChannelSetWriter::Write(Channel& channel, Put put) {
  WritePieces(channel.encoder, channel.sink);
  if (put != Put::kDone && error_.ok()) {
    error_ = channel.encoder.error(idstr_);
  }
  return error_;
}

Error ChannelSetWriter::Fail(ErrorCode code, std::string reason) {
  error_ = {code, 0, idstr_, std::move(reason)};
  return error_;
}

Error RepackChannel(std::string_view name, ByteSource& source, ByteSink& sink,
                    const ChannelOptions& options) {
  ChannelSource channel(std::string(name), source, options);
  uint8_t headers[ChannelEncoder::kMinHeaderBytes];
  iovec pieces[ChannelEncoder::kMinPieces];
  ChannelEncoder encoder(headers, pieces, {.page_bytes = options.page_bytes});
  MultifdEvent event;
  while (channel.Next(event) == Step::kEvent) {
    Put put = encoder.Append(event);
    WritePieces(encoder, sink);
    // A defect of this library, since the decoder has taken it.
    if (put != Put::kDone) {
      return OfChannel(name, encoder.error(kMultifdSection));
    }
  }
  if (channel.error().code == ErrorCode::kTruncated) {
    sink.Write(channel.rest());
  }
  return channel.error();
}

}  // namespace migstream
