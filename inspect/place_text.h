// A place of a stream for people: the bytes, the fields' names, and what they
// may have been.

#ifndef MIGSTREAM_INSPECT_PLACE_TEXT_H_
#define MIGSTREAM_INSPECT_PLACE_TEXT_H_

#include <functional>
#include <string>

#include "codec/place/place.h"
#include "codec/report/answers.pb.h"
#include "codec/report/report.pb.h"
#include "inspect/console.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {

// inspect --at.
ExitStatus PrintPlace(const Arguments& arguments, Inputs& inputs);

// Where each error of the main channel is, without payload; nothing if it
// cannot be read again.
void ForEachErrorPlace(const Arguments& arguments, const report::Report& report,
                       const std::function<void(const Place&)>& on_place);

std::string PlaceText(const Place& place);
report::Place MakePlace(const std::string& file, const Place& place);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PLACE_TEXT_H_
