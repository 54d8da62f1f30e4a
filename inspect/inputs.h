// The files that a verb is given.

#ifndef MIGSTREAM_INSPECT_INPUTS_H_
#define MIGSTREAM_INSPECT_INPUTS_H_

#include <memory>
#include <string>
#include <vector>

#include "codec/qemu/byte_source.h"
#include "codec/qemu/channel_reader.h"
#include "codec/rewrite/rewrite.h"
#include "inspect/verb.h"

namespace migstream {

// A file that is no channel of a migration, opened; null, and said why, if that
// cannot be.
std::unique_ptr<ByteSource> OpenInput(const std::string& file);

// Reads a config space as `extract --what=config` writes it; false, and said
// why, if the file is none.
bool ReadConfigSpace(const std::string& file, std::string& config);

// The files of one migration, told apart by their first bytes.
struct Inputs {
  std::string file;                  // The main channel's name.
  std::unique_ptr<ByteSource> main;  // Null, and said why, if one cannot be.
  std::vector<std::string> channel_files;
  std::vector<std::unique_ptr<ByteSource>> channels;

  std::vector<ChannelReader::Channel> Channels() const;
  // The same files, to be opened as often as needed; only those that are
  // regular files can be opened again.
  RewriteInput Reopenable(bool quiet);

  // ErrorLine() with the file whose error it is.
  std::string Line(const Error& error) const;
};
Inputs OpenInputs(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_INPUTS_H_
