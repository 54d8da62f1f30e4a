// PAYLOADS.md is what the tables say, and the tables are well formed.

#include "codec/payload/payload_page.h"

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "codec/payload/formats.h"
#include "codec/payload/others.h"
#include "codec/payload/payload_decoder.h"
#include "codec/payload/payload_finding.h"
#include "codec/wire/text.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Field;
using payload::Format;
using payload::Level;
using payload::Record;
using payload::Show;

TEST(PayloadsPageTest, IsTheOneInTheTree) {
  std::ifstream file("codec/payload/PAYLOADS.md");
  std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(page, PayloadsPage())
      << "bazel run //codec/payload:print_page > codec/payload/PAYLOADS.md";
}

void CheckFields(std::span<const Field> fields, size_t bytes) {
  size_t end = 0;
  for (const Field& field : fields) {
    SCOPED_TRACE(field.name);
    EXPECT_GE(field.offset, end) << "it overlaps the one before";
    end = field.offset + size_t{field.bytes} * field.count;
    if (bytes > 0) {
      EXPECT_LE(end, bytes);
    }
    if (field.show != Show::kBytes) {
      EXPECT_LE(field.bytes, 8);
    }
  }
}

void CheckLevel(const Level& level, int depth) {
  ASSERT_LT(depth, PayloadDecoder::kMaxDepth);
  CheckFields(level.header, level.header_bytes);
  for (payload::Slot slot : {level.size, level.key, level.count}) {
    EXPECT_LE(slot.offset + slot.bytes, level.header_bytes);
  }
  ASSERT_FALSE(level.records.empty());
  std::set<uint64_t> keys;
  for (const Record& record : level.records) {
    SCOPED_TRACE(record.name);
    if (level.key.bytes > 0) {
      EXPECT_TRUE(keys.insert(record.key).second);
      EXPECT_FALSE(record.bare);
      EXPECT_EQ(payload::FindRecord(level, record.key), &record);
    }
    EXPECT_EQ(record.body == Body::kList, record.list != nullptr);
    EXPECT_EQ(record.body == Body::kFields, !record.fields.empty());
    CheckFields(record.fields, record.bytes);
    if (record.list) CheckLevel(*record.list, depth + 1);
  }
}

TEST(FormatsTest, AreWellFormed) {
  std::set<std::string_view> names;
  std::set<uint32_t> ids;
  for (const Format* format : AllFormats()) {
    SCOPED_TRACE(format->name);
    EXPECT_TRUE(names.insert(format->name).second);
    EXPECT_EQ(FormatNamed(format->name), format);
    CheckLevel(*format->root, 0);
    if (format->legacy_root) CheckLevel(*format->legacy_root, 0);
    for (const payload::PciRow& row : format->ids) {
      EXPECT_TRUE(ids.insert(row.vendor << 16 | row.device).second);
      EXPECT_EQ(FormatFor({row.vendor, row.device}), format);
    }
    ASSERT_FALSE(format->generations.empty());
    payload::Reader before;
    for (const payload::Reader& reader : format->readers) {
      EXPECT_LT(before.from, reader.from);
      EXPECT_NE(reader.reads, 0u);
      EXPECT_EQ(reader.reads >> format->generations.size(), 0u);
      before = reader;
    }
  }
  CheckLevel(*kOpaqueFormat.root, 0);
}

TEST(FindingsTest, AreInTheOrderOfTheirEnum) {
  std::set<std::string_view> names;
  for (const PayloadFindingRow& row : AllPayloadFindings()) {
    EXPECT_EQ(&GetRow(row.id), &row);
    EXPECT_TRUE(row.name.starts_with("payload-"));
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_FALSE(row.advice.empty());
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(PayloadFindingId::kOpaque) + 1);
}

}  // namespace
}  // namespace migstream
