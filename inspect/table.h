// Lines in columns.

#ifndef MIGSTREAM_INSPECT_TABLE_H_
#define MIGSTREAM_INSPECT_TABLE_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "inspect/terminal.h"

namespace migstream {

class Table {
 public:
  // `alignment` has a letter for each column: 'r' for flush right, 'l' for
  // flush left, 'w' for text that may go on in further lines, 'p' for paths and
  // what else must stay whole, of which the last column alone may be.
  explicit Table(std::string alignment) : alignment_(std::move(alignment)) {}

  void Row(std::vector<std::string> cells) {
    rows_.push_back(std::move(cells));
  }

  // Two spaces between columns, none at the end of a line. A cell of more than
  // 60 characters makes no column wider. What does not fit into `columns`
  // stands below, with the first column before it once more.
  std::string Text(size_t columns = TableColumns()) const;

 private:
  std::vector<size_t> Widths(size_t columns) const;
  // All rows, of the columns that are named.
  std::string Part(std::span<const size_t> shown,
                   const std::vector<size_t>& widths) const;

  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_TABLE_H_
