// RapidJSON's tree of a whole document, from JSON that nobody vouches for. For
// what is large, json.h has the parser without a tree.
//
//   rapidjson::Document document;
//   std::string problem = ParseJson(json, 1 << 20, 8, document);
//
// The tree is walked by functions that call themselves, RapidJSON's own too: so
// how deep it may be is said beforehand.

#ifndef MIGSTREAM_CODEC_WIRE_JSON_DOCUMENT_H_
#define MIGSTREAM_CODEC_WIRE_JSON_DOCUMENT_H_

// So that the pragma does not reach these.
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "codec/wire/json.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), \
                             apply_to = function)
#endif

#include "rapidjson/document.h"

#ifdef __clang__
#pragma clang attribute pop
#endif

namespace migstream {

// Empty if all is well, else what is wrong. Every string of the document is
// UTF-8, and can be written again.
std::string ParseJson(std::string_view json, size_t max_bytes, size_t max_depth,
                      rapidjson::Document& document);

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_WIRE_JSON_DOCUMENT_H_
