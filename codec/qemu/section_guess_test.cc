#include "codec/qemu/section_guess.h"

#include <map>
#include <string>

#include "codec/qemu/stream_bytes.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

const HandlerBytes kTimer = {.id = 0x11, .idstr = "timer"};
const HandlerBytes kSerial = {.id = 0x12, .idstr = "serial", .instance = 1016};
const HandlerBytes kRamHandler = {.id = 2, .idstr = "ram", .version = 4};
const HandlerBytes kPlainTimer = {
    .id = 0x11, .idstr = "timer", .footers = false};
const HandlerBytes kPlainSerial = {
    .id = 0x12, .idstr = "serial", .footers = false};

// Sections that were seen before.
const std::map<uint32_t, std::string>& KnownSections() {
  static const auto& known = *new std::map<uint32_t, std::string>{
      {2, "ram"}, {7, "0000:00:05.0/vfio"}, {0x11, "timer"}};
  return known;
}

GuessContext Context(bool footers, bool end_of_input) {
  GuessContext context;
  context.section_id = kTimer.id;
  context.footers = footers;
  context.end_of_input = end_of_input;
  context.known_section = [](uint32_t id) -> const std::string* {
    auto found = KnownSections().find(id);
    return found == KnownSections().end() ? nullptr : &found->second;
  };
  return context;
}

// How much of `bytes` is taken for the content; -1 if there is no guess.
int64_t Guess(const std::string& bytes, const GuessContext& context,
              size_t from = 0) {
  auto guess = GuessSectionEnd(AsBytes(bytes), from, context);
  if (!guess) return -1;
  EXPECT_EQ(guess->by_footer, context.footers);
  return static_cast<int64_t>(guess->content_bytes);
}

const std::string kState = std::string("state\0\x7e\x04", 8);

TEST(SectionGuessTest, TheSectionsOwnIdIsThatOfItsIdstrAlone) {
  const HandlerBytes other = {.id = kTimer.id, .idstr = "serial"};
  for (bool footers : {true, false}) {
    const std::string end = kState + (footers ? kTimer.Footer() : "");
    EXPECT_EQ(Guess(end + kTimer.Full("x"), Context(footers, false)), 8);
    EXPECT_EQ(Guess(end + other.Full("x"), Context(footers, false)), -1);
  }
  EXPECT_EQ(
      Guess(kState + kTimer.Footer() + kTimer.Part("x"), Context(true, false)),
      -1);
}

TEST(SectionGuessTest, AFooterIsFollowedByASectionACommandOrTheEnd) {
  for (const std::string& next :
       {kSerial.Full("x"), kSerial.Start("x"), kRamHandler.Part("x"),
        kRamHandler.End("x"), CommandBytes(11),
        CommandBytes(2, Be32Bytes(3))}) {
    EXPECT_EQ(Guess(kState + kTimer.Footer() + next, Context(true, false)), 8)
        << static_cast<int>(next[0]);
  }
  EXPECT_EQ(Guess(kState + kTimer.Footer() + EofBytes(), Context(true, true)),
            8);
  EXPECT_EQ(Guess(kState + kTimer.Footer() + EofBytes() +
                      DescriptionBytes(DescriptionJson({})),
                  Context(true, true)),
            8);
}

TEST(SectionGuessTest, AStateMayBeEmpty) {
  EXPECT_EQ(Guess(kTimer.Footer() + kSerial.Full(""), Context(true, false)), 0);
}

TEST(SectionGuessTest, AnothersFooterIsNotIts) {
  EXPECT_EQ(Guess(kState + kSerial.Footer() + kRamHandler.Part("x"),
                  Context(true, true)),
            -1);
}

TEST(SectionGuessTest, AFooterBeforeWhatCannotFollowIsState) {
  for (const std::string& next :
       {std::string("\x05"), std::string("\x06"), std::string("\x07"),
        std::string("\x7e"), std::string("\xff"),
        HandlerBytes{.id = 3, .idstr = "ram"}.Part("x"),     // Not started.
        HandlerBytes{.id = 2, .idstr = "other"}.Full("x"),   // It is ram's.
        HandlerBytes{.id = 3, .idstr = "a\x01z"}.Full("x"),  // Not printable.
        HandlerBytes{.id = 3, .idstr = ""}.Full("x"), CommandBytes(0),
        CommandBytes(12), CommandBytes(2, std::string(17, 'x'))}) {
    std::string bytes = kState + kTimer.Footer() + next + "more";
    EXPECT_EQ(Guess(bytes, Context(true, false)), -1)
        << static_cast<int>(next[0]);
    // The true one is found behind it.
    EXPECT_EQ(Guess(bytes + kTimer.Footer() + kRamHandler.Part("x"),
                    Context(true, false)),
              static_cast<int64_t>(bytes.size()));
  }
}

TEST(SectionGuessTest, EofIsTheEndOrBeforeADescription) {
  std::string bytes = kState + kTimer.Footer() + EofBytes();
  EXPECT_EQ(Guess(bytes, Context(true, false)), -1);
  EXPECT_EQ(Guess(bytes + "x", Context(true, true)), -1);
  std::string description = DescriptionBytes(DescriptionJson({}));
  EXPECT_EQ(Guess(bytes + description, Context(true, false)), 8);
  EXPECT_EQ(Guess(bytes + description + "x", Context(true, true)), 8);
  // Without footers only if it reaches the input's end.
  std::string plain = kState + EofBytes() + description;
  EXPECT_EQ(Guess(plain, Context(false, true)), 8);
  EXPECT_EQ(Guess(plain + "x", Context(false, true)), -1);
}

