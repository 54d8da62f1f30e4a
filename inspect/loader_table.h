// What the loaders of all releases would do with a stream: check --for=all.

#ifndef MIGSTREAM_INSPECT_LOADER_TABLE_H_
#define MIGSTREAM_INSPECT_LOADER_TABLE_H_

#include <string>

#include "codec/loader/loader.h"
#include "codec/report/check.pb.h"
#include "flags/qemu_version.h"
#include "inspect/console.h"
#include "inspect/verb.h"

namespace migstream {

// What the options say of the destination, but the release if all are asked;
// false, with a message, if a file cannot be read.
bool LoaderOptionsOf(const Arguments& arguments, LoaderOptions& options);

// A loader's verdict as data.
void AddLoad(const QemuVersion& version, const LoadVerdict& verdict,
             report::Check& check);

// A line a release, and why. kFine if one of them would load the stream. Each
// release reads the files anew.
ExitStatus AskAllLoaders(const Arguments& arguments);

// What is new in each release, and what is gone.
std::string LoaderList();

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_LOADER_TABLE_H_
