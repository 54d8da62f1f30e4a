// What `inspect --html=FILE` writes: a page to look at.

#ifndef MIGSTREAM_INSPECT_PAGE_H_
#define MIGSTREAM_INSPECT_PAGE_H_

#include "inspect/console.h"
#include "inspect/inputs.h"
#include "inspect/verb.h"

namespace migstream {

ExitStatus WritePage(const Arguments& arguments, Inputs& inputs);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_PAGE_H_
