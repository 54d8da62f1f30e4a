// What a verb that writes files says of them to scripts: a report::Written.
//
//   return SayWritten(arguments, files, kFine);   // They are in their places.

#ifndef MIGSTREAM_INSPECT_WRITTEN_FILES_H_
#define MIGSTREAM_INSPECT_WRITTEN_FILES_H_

#include <span>
#include <string>

#include "inspect/console.h"
#include "inspect/output_file.h"
#include "inspect/verb.h"

namespace migstream {

// People are told nothing: the files are the answer. `status` is returned,
// unless nothing can be printed; where it is not kFine, what PrintError() said
// before is part of the answer.
ExitStatus SayWritten(const Arguments& arguments,
                      std::span<OutputFile* const> files, ExitStatus status);

// Why not; empty if standard output is free for the answer.
std::string NoPlaceForAnswer(const Arguments& arguments);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_WRITTEN_FILES_H_
