// A tag travels as data: each element of each dialect is itself in the decoder
// and in the encoder, and so is one that a row is given at run time.

#include <string>
#include <vector>

#include "codec/device/config_bytes.h"
#include "codec/device/section_bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

using enum SectionType;

std::vector<Element> TagsAlone() {
  std::vector<Element> elements;
  for (int i = 0; i < kMaxElements; ++i) {
    Element element = static_cast<Element>(i);
    if (IsTagAlone(element)) elements.push_back(element);
  }
  return elements;
}

std::string ElementBytes(const Dialect& row, Element element) {
  if (element == Element::kData) return DataBytes("abc");
  std::string bytes = Be64Bytes(static_cast<uint64_t>(row.TagOf(element)));
  if (element != Element::kConfig) return bytes;
  if (row.subflag.width != 0) {
    bytes += std::string(row.subflag.width - 1, '\0') + "\3";
  }
  return bytes + ConfigBytes().Payload() + kEos;
}

// All sections of a row with up to four elements, by its grammar.
class Sections {
 public:
  Sections(const Dialect& row, SectionType type) : row_(row), type_(type) {
    Walk(Element::kNone, "", {});
  }
  int decoded() const { return decoded_; }

 private:
  void Walk(Element after, const std::string& bytes,
            const std::vector<std::string>& names) {
    ElementSet next = row_.Grammar(type_).After(after);
    if (next.empty() && after != Element::kNone) return Expect(bytes, names);
    if (names.size() >= 4) return;
    for (int i = 0; i < kMaxElements; ++i) {
      Element element = static_cast<Element>(i);
      if (!next.Contains(element)) continue;
      if (element == Element::kConfig &&
          row_.config_layout != ConfigLayoutKind::kReleased) {
        continue;
      }
      std::vector<std::string> longer = names;
      longer.emplace_back(ToString(element));
      if (element == Element::kConfig) longer.push_back("END_OF_STATE");
      Walk(element, bytes + ElementBytes(row_, element), longer);
    }
  }

  void Expect(const std::string& bytes, const std::vector<std::string>& names) {
    Decoded section =
        DecodeInPieces(bytes, type_, row_, {}, {bytes.size() + 1});
    EXPECT_TRUE(section.done) << row_.name << ToString(section.error);
    EXPECT_EQ(section.encoded, bytes) << row_.name;
    std::vector<std::string> found;
    for (const WholeEvent& event : section.events) {
      found.push_back(event.element);
    }
    EXPECT_EQ(found, names) << row_.name << " " << ToString(type_);
    ++decoded_;
  }

  const Dialect& row_;
  SectionType type_;
  int decoded_ = 0;
};

TEST(ElementTest, EachElementOfEachRowIsItselfInDecoderAndEncoder) {
  for (const Dialect& row : AllDialects()) {
    for (SectionType type : {kStart, kPart, kEnd, kFull}) {
      Sections sections(row, type);
      EXPECT_EQ(sections.decoded() > 0,
                row.Grammar(type).Exists() &&
                    !(row.config_layout != ConfigLayoutKind::kReleased &&
                      type == kEnd))
          << row.name << " " << ToString(type);
    }
  }
}

// A row with `element` as number 7, in PART after any records.
Dialect WithNumber7(Dialect row, Element element) {
  row.meanings[7] = element;
  row.part.next = {};
  for (Element after : {Element::kNone, Element::kData}) {
    row.part.next[static_cast<int>(after)] = {Element::kData, element};
  }
  if (!EndsSection(element)) {
    row.part.next[static_cast<int>(element)] = {Element::kEndOfState};
  }
  return row;
}

TEST(ElementTest, ANumberThatARowIsGivenIsDecodedAndEncodedAsItself) {
  for (const Dialect& row : AllDialects()) {
    for (Element element : TagsAlone()) {
      if (row.TagOf(element) != static_cast<Tag>(kTagPrefix)) continue;
      Dialect next = WithNumber7(row, element);
      std::string bytes = DataBytes("abc") + TagBytes(7);
      if (!EndsSection(element)) bytes += kEos;
      Decoded part = DecodeAllWays(bytes, kPart, next);
      EXPECT_TRUE(part.done) << row.name << ToString(part.error);
      EXPECT_EQ(part.encoded, bytes);
      ASSERT_GE(part.events.size(), 2);
      EXPECT_EQ(part.events[1].kind, EventKind::kTag);
      EXPECT_EQ(part.events[1].element, ToString(element));
      EXPECT_NE(part.events[1].element, "");

      if (!row.Grammar(kPart).Exists()) continue;
      EXPECT_EQ(DecodeAllWays(bytes, kPart, row).error.code,
                ErrorCode::kUnknownTag);
    }
  }
}

TEST(ElementTest, ANumberWhoseElementHasNoFormIsRefused) {
  Dialect row = WithNumber7(GetDialect(DialectId::kV111),
                            static_cast<Element>(kMaxElements - 1));
  EXPECT_EQ(DecodeAllWays(TagBytes(7), kPart, row).error.code,
            ErrorCode::kMisplacedTag);
}

}  // namespace
}  // namespace migstream