TEST(SectionGuessTest, WhatIsNoPartOfTheStreamMayFollowEof) {
  std::string bytes = kState + kTimer.Footer() + EofBytes();
  EXPECT_EQ(Guess(bytes + "QEVM", Context(true, false)), 8);
  EXPECT_EQ(Guess(bytes + std::string(100, '\0'), Context(true, true)), 8);
  EXPECT_EQ(Guess(bytes + "\n", Context(true, true)), 8);
  EXPECT_EQ(Guess(bytes + std::string(100, '\0'), Context(true, false)), -1);
  GuessContext context = Context(true, false);
  context.any_end = true;
  EXPECT_EQ(Guess(bytes + "anything", context), 8);
}

TEST(SectionGuessTest, AContentMayEndBeforeItsFooter) {
  const GuessContext context = Context(true, false);
  const std::string bytes =
      kState + kTimer.Footer() +
      HandlerBytes{.id = 0x1213, .idstr = "serial"}.Full("");
  for (size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_EQ(MayEndAt(AsBytes(bytes), at, true, context), at == 8) << at;
  }
  // Without footers, before whatever has a section's type.
  const std::string plain = kState + kPlainSerial.Full("");
  EXPECT_TRUE(MayEndAt(AsBytes(plain), 8, false, context));
  EXPECT_FALSE(MayEndAt(AsBytes(plain), 3, false, context));
  EXPECT_TRUE(MayEndAt(AsBytes(plain), 8, std::nullopt, context));
  EXPECT_FALSE(MayEndAt(AsBytes(plain), plain.size() + 1, false, context));
}

TEST(SectionGuessTest, NothingIsGuessedBeforeFrom) {
  std::string first = kState + kTimer.Footer() + kSerial.Full("");
  std::string bytes = first + kTimer.Footer() + kSerial.Full("");
  EXPECT_EQ(Guess(bytes, Context(true, false)), 8);
  EXPECT_EQ(Guess(bytes, Context(true, false), 9),
            static_cast<int64_t>(first.size()));
  EXPECT_EQ(Guess(bytes, Context(true, false), bytes.size()), -1);
  EXPECT_EQ(Guess(bytes, Context(true, false), bytes.size() + 1), -1);
}

TEST(SectionGuessTest, TheEndOfThePackageMayFollow) {
  std::string bytes = kState + kTimer.Footer() + "anything";
  GuessContext context = Context(true, false);
  EXPECT_EQ(Guess(bytes, context), -1);
  context.package_left = kState.size() + 5;
  EXPECT_EQ(Guess(bytes, context), 8);
}

TEST(SectionGuessTest, NothingBeyondThePackageIsItsOwn) {
  std::string bytes = kState + kTimer.Footer() + kSerial.Full("");
  for (bool footers : {true, false}) {
    GuessContext context = Context(footers, false);
    context.package_left = 4;
    std::string plain = kState + kPlainSerial.Full("");
    EXPECT_EQ(Guess(footers ? bytes : plain, context), footers ? -1 : 4);
  }
}

TEST(SectionGuessTest, WithoutFootersANamedSectionOrTheFinalByteFollows) {
  EXPECT_EQ(Guess(kState + kPlainSerial.Full("x"), Context(false, false)), 8);
  EXPECT_EQ(Guess(kState + kPlainSerial.Start("x"), Context(false, false)), 8);
  // The FULL of a handler that has a START.
  EXPECT_EQ(Guess(kState + HandlerBytes{.id = 7,
                                        .idstr = "0000:00:05.0/vfio",
                                        .footers = false}
                               .Full("x"),
                  Context(false, false)),
            8);
  EXPECT_EQ(Guess(kState + EofBytes(), Context(false, true)), 8);
  EXPECT_EQ(
      Guess(kState + EofBytes() + DescriptionBytes("{}"), Context(false, true)),
      8);
}

TEST(SectionGuessTest, WithoutFootersAPartOrACommandIsTooLittleToGoBy) {
  EXPECT_EQ(Guess(kState + "\x02" + Be32Bytes(2) + "xxxxxxxxxxxxxxxx",
                  Context(false, false)),
            -1);
  EXPECT_EQ(Guess(kState + CommandBytes(11), Context(false, false)), -1);
}

TEST(SectionGuessTest, WithoutFootersAnIdOfAnotherHandlerIsState) {
  EXPECT_EQ(Guess(kState + HandlerBytes{.id = 2, .idstr = "other"}.Full("x"),
                  Context(false, false)),
            -1);
}

TEST(SectionGuessTest, ShortInputsGiveNoGuess) {
  std::string bytes = kState + kTimer.Footer() + kSerial.Named('\x04');
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(Guess(bytes.substr(0, length), Context(true, false)), -1)
        << length;
  }
  EXPECT_EQ(Guess(bytes, Context(true, false)), 8);
  EXPECT_EQ(Guess("", Context(true, true)), -1);
}

}  // namespace
}  // namespace migstream
