// RapidJSON's validator of JSON Schema (draft 4), for tests; as json.h is
// included.

#ifndef MIGSTREAM_CODEC_WIRE_JSON_SCHEMA_H_
#define MIGSTREAM_CODEC_WIRE_JSON_SCHEMA_H_

#include <map>
#include <memory>

#include "codec/wire/json.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), \
                             apply_to = function)
#endif
#include "rapidjson/document.h"
#include "rapidjson/schema.h"
#ifdef __clang__
#pragma clang attribute pop
#endif

#endif  // MIGSTREAM_CODEC_WIRE_JSON_SCHEMA_H_
