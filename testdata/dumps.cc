#include "testdata/dumps.h"

#include <fstream>

#include "codec/io/decompressing_source.h"
#include "codec/io/open_file.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {

std::string DumpPath(std::string_view release) {
  return StrCat("testdata/dumps/qemu-", release, ".json.zst");
}

std::string ReadDump(std::string_view release) {
  std::string bytes;
  auto file = OpenFile(DumpPath(release));
  EXPECT_TRUE(file.ok()) << release;
  if (!file.ok()) return bytes;
  std::unique_ptr<ByteSource> source = Decompressed(*std::move(file), {});
  for (;;) {
    ByteSpan here = source->Peek(1);
    if (here.empty()) break;
    bytes.append(AsText(here));
    source->Consume(here.size());
  }
  EXPECT_EQ(source->failure(), "");
  return bytes;
}

std::vector<std::string> CheckerLines(std::string_view from,
                                      std::string_view to) {
  std::ifstream file(
      StrCat("testdata/dumps/checker-", from, "-to-", to, ".txt"));
  EXPECT_TRUE(file.is_open());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace migstream
