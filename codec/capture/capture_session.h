// Records a migration while it happens: as its destination, or between a source
// and a destination. FORMAT.md sections 2.6, 4.2 and 13.1.
//
//   CaptureOptions options;
//   options.name = "vm";                      // vm.qvm, vm.ch1.qvm, vm.return
//   options.routes = {{listen, forward}};
//   CaptureResult result = RunCapture(options, stop_fd);
//
// Between two hosts each connection is passed on, both ways, whatever becomes
// of the recording: a disk that is full or too slow ends that and not the
// migration. As a destination it answers on the return path, and says that it
// has loaded everything only once all of it is on the disk; where that fails
// the source is told, and keeps its guest.
//
// Each connection has a thread for either direction; one more writes the files
// and follows what is in them. What it finds is said at once. There are as many
// at a time as a migration can have; one that brings nothing is not waited for.

#ifndef MIGSTREAM_CODEC_CAPTURE_CAPTURE_SESSION_H_
#define MIGSTREAM_CODEC_CAPTURE_CAPTURE_SESSION_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codec/capture/socket_address.h"

namespace migstream {

struct CaptureOptions {
  struct Route {
    SocketAddress listen;
    std::optional<SocketAddress> forward;
  };
  // One for each address that the source connects to: CPR has two.
  std::vector<Route> routes;
  std::string name;
  bool replaces = false;  // Files that exist.
  // Called once, before the first file is made. What it returns is a problem.
  std::function<std::string()> on_first;
  // A line for people; called by one thread at a time.
  std::function<void(const std::string& line)> say;
};

struct CaptureResult {
  // Why nothing was captured, or not all of it; empty if all was. It was said.
  std::string problem;
  // Those that were written, the main channel first.
  std::vector<std::string> files;
  bool has_main = false;
};

// Listens, and ends when all connections of a migration are closed. A byte to
// be read from `stop_fd` ends the recording, or if nothing is passed on, all;
// a second one ends all in any case.
CaptureResult RunCapture(const CaptureOptions& options, int stop_fd);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_CAPTURE_CAPTURE_SESSION_H_
