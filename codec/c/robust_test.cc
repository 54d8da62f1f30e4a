// Whatever is done to the C interface, it gives a status: null, the wrong
// order, a call from within a callback, an allocator that fails.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "codec/c/migstream.h"
#include "codec/c/migstream_inspect.h"
#include "codec/c/rig.h"
#include "gtest/gtest.h"

extern "C" void CallAllWithNull(void (*check)(const char* name,
                                              int64_t status));

namespace migstream::c {
namespace {

TEST(RobustTest, NullIsABadArgument) {
  CallAllWithNull([](const char* name, int64_t status) {
    if (std::string(name) == "migstream_destroy" ||
        std::string(name) == "migstream_walk_close") {
      EXPECT_EQ(status, MIGSTREAM_OK);
    } else {
      EXPECT_EQ(status, MIGSTREAM_BAD_ARGUMENT) << name;
    }
  });
}

TEST(RobustTest, AHandleOfAnotherKindIsABadArgument) {
  migstream_return_path_decoder* replies;
  ASSERT_EQ(migstream_return_path_decoder_create(nullptr, &replies),
            MIGSTREAM_OK);
  EXPECT_EQ(migstream_set_run(reinterpret_cast<migstream_set*>(replies)),
            MIGSTREAM_BAD_ARGUMENT);
  const iovec* pieces;
  int count;
  EXPECT_EQ(migstream_get_pieces(replies, &pieces, &count),
            MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(migstream_clear_pieces(replies), MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(migstream_destroy(replies), MIGSTREAM_OK);
}

TEST(RobustTest, OptionsOfALaterHeaderAreTakenIfTheyAskForNothing) {
  struct {
    migstream_return_path_options options;
    uint64_t later;
  } longer = {};
  longer.options.struct_size = sizeof longer;
  migstream_return_path_decoder* replies;
  ASSERT_EQ(migstream_return_path_decoder_create(&longer.options, &replies),
            MIGSTREAM_OK);
  migstream_destroy(replies);
  longer.later = 1;
  EXPECT_EQ(migstream_return_path_decoder_create(&longer.options, &replies),
            MIGSTREAM_NOT_SUPPORTED);
}

TEST(RobustTest, ASizeThatNoHeaderHasIsABadArgument) {
  migstream_return_path_options options = {};
  for (size_t size : {size_t{0}, size_t{7}, size_t{4097}, SIZE_MAX}) {
    options.struct_size = size;
    migstream_return_path_decoder* replies;
    EXPECT_EQ(migstream_return_path_decoder_create(&options, &replies),
              MIGSTREAM_BAD_ARGUMENT)
        << size;
    EXPECT_EQ(replies, nullptr);
  }
}

TEST(RobustTest, OptionsOfAnEarlierHeaderLackWhatCameLater) {
  // All that there was is the allocator, which is not looked at either.
  migstream_reassembler_options options = {};
  options.struct_size = offsetof(migstream_reassembler_options, host_endian);
  options.host_endian = 1;
  options.max_index = 1;
  migstream_reassembler* reassembler;
  ASSERT_EQ(migstream_reassembler_create(&options, &reassembler), MIGSTREAM_OK);
  // The index of this packet is beyond that limit, and its order the network's.
  const std::string packet("\0\0\0\0\0\0\0\2\0\0\0\0data", 16);
  EXPECT_EQ(migstream_reassembler_add(reassembler, "0000:00:05.0/vfio", 0,
                                      packet.data(), packet.size()),
            MIGSTREAM_OK);
  migstream_destroy(reassembler);
}

TEST(RobustTest, ADeviceIsSavedAndLoaded) {
  CountingAllocator allocator;
  MemoryDevice source;
  source.state.assign(5000, 'x');
  migstream_status status;
  const std::string stream = Save(allocator.get(), source, &status);
  ASSERT_EQ(status, MIGSTREAM_OK);
  for (size_t piece : {size_t{1}, size_t{100}, stream.size()}) {
    MemoryDevice destination;
    int32_t outcome = 0;
    ASSERT_EQ(Load(allocator.get(), destination, stream, piece, &outcome),
              MIGSTREAM_OK);
    EXPECT_EQ(outcome, MIGSTREAM_OUTCOME_COMPLETED);
    EXPECT_EQ(destination.loaded, source.state);
    EXPECT_EQ(destination.is, MIGSTREAM_STATE_RUNNING);
  }
  EXPECT_GT(allocator.calls(), 0);
  EXPECT_EQ(allocator.blocks(), 0);
}

TEST(RobustTest, AnAllocatorThatFailsLeavesAStatusAndNoBlock) {
  MemoryDevice source;
  source.state.assign(3000, 'x');
  migstream_status status;
  const std::string stream = Save(nullptr, source, &status);
  ASSERT_EQ(status, MIGSTREAM_OK);
  bool failed = true;
  for (uint64_t n = 0; failed; ++n) {
    CountingAllocator allocator;
    allocator.FailFrom(n);
    Save(allocator.get(), source, &status);
    failed = allocator.has_failed();
    EXPECT_EQ(status, failed ? MIGSTREAM_NO_MEMORY : MIGSTREAM_OK) << n;
  }
  failed = true;
  for (uint64_t n = 0; failed; ++n) {
    CountingAllocator allocator;
    allocator.FailFrom(n);
    MemoryDevice destination;
    int32_t outcome = 0;
    status = Load(allocator.get(), destination, stream, 100, &outcome);
    failed = allocator.has_failed();
    EXPECT_EQ(status, failed ? MIGSTREAM_NO_MEMORY : MIGSTREAM_OK) << n;
  }
}

// What a decoder of a stream with devices, an error, and a model do with it.
migstream_status DecodeAll(const migstream_allocator* allocator,
                           const std::string& stream) {
  migstream_stream_options options = {};
  options.struct_size = sizeof options;
  options.allocator = allocator;
  migstream_stream_decoder* decoder = nullptr;
  migstream_status status = migstream_stream_decoder_create(&options, &decoder);
  iovec input = {const_cast<char*>(stream.data()), stream.size()};
  const migstream_stream_event* event;
  while (status >= MIGSTREAM_OK) {
    status = migstream_stream_decoder_next(decoder, &input, &event);
    if (status != MIGSTREAM_EVENT) break;
  }
  if (status == MIGSTREAM_NEED_INPUT) {
    status = migstream_at_end_of_input(decoder, &input);
  }
  migstream_destroy(decoder);
  return status;
}

TEST(RobustTest, SoDoesADecoderThatEndsInAnError) {
  MemoryDevice source;
  source.state.assign(3000, 'x');
  migstream_status status;
  std::string stream = Save(nullptr, source, &status);
  stream.resize(stream.size() / 2);
  ASSERT_EQ(DecodeAll(nullptr, stream), MIGSTREAM_ERROR);
  bool failed = true;
  for (uint64_t n = 0; failed; ++n) {
    CountingAllocator allocator;
    allocator.FailFrom(n);
    status = DecodeAll(allocator.get(), stream);
    failed = allocator.has_failed();
    EXPECT_EQ(status, failed ? MIGSTREAM_NO_MEMORY : MIGSTREAM_ERROR) << n;
  }
}

TEST(RobustTest, SoDoesAModelsJson) {
  const std::string json =
      R"({"models":{"a.com/nic":{"versions":{"1":{}},"latest":1,"params":{)"
      R"("queues":{"type":"int","init_value":4,"off_value":0}}}}})";
  bool failed = true;
  for (uint64_t n = 0; failed; ++n) {
    CountingAllocator allocator;
    allocator.FailFrom(n);
    migstream_models_options options = {sizeof options, allocator.get()};
    migstream_models* models = nullptr;
    const char* made = nullptr;
    migstream_status status = migstream_models_create(&options, &models);
    if (status == MIGSTREAM_OK) {
      status = migstream_models_parse(models, json.data(), json.size());
    }
    if (status == MIGSTREAM_OK) {
      status = migstream_models_check(models, "a.com/nic,queues=2", &made);
    }
    failed = allocator.has_failed();
    EXPECT_EQ(status, failed ? MIGSTREAM_NO_MEMORY : MIGSTREAM_OK) << n;
    if (!failed) {
      EXPECT_STREQ(made, "a.com/nic,queues=2");
    }
    migstream_destroy(models);
  }
}

// Tries `run` with an allocator that fails at its n-th call, for each n, until
// it does not fail any more.
template <typename Run>
void FailAtEachCall(migstream_status expected, Run run) {
  bool failed = true;
  uint64_t failures = 0;
  for (uint64_t n = 0; failed; ++n) {
    CountingAllocator allocator;
    allocator.FailFrom(n);
    const migstream_status status = run(allocator.get());
    failed = allocator.has_failed();
    failures += failed ? 1 : 0;
    EXPECT_EQ(status, failed ? MIGSTREAM_NO_MEMORY : expected) << n;
  }
  EXPECT_GT(failures, 0);
}

// All that an encoder has to write.
std::string Written(void* encoder) {
  const iovec* pieces;
  int count;
  EXPECT_EQ(migstream_get_pieces(encoder, &pieces, &count), MIGSTREAM_OK);
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(pieces[i].iov_base),
                 pieces[i].iov_len);
  }
  return bytes;
}

constexpr char kIdstr[] = "0000:00:05.0/vfio";

migstream_piece Packet(uint32_t index, int32_t config) {
  migstream_piece packet = {};
  packet.struct_size = sizeof packet;
  packet.idstr = kIdstr;
  packet.idstr_bytes = sizeof kIdstr - 1;
  packet.index = index;
  packet.config = config;
  packet.data = reinterpret_cast<const uint8_t*>("some state of the device");
  packet.data_bytes = 24;
  return packet;
}

// A channel with two packets, the first of which comes last.
migstream_status WriteChannel(const migstream_allocator* allocator,
                              std::string* channel) {
  migstream_channel_options options = {};
  options.struct_size = sizeof options;
  options.allocator = allocator;
  options.name = "a name that is too long for a string without memory";
  migstream_channel_encoder* encoder = nullptr;
  migstream_status status =
      migstream_channel_encoder_create(&options, &encoder);
  if (status != MIGSTREAM_OK) return status;
  const migstream_piece packets[] = {Packet(1, 1), Packet(0, 0)};
  EXPECT_EQ(migstream_channel_encoder_init(encoder, nullptr, 0), MIGSTREAM_OK);
  for (const migstream_piece& packet : packets) {
    EXPECT_EQ(migstream_channel_encoder_packet(encoder, &packet), MIGSTREAM_OK);
  }
  *channel = Written(encoder);
  // No channel has two of these, and the error needs memory for its words.
  status = migstream_channel_encoder_init(encoder, nullptr, 0);
  migstream_destroy(encoder);
  return status;
}

// Decodes it, and puts its packets in order.
migstream_status ReadChannel(const migstream_allocator* allocator,
                             const std::string& channel, int* pieces) {
  migstream_channel_options options = {};
  options.struct_size = sizeof options;
  options.allocator = allocator;
  migstream_reassembler_options all = {};
  all.struct_size = sizeof all;
  all.allocator = allocator;
  migstream_channel_decoder* decoder = nullptr;
  migstream_reassembler* reassembler = nullptr;
  migstream_status status =
      migstream_channel_decoder_create(&options, &decoder);
  if (status == MIGSTREAM_OK) {
    status = migstream_reassembler_create(&all, &reassembler);
  }
  iovec input = {const_cast<char*>(channel.data()), channel.size()};
  const migstream_channel_event* event;
  while (status >= MIGSTREAM_OK &&
         (status = migstream_channel_decoder_next(decoder, &input, &event)) ==
             MIGSTREAM_EVENT) {
    if (event->packet == nullptr) continue;
    status = migstream_reassembler_add(reassembler, kIdstr, event->instance_id,
                                       event->packet, event->packet_bytes);
    const migstream_piece* piece;
    while (status >= MIGSTREAM_OK &&
           (status = migstream_reassembler_next(reassembler, &piece)) ==
               MIGSTREAM_EVENT) {
      ++*pieces;
    }
  }
  if (status == MIGSTREAM_NEED_INPUT) {
    status = migstream_at_end_of_input(decoder, &input);
  }
  if (status == MIGSTREAM_OK) {
    status = migstream_reassembler_finish(reassembler);
  }
  migstream_destroy(decoder);
  migstream_destroy(reassembler);
  return status;
}

TEST(RobustTest, SoDoAChannelAndTheOrderOfItsPackets) {
  std::string channel;
  FailAtEachCall(MIGSTREAM_ERROR, [&](const migstream_allocator* allocator) {
    return WriteChannel(allocator, &channel);
  });
  ASSERT_FALSE(channel.empty());
  int pieces = 0;
  FailAtEachCall(MIGSTREAM_OK, [&](const migstream_allocator* allocator) {
    pieces = 0;
    return ReadChannel(allocator, channel, &pieces);
  });
  EXPECT_EQ(pieces, 2);
  // Cut off within its second packet.
  channel.pop_back();
  FailAtEachCall(MIGSTREAM_ERROR, [&](const migstream_allocator* allocator) {
    return ReadChannel(allocator, channel, &pieces);
  });
}

TEST(RobustTest, SoDoesAPayload) {
  // A record of mlx5 that is cut off.
  const std::string bytes(20, '\0');
  FailAtEachCall(MIGSTREAM_ERROR, [&](const migstream_allocator* allocator) {
    migstream_payload_options options = {};
    options.struct_size = sizeof options;
    options.allocator = allocator;
    options.driver = "mlx5";
    options.device = "a name that is too long for a string without memory";
    migstream_payload_decoder* decoder = nullptr;
    migstream_status status =
        migstream_payload_decoder_create(&options, &decoder);
    iovec input = {const_cast<char*>(bytes.data()), bytes.size()};
    const migstream_payload_event* event;
    while (status >= MIGSTREAM_OK) {
      status = migstream_payload_decoder_next(decoder, &input, &event);
      if (status != MIGSTREAM_EVENT) break;
    }
    if (status == MIGSTREAM_NEED_INPUT) {
      status = migstream_at_end_of_input(decoder, &input);
    }
    migstream_destroy(decoder);
    return status;
  });
}

TEST(RobustTest, SoDoesAReturnPath) {
  // A type that is no message's.
  const std::string bytes("\0\x63\0\0", 4);
  FailAtEachCall(MIGSTREAM_ERROR, [&](const migstream_allocator* allocator) {
    migstream_return_path_options options = {};
    options.struct_size = sizeof options;
    options.allocator = allocator;
    migstream_return_path_decoder* decoder = nullptr;
    migstream_status status =
        migstream_return_path_decoder_create(&options, &decoder);
    iovec input = {const_cast<char*>(bytes.data()), bytes.size()};
    const migstream_reply* reply;
    if (status == MIGSTREAM_OK) {
      status = migstream_return_path_decoder_next(decoder, &input, &reply);
    }
    migstream_destroy(decoder);
    return status;
  });
  FailAtEachCall(MIGSTREAM_ERROR, [](const migstream_allocator* allocator) {
    migstream_return_path_options options = {};
    options.struct_size = sizeof options;
    options.allocator = allocator;
    migstream_return_path_encoder* encoder = nullptr;
    migstream_status status =
        migstream_return_path_encoder_create(&options, &encoder);
    // A bitmap of a block without a name.
    migstream_reply reply = {};
    reply.struct_size = sizeof reply;
    reply.type = MIGSTREAM_REPLY_RECV_BITMAP;
    if (status == MIGSTREAM_OK) {
      status = migstream_return_path_encoder_send(encoder, &reply, nullptr, 0);
    }
    migstream_destroy(encoder);
    return status;
  });
}

struct Reentry {
  migstream_stream_decoder* decoder = nullptr;
  std::vector<migstream_status> statuses = {};
};

int32_t CallBack(void* context, const migstream_section*, const void*, size_t,
                 uint64_t*) {
  Reentry& reentry = *static_cast<Reentry*>(context);
  iovec input = {nullptr, 0};
  const migstream_stream_event* event;
  reentry.statuses = {
      migstream_stream_decoder_next(reentry.decoder, &input, &event),
      migstream_destroy(reentry.decoder)};
  return MIGSTREAM_LENGTH_UNKNOWN;
}

TEST(RobustTest, ACallFromItsOwnCallbackIsRefused) {
  migstream_stream_options options = {};
  options.struct_size = sizeof options;
  Reentry reentry;
  options.context = &reentry;
  options.content_length = CallBack;
  migstream_stream_encoder* writer;
  ASSERT_EQ(migstream_stream_encoder_create(&options, &writer), MIGSTREAM_OK);
  migstream_section section = {};
  section.struct_size = sizeof section;
  section.type = MIGSTREAM_SECTION_FULL;
  section.idstr = "timer";
  section.idstr_bytes = 5;
  ASSERT_EQ(migstream_stream_encoder_header(writer), MIGSTREAM_OK);
  ASSERT_EQ(migstream_stream_encoder_section(writer, &section), MIGSTREAM_OK);
  ASSERT_EQ(migstream_stream_encoder_content(writer, "123", 3), MIGSTREAM_OK);
  ASSERT_EQ(migstream_stream_encoder_end_section(writer, 1), MIGSTREAM_OK);
  const iovec* pieces;
  int count;
  std::string stream;
  migstream_get_pieces(writer, &pieces, &count);
  for (int i = 0; i < count; ++i) {
    stream.append(static_cast<const char*>(pieces[i].iov_base),
                  pieces[i].iov_len);
  }
  migstream_destroy(writer);

  ASSERT_EQ(migstream_stream_decoder_create(&options, &reentry.decoder),
            MIGSTREAM_OK);
  iovec input = {stream.data(), stream.size()};
  const migstream_stream_event* event;
  migstream_status status;
  while ((status = migstream_stream_decoder_next(reentry.decoder, &input,
                                                 &event)) == MIGSTREAM_EVENT) {
  }
  EXPECT_EQ(status, MIGSTREAM_ERROR);
  EXPECT_EQ(reentry.statuses, (std::vector<migstream_status>{
                                  MIGSTREAM_REENTERED, MIGSTREAM_REENTERED}));
  EXPECT_EQ(migstream_destroy(reentry.decoder), MIGSTREAM_OK);
}

void ExpectInUse(migstream_set* set) {
  const migstream_device_report* report;
  EXPECT_EQ(migstream_set_reset(set), MIGSTREAM_REENTERED);
  EXPECT_EQ(migstream_set_report(set, 0, &report), MIGSTREAM_REENTERED);
  EXPECT_EQ(migstream_destroy(set), MIGSTREAM_REENTERED);
}

TEST(RobustTest, ADeviceThatIsReadCannotTouchItsSet) {
  MemoryDevice source;
  source.state.assign(3000, 'x');
  int reads = 0;
  source.on_read = [&] {
    ++reads;
    ExpectInUse(source.set);
  };
  migstream_status status;
  EXPECT_FALSE(Save(nullptr, source, &status).empty());
  EXPECT_EQ(status, MIGSTREAM_OK);
  EXPECT_GT(reads, 2);
}

TEST(RobustTest, ADeviceThatIsWrittenCannotTouchItsSetOrItsSession) {
  MemoryDevice source;
  source.state.assign(3000, 'x');
  migstream_status status;
  std::string channel;
  const std::string stream = Save(nullptr, source, &status, &channel);
  ASSERT_EQ(status, MIGSTREAM_OK);
  MemoryDevice destination;
  int writes = 0;
  destination.on_write = [&] {
    ++writes;
    ExpectInUse(destination.set);
    migstream_load* load = destination.load;
    iovec input = {nullptr, 0};
    EXPECT_EQ(migstream_load_interrupts_ready(load), MIGSTREAM_REENTERED);
    EXPECT_EQ(migstream_load_feed_channel(load, 0, &input),
              MIGSTREAM_REENTERED);
    EXPECT_EQ(migstream_destroy(load), MIGSTREAM_REENTERED);
  };
  int32_t outcome = 0;
  EXPECT_EQ(
      Load(nullptr, destination, stream, stream.size(), &outcome, &channel),
      MIGSTREAM_OK);
  EXPECT_EQ(outcome, MIGSTREAM_OUTCOME_COMPLETED);
  EXPECT_EQ(destination.loaded, source.state);
  // From the main channel, and from the other one.
  EXPECT_GT(writes, 1);
}

TEST(RobustTest, AChannelThatIsNotThereIsABadArgument) {
  migstream_set* set;
  ASSERT_EQ(migstream_set_create(nullptr, &set), MIGSTREAM_OK);
  migstream_load_options options = {};
  options.struct_size = sizeof options;
  options.dialect = MIGSTREAM_DIALECT_V111M;
  options.channels = 2;
  migstream_load* load;
  ASSERT_EQ(migstream_load_create(set, &options, &load), MIGSTREAM_OK);
  iovec input = {nullptr, 0};
  EXPECT_EQ(migstream_load_feed_channel(load, 2, &input),
            MIGSTREAM_BAD_ARGUMENT);
  EXPECT_EQ(migstream_load_feed_channel(load, 1, &input), MIGSTREAM_OK);
  migstream_destroy(load);
  migstream_destroy(set);
}

TEST(RobustTest, WhoeverWaitsForALoadIsLetGoWithoutMemoryToo) {
  CountingAllocator allocator;
  migstream_set_options set_options = {sizeof set_options, allocator.get()};
  migstream_set* set;
  ASSERT_EQ(migstream_set_create(&set_options, &set), MIGSTREAM_OK);
  migstream_load_options options = {};
  options.struct_size = sizeof options;
  options.dialect = MIGSTREAM_DIALECT_V111M;
  options.channels = 1;
  migstream_load* load;
  ASSERT_EQ(migstream_load_create(set, &options, &load), MIGSTREAM_OK);
  allocator.FailFrom(0);
  // What is no channel is an error, whose text there is no memory for.
  std::string channel(100, 'x');
  iovec input = {channel.data(), channel.size()};
  EXPECT_EQ(migstream_load_feed_channel(load, 0, &input), MIGSTREAM_NO_MEMORY);
  EXPECT_EQ(migstream_load_cancel(load), MIGSTREAM_OK);
  EXPECT_EQ(migstream_load_start(load), MIGSTREAM_NO_MEMORY);
  migstream_destroy(load);
  migstream_destroy(set);
}

TEST(RobustTest, WhatTheEndOfInputBringsToLightIsAViewOfWhatWasLeft) {
  MemoryDevice source;
  source.state.assign(100, 'x');
  migstream_status status;
  const std::string stream = Save(nullptr, source, &status);
  int found = 0;
  for (size_t cut = 0; cut < stream.size(); ++cut) {
    migstream_stream_decoder* decoder;
    ASSERT_EQ(migstream_stream_decoder_create(nullptr, &decoder), MIGSTREAM_OK);
    iovec input = {const_cast<char*>(stream.data()), cut};
    const migstream_stream_event* event;
    do {
      status = migstream_stream_decoder_next(decoder, &input, &event);
    } while (status == MIGSTREAM_EVENT);
    ASSERT_EQ(status, MIGSTREAM_NEED_INPUT);
    if (migstream_at_end_of_input(decoder, &input) == MIGSTREAM_EVENT) {
      ++found;
      std::string copy(static_cast<const char*>(input.iov_base), input.iov_len);
      iovec elsewhere = {copy.data(), copy.size()};
      EXPECT_EQ(migstream_stream_decoder_next(decoder, &elsewhere, &event),
                MIGSTREAM_BAD_ARGUMENT);
      EXPECT_EQ(migstream_stream_decoder_next(decoder, &input, &event),
                MIGSTREAM_EVENT);
    }
    migstream_destroy(decoder);
  }
  EXPECT_GT(found, 0);
}

TEST(RobustTest, PciIdsHave16Bits) {
  migstream_payload_options options = {};
  options.struct_size = sizeof options;
  options.has_ids = 1;
  options.vendor_id = 0x15b3;
  options.device_id = 0x1101e;
  migstream_payload_decoder* decoder;
  EXPECT_EQ(migstream_payload_decoder_create(&options, &decoder),
            MIGSTREAM_BAD_ARGUMENT);
  options.device_id = 0x101e;
  EXPECT_EQ(migstream_payload_decoder_create(&options, &decoder), MIGSTREAM_OK);
  migstream_destroy(decoder);
}

TEST(RobustTest, AWalkTakesNoPipeAndDoesNotWaitForOne) {
  const std::string pipe = testing::TempDir() + "/robust_test_pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  migstream_walk* walk;
  errno = 0;
  EXPECT_EQ(migstream_walk_open(pipe.c_str(), nullptr, &walk), MIGSTREAM_ERROR);
  EXPECT_EQ(errno, ESPIPE);
  EXPECT_EQ(walk, nullptr);
  unlink(pipe.c_str());
  // Nor standard input.
  EXPECT_EQ(migstream_walk_open("-", nullptr, &walk), MIGSTREAM_ERROR);
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace migstream::c
