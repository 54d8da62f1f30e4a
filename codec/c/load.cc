// Loading the devices of a set, for C.

#include <string>
#include <utility>
#include <vector>

#include "codec/c/device.h"
#include "codec/c/end_event.h"
#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/reply.h"
#include "codec/c/stream_event.h"
#include "codec/c/values.h"
#include "codec/session/load_session.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

migstream_status OptionsOf(const migstream_load_options& given,
                           LoadOptions* options) {
  options->dialect = given.dialect == MIGSTREAM_DIALECT_AUTO
                         ? &GetDialect(DialectId::kV111)
                         : DialectOf(given.dialect);
  constexpr uint32_t kMostChannels = 1024;
  if (options->dialect == nullptr || given.channels > kMostChannels ||
      !IsBytes(given.hints, given.hint_count)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  options->channels = given.channels;
  if (given.page_bytes != 0) options->page_bytes = given.page_bytes;
  options->return_path = given.no_return_path == 0;
  options->switchover_ack = given.switchover_ack != 0;
  options->switchover_ack_legacy = given.switchover_ack_legacy != 0;
  options->wait_for_interrupts = given.wait_for_interrupts != 0;
  if (given.has_footers != 0) options->footers = given.footers != 0;
  if (given.max_queue_bytes != 0) {
    options->limits.queue_bytes = given.max_queue_bytes;
  }
  if (given.content_length != nullptr) {
    options->content_length = [ask = given.content_length,
                               context = given.context](
                                  const SectionView& section, ByteSpan input) {
      return AskLength(ask, context, section, input);
    };
  }
  for (size_t i = 0; i < given.hint_count; ++i) {
    const migstream_status status =
        HintsOf(given.hints[i], &options->config_hints.emplace_back());
    if (status != MIGSTREAM_OK) return status;
  }
  return MIGSTREAM_OK;
}

}  // namespace

struct migstream_load : Handle {
  static constexpr uint32_t kKind = kKinds | 14;

  migstream_load(migstream_set& of, const LoadOptions& options)
      : Handle(kKind),
        use(of),
        set(&of),
        channels(options.channels),
        session(of.set, options) {}

  migstream_status GetPosition(const migstream_position** out) override {
    position = PositionOf(session.decoder());
    *out = &position;
    return MIGSTREAM_OK;
  }

  migstream_status AtEndOfInput(ByteSpan left) override {
    auto find = [&]() -> migstream_status {
      Error error;
      const migstream_status status =
          end.Find(session, session.decoder(), left, action, &error);
      return status == MIGSTREAM_ERROR ? Fail(error) : status;
    };
    return WithSet(
        set, *this,
        [](void* context) -> migstream_status {
          return (*static_cast<decltype(find)*>(context))();
        },
        &find);
  }

  const migstream_action* Give() {
    out = {};
    out.struct_size = sizeof out;
    out.kind = action.kind;
    out.device = action.device;
    switch (action.kind) {
      case LoadAction::kStream:
        out.event = event.Give();
        break;
      case LoadAction::kOpenReturnPath:
        break;
      case LoadAction::kReply:
        reply = ReplyOf(action.reply);
        out.reply = &reply;
        break;
      case LoadAction::kApplyConfig:
        config = ConfigOf(action.config);
        subsections.clear();
        for (const SubsectionView& each : action.subsections) {
          subsections.push_back({.name = each.name.data(),
                                 .name_bytes = each.name.size(),
                                 .payload = each.payload.data(),
                                 .payload_bytes = each.payload.size(),
                                 .version = each.version,
                                 .reserved = 0});
        }
        config.subsections = subsections.data();
        config.subsection_count = subsections.size();
        out.config = &config;
        break;
    }
    return &out;
  }

  const Use use;
  migstream_set* const set;
  const uint32_t channels;
  LoadSession session;
  LoadAction action;
  EndEvent end;
  migstream_action out = {};
  StreamEventOut event{action.event};
  migstream_reply reply = {};
  migstream_config config = {};
  std::vector<migstream_subsection> subsections;
  migstream_position position = {};
};

constexpr int32_t NumberOfAction(LoadAction::Kind kind) { return kind; }
static_assert(NumberOfAction(LoadAction::kStream) == MIGSTREAM_ACTION_STREAM);
static_assert(NumberOfAction(LoadAction::kOpenReturnPath) ==
              MIGSTREAM_ACTION_OPEN_RETURN_PATH);
