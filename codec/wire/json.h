// RapidJSON, whose stacks begin as a null pointer that an offset is added to:
// harmless, and the first thing that UBSan stops at. Include it through here.

#ifndef MIGSTREAM_CODEC_WIRE_JSON_H_
#define MIGSTREAM_CODEC_WIRE_JSON_H_

// So that the pragma does not reach these.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), \
                             apply_to = function)
#endif

#include "rapidjson/error/en.h"
#include "rapidjson/memorystream.h"
#include "rapidjson/prettywriter.h"
#include "rapidjson/reader.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

#ifdef __clang__
#pragma clang attribute pop
#endif

#endif  // MIGSTREAM_CODEC_WIRE_JSON_H_
