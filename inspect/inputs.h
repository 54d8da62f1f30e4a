// The files that a verb is given.

#ifndef MIGSTREAM_INSPECT_INPUTS_H_
#define MIGSTREAM_INSPECT_INPUTS_H_

#include <memory>
#include <string>
#include <vector>

#include "codec/qemu/byte_source.h"
#include "codec/qemu/channel_reader.h"
#include "inspect/verb.h"

namespace migstream {

// A file that is no channel of a migration, opened; null, and said why, if that
// cannot be.
std::unique_ptr<ByteSource> OpenInput(const std::string& file);

// The files of one migration, told apart by their first bytes.
struct Inputs {
  std::string file;                  // The main channel's name.
  std::unique_ptr<ByteSource> main;  // Null, and said why, if one cannot be.
  std::vector<std::string> channel_files;
  std::vector<std::unique_ptr<ByteSource>> channels;

  std::vector<ChannelReader::Channel> Channels() const;
};
Inputs OpenInputs(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_INPUTS_H_
