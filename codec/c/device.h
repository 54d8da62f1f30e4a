// A device of the C interface, and a set of them.

#ifndef MIGSTREAM_CODEC_C_DEVICE_H_
#define MIGSTREAM_CODEC_C_DEVICE_H_

#include <deque>
#include <memory>
#include <string>

#include "codec/c/handle.h"
#include "codec/c/migstream.h"
#include "codec/session/migration_device.h"
#include "codec/session/migration_set.h"

struct migstream_device : migstream::c::Handle {
  static constexpr uint32_t kKind = migstream::c::kKinds | 11;

  migstream_device() : Handle(kKind) {}

  std::unique_ptr<migstream::MigrationDevice> device;
  bool in_set = false;
};

struct migstream_set : migstream::c::Handle {
  static constexpr uint32_t kKind = migstream::c::kKinds | 12;

  migstream_set() : Handle(kKind) {}

  std::deque<migstream::c::Use> uses;  // The devices'; they outlive `set`.
  migstream::MigrationSet set;
  migstream_device_report report = {};
  std::string idstr;
  std::string text;
};

namespace migstream::c {

// The part of a call with a session that is a call with its set too: nobody
// else touches the devices meanwhile. What is allocated there is the session's.
migstream_status WithSet(migstream_set* set, const Handle& session,
                         migstream_status (*run)(void* context), void* context);
// A call with a session all of which is such a part.
migstream_status RunCallWithSet(Handle& session, migstream_set* set,
                                migstream_status (*run)(void* context),
                                void* context);

template <typename T, typename Run>
migstream_status CallWithSet(T* session, Run run) {
  if (!Is(session)) return MIGSTREAM_BAD_ARGUMENT;
  return RunCallWithSet(
      *session, session->set,
      [](void* context) -> migstream_status {
        return (*static_cast<Run*>(context))();
      },
      &run);
}

}  // namespace migstream::c

#endif  // MIGSTREAM_CODEC_C_DEVICE_H_
