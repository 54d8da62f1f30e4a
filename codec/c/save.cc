// Saving the devices of a set, for C.

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "codec/c/device.h"
#include "codec/c/event.h"
#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/c/values.h"
#include "codec/session/channel_output.h"
#include "codec/session/save_session.h"

using namespace migstream;     // NOLINT: this file is the C side.
using namespace migstream::c;  // NOLINT

namespace {

class CallerOutput : public ChannelOutput {
 public:
  CallerOutput(const migstream_save_options& options, uint32_t channel)
      : write_(options.write), context_(options.context), channel_(channel) {}

  int Write(std::span<const iovec> pieces) override {
    return ErrnoOf(write_(context_, channel_, pieces.data(),
                          static_cast<int>(pieces.size())));
  }

 private:
  int (*const write_)(void*, uint32_t, const iovec*, int);
  void* const context_;
  const uint32_t channel_;
};

SaveOptions OptionsOf(const migstream_save_options& given,
                      const Dialect& dialect,
                      std::deque<CallerOutput>& outputs) {
  SaveOptions options;
  options.dialect = &dialect;
  for (uint32_t i = 0; i <= given.channels; ++i) {
    outputs.emplace_back(given, i);
    if (i != 0) options.channels.push_back(&outputs.back());
  }
  std::copy(std::begin(given.uuid), std::end(given.uuid), options.uuid.begin());
  options.section_ids.assign(given.section_ids,
                             given.section_ids + given.section_id_count);
  options.footers = given.no_footers == 0;
  options.return_path = given.no_return_path == 0;
  options.switchover_ack = given.switchover_ack != 0;
  options.switchover_ack_legacy = given.switchover_ack_legacy != 0;
  options.config_load_ready = given.config_load_ready != 0;
  options.skip_empty_parts = given.skip_empty_parts != 0;
  options.trust_shut = given.trust_shut != 0;
  if (given.record_bytes != 0) options.record_bytes = given.record_bytes;
  return options;
}

}  // namespace

struct migstream_save : Handle {
  static constexpr uint32_t kKind = kKinds | 13;

  migstream_save(migstream_set& of, const migstream_save_options& given,
                 const Dialect& dialect)
      : Handle(kKind),
        use(of),
        set(&of),
        options(OptionsOf(given, dialect, outputs)),
        session(of.set, outputs.front(), options) {}

  migstream_status Finish(const Outcome& outcome, int32_t* kind) {
    switch (outcome.kind) {
      case Outcome::kCompleted:
        *kind = MIGSTREAM_OUTCOME_COMPLETED;
        return MIGSTREAM_OK;
      case Outcome::kAborted:
        *kind = MIGSTREAM_OUTCOME_ABORTED;
        break;
      case Outcome::kUnknown:
        *kind = MIGSTREAM_OUTCOME_UNKNOWN;
        break;
    }
    Fail(outcome.error);
    return MIGSTREAM_OK;
  }

  const Use use;
  migstream_set* const set;
  std::deque<CallerOutput> outputs;
  const SaveOptions options;
  SaveSession session;
  migstream_pending pending = {};
};

namespace {

template <typename Run>
migstream_status SaveCall(migstream_save* save, Run run) {
  return CallWithSet(save,
                     [&]() -> migstream_status { return run(save->session); });
}

template <typename Run>
migstream_status SaveStep(migstream_save* save, Run run) {
  return SaveCall(
      save, [&](SaveSession& session) { return save->Check(run(session)); });
}

}  // namespace

