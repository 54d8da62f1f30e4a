// Lines in columns.

#ifndef MIGSTREAM_INSPECT_TABLE_H_
#define MIGSTREAM_INSPECT_TABLE_H_

#include <string>
#include <vector>

namespace migstream {

class Table {
 public:
  // `alignment` has an 'r' for each column to be set flush right, any other
  // letter for flush left.
  explicit Table(std::string alignment) : alignment_(std::move(alignment)) {}

  void Row(std::vector<std::string> cells) {
    rows_.push_back(std::move(cells));
  }

  // Two spaces between columns, none at the end of a line. A cell of more than
  // 60 characters makes no column wider.
  std::string Text() const;

 private:
  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace migstream

#endif  // MIGSTREAM_INSPECT_TABLE_H_