static_assert(NumberOfAction(LoadAction::kReply) == MIGSTREAM_ACTION_REPLY);
static_assert(NumberOfAction(LoadAction::kApplyConfig) ==
              MIGSTREAM_ACTION_APPLY_CONFIG);

namespace {

template <typename Run>
migstream_status LoadCall(migstream_load* load, Run run) {
  return CallWithSet(load,
                     [&]() -> migstream_status { return run(load->session); });
}

}  // namespace

extern "C" {

migstream_status migstream_load_create(migstream_set* set,
                                       const migstream_load_options* options,
                                       migstream_load** load) {
  if (load == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *load = nullptr;
  migstream_load_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  return Call(set, [&]() -> migstream_status {
    LoadOptions to;
    const migstream_status is = OptionsOf(given, &to);
    if (is != MIGSTREAM_OK) return is;
    const migstream_allocator allocator = AllocatorOf(*set);
    return Make(&allocator, load, *set, to);
  });
}

migstream_status migstream_load_start(migstream_load* load) {
  return LoadCall(
      load, [&](LoadSession& session) { return load->Check(session.Start()); });
}

migstream_status migstream_load_next(migstream_load* load, iovec* input,
                                     const migstream_action** action) {
  if (!IsInput(input) || action == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *action = nullptr;
  return LoadCall(load, [&](LoadSession& session) -> migstream_status {
    if (!load->end.MayBeGiven(Bytes(*input))) return MIGSTREAM_BAD_ARGUMENT;
    const Step step = TakeFrom(*input, [&](ByteSpan& rest) {
      return load->end.Next(session, rest, load->action);
    });
    if (step == Step::kError) return load->Fail(session.error());
    if (step == Step::kEvent) *action = load->Give();
    return StatusOf(step);
  });
}

migstream_status migstream_load_take_over(migstream_load* load,
                                          uint64_t bytes) {
  return LoadCall(load, [&](LoadSession& session) -> migstream_status {
    StreamDecoder& decoder = session.decoder();
    if (decoder.TakeOver(bytes) != Step::kError) return MIGSTREAM_OK;
    return load->Fail(decoder.error());
  });
}

migstream_status migstream_load_end_content(migstream_load* load) {
  return LoadCall(load, [&](LoadSession& session) -> migstream_status {
    StreamDecoder& decoder = session.decoder();
    if (decoder.EndContent() != Step::kError) return MIGSTREAM_OK;
    return load->Fail(decoder.error());
  });
}

migstream_status migstream_load_feed_channel(migstream_load* load,
                                             uint32_t channel, iovec* input) {
  if (!Is(load) || !IsInput(input) || channel >= load->channels) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  return CallShared(load, [&]() -> migstream_status {
    return CallShared(load->set, [&]() -> migstream_status {
      MemoryScope scope(load->memory());
      const Error error = TakeFrom(*input, [&](ByteSpan& rest) {
        return load->session.FeedChannel(channel, rest);
      });
      return error.ok() ? MIGSTREAM_OK : MIGSTREAM_ERROR;
    });
  });
}

migstream_status migstream_load_interrupts_ready(migstream_load* load) {
  return LoadCall(load, [](LoadSession& session) {
    session.InterruptsReady();
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_load_cancel(migstream_load* load) {
  if (!Is(load)) return MIGSTREAM_BAD_ARGUMENT;
  // Without a CallShared(): who waits has to go on where there is no memory,
  // too, and text as short as this needs none.
  load->session.Cancel({ErrorCode::kSessionIncomplete, 0, "", "was cancelled"});
  return MIGSTREAM_OK;
}

migstream_status migstream_load_check_complete(migstream_load* load) {
  return LoadCall(load, [&](LoadSession& session) {
    return load->Check(session.Missing());
  });
}

migstream_status migstream_load_finish(migstream_load* load, int32_t* outcome,
                                       const migstream_reply** shut) {
  if (outcome == nullptr || shut == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *shut = nullptr;
  return LoadCall(load, [&](LoadSession& session) {
    const Outcome result = session.Finish();
    const bool completed = result.kind == Outcome::kCompleted;
    *outcome =
        completed ? MIGSTREAM_OUTCOME_COMPLETED : MIGSTREAM_OUTCOME_ABORTED;
    if (!completed) load->Fail(result.error);
    load->reply = ReplyOf(session.Shut());
    *shut = &load->reply;
    return MIGSTREAM_OK;
  });
}

}  // extern "C"
