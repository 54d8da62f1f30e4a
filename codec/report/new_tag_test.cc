// A tag that no release has, given to a copy of a dialect's row, is itself all
// the way: copied byte for byte, and listed by its name.

#include <string>
#include <vector>

#include "codec/qemu/stream_bytes.h"
#include "codec/qemu/stream_writer.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

const HandlerBytes kVfio = {.id = 1, .idstr = "0000:00:05.0/vfio"};

TEST(NewTagTest, ItIsCopiedAndListedAsItself) {
  Dialect row = GetDialect(DialectId::kV111);
  row.meanings[7] = Element::kTrigger;
  row.part.next[static_cast<int>(Element::kData)] = {Element::kTrigger};
  row.part.next[static_cast<int>(Element::kTrigger)] = {Element::kEndOfState};
  const std::string stream = HeaderBytes() + kVfio.Start(kSetupTag + kEos) +
                             kVfio.Part(DataBytes("abc") + TagBytes(7) + kEos) +
                             kVfio.End(kEos) + EofBytes();

  MemorySource source(AsBytes(stream));
  StringSink copy;
  Error error = Repack(source, copy, {.dialect = &row}, nullptr);
  EXPECT_TRUE(error.ok()) << ToString(error);
  EXPECT_EQ(copy.bytes(), stream);

  MemorySource again(AsBytes(stream));
  report::Report report;
  ReportOptions options;
  options.reader.dialect = &row;
  options.records = true;
  error = BuildReport(again, options, report);
  EXPECT_TRUE(error.ok()) << ToString(error);
  std::vector<std::string> elements;
  for (const report::Record& record : report.devices(0).records()) {
    elements.push_back(record.element());
  }
  EXPECT_THAT(elements,
              testing::ElementsAre("SETUP", "END_OF_STATE", "DATA", "TRIGGER",
                                   "END_OF_STATE", "END_OF_STATE"));
}

}  // namespace
}  // namespace migstream
