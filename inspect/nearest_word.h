// The word that somebody may have meant.

#ifndef MIGSTREAM_INSPECT_NEAREST_WORD_H_
#define MIGSTREAM_INSPECT_NEAREST_WORD_H_

#include <string>
#include <string_view>
#include <vector>

namespace migstream {

// The choice that differs from `word` in the fewest letters, by insertion,
// removal, exchange of one or of two neighbours; or that `word` begins. Empty
// if it would take more than a third of them.
std::string NearestWord(std::string_view word,
                        const std::vector<std::string>& choices);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_NEAREST_WORD_H_
