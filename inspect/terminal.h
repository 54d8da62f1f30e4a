// How wide what is printed may be, and whether in colours.

#ifndef MIGSTREAM_INSPECT_TERMINAL_H_
#define MIGSTREAM_INSPECT_TERMINAL_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace migstream {

// Columns of lines of words: $COLUMNS, or the terminal's width; 0 if the file
// is no terminal: a line stays one line for whatever reads it.
size_t LineColumns(int fd);

// Columns of tables: the same, or 80 where that is not known.
size_t TableColumns();

// Breaks each line of more than `columns` at spaces, and sets what follows in
// by `indent` more than the line itself. A longer word stays whole. 0 columns:
// as it is.
std::string WrappedLines(std::string_view text, size_t columns,
                         size_t indent = 4);

// The lines of one cell, none of which is wider; a longer word is cut.
std::string Folded(std::string_view text, size_t columns);

// Whether standard output gets colours: `mode` is "auto", "always" or "never".
// auto: on a terminal, unless NO_COLOR is set or the terminal is dumb.
bool WantsColor(std::string_view mode);

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_TERMINAL_H_