extern "C" {

migstream_status migstream_save_create(migstream_set* set,
                                       const migstream_save_options* options,
                                       migstream_save** save) {
  if (save == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *save = nullptr;
  if (!Is(set)) return MIGSTREAM_BAD_ARGUMENT;
  migstream_save_options given;
  migstream_status status = ReadOptions(options, &given);
  if (status != MIGSTREAM_OK) return status;
  constexpr uint32_t kMostChannels = 1024;
  if (given.write == nullptr || given.channels > kMostChannels ||
      !IsBytes(given.section_ids, given.section_id_count)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  const Dialect* dialect = given.dialect == MIGSTREAM_DIALECT_AUTO
                               ? &GetDialect(DialectId::kV111)
                               : DialectOf(given.dialect);
  if (dialect == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  const migstream_allocator allocator = AllocatorOf(*set);
  return Make(&allocator, save, *set, given, *dialect);
}

migstream_status migstream_save_write_head(migstream_save* save,
                                           const char* machine_type) {
  if (machine_type == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  return SaveStep(save, [&](SaveSession& session) {
    return session.WriteHead(machine_type);
  });
}

migstream_status migstream_save_start(migstream_save* save) {
  return SaveStep(save, [](SaveSession& session) { return session.Start(); });
}

migstream_status migstream_save_iterate(migstream_save* save,
                                        uint64_t max_bytes, uint64_t* bytes) {
  if (bytes == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *bytes = 0;
  return SaveCall(save, [&](SaveSession& session) -> migstream_status {
    Pace pace;
    if (max_bytes != 0) pace.max_bytes = max_bytes;
    Progress progress;
    const Error error = session.Iterate(pace, &progress);
    *bytes = progress.bytes;
    if (!error.ok()) return save->Fail(error);
    return progress.idle ? MIGSTREAM_DONE : MIGSTREAM_OK;
  });
}

migstream_status migstream_save_get_pending(migstream_save* save, int32_t exact,
                                            const migstream_pending** pending) {
  if (pending == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  *pending = nullptr;
  return SaveCall(save, [&](SaveSession& session) -> migstream_status {
    PendingBytes bytes;
    const Error error = session.GetPending(&bytes, exact != 0);
    if (!error.ok()) return save->Fail(error);
    save->pending = {.struct_size = sizeof(migstream_pending),
                     .initial = bytes.initial,
                     .dirty = bytes.dirty,
                     .stop_copy = bytes.stop_copy,
                     .stop_copy_is_guess = bytes.stop_copy_is_guess ? 1 : 0,
                     .switchover_allowed = session.SwitchoverAllowed() ? 1 : 0};
    *pending = &save->pending;
    return MIGSTREAM_OK;
  });
}

migstream_status migstream_save_on_return_path(migstream_save* save,
                                               iovec* input) {
  if (!IsInput(input)) return MIGSTREAM_BAD_ARGUMENT;
  return SaveStep(save, [&](SaveSession& session) {
    return TakeFrom(*input,
                    [&](ByteSpan& rest) { return session.OnReturnPath(rest); });
  });
}

migstream_status migstream_save_switchover(migstream_save* save) {
  return SaveCall(save, [&](SaveSession& session) {
    const Error error = session.Switchover();
    return error.code == ErrorCode::kSessionNeedsPreCopy
               ? migstream_status{MIGSTREAM_NEED_INPUT}
               : save->Check(error);
  });
}

migstream_status migstream_save_complete(migstream_save* save,
                                         const migstream_config* const* configs,
                                         size_t count) {
  if (!IsBytes(configs, count)) return MIGSTREAM_BAD_ARGUMENT;
  return SaveCall(save, [&](SaveSession& session) -> migstream_status {
    std::vector<SavedConfig> all;
    for (size_t i = 0; i < count; ++i) {
      SavedConfig& saved = all.emplace_back();
      if (configs[i] == nullptr) return MIGSTREAM_BAD_ARGUMENT;
      const migstream_status status = ConfigViewOf(configs[i], &saved.config);
      if (status != MIGSTREAM_OK) return status;
      if (!SubsectionsOf(*configs[i], &saved.subsections)) {
        return MIGSTREAM_BAD_ARGUMENT;
      }
    }
    return save->Check(session.Complete(all));
  });
}

migstream_status migstream_save_write_eof(migstream_save* save,
                                          const void* json, size_t bytes) {
  if (!IsBytes(json, bytes)) return MIGSTREAM_BAD_ARGUMENT;
  return SaveStep(save, [&](SaveSession& session) {
    return session.WriteEof(Bytes(json, bytes));
  });
}

migstream_status migstream_save_finish(migstream_save* save, int32_t* outcome) {
  if (outcome == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  return SaveCall(save, [&](SaveSession& session) {
    return save->Finish(session.Finish(), outcome);
  });
}

migstream_status migstream_save_decide(migstream_save* save,
                                       int32_t runs_at_destination,
                                       int32_t* outcome) {
  if (outcome == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  return SaveCall(save, [&](SaveSession& session) {
    return save->Finish(session.Decide(runs_at_destination != 0), outcome);
  });
}

migstream_status migstream_save_cancel(migstream_save* save) {
  return SaveStep(save, [](SaveSession& session) { return session.Cancel(); });
}

}  // extern "C"
