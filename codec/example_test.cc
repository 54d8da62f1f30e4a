#include "codec/example.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Recorder {
  void Write(ms::ByteSpan bytes) {
    payload.append(ms::AsText(bytes).data(), bytes.size());
  }
  std::string payload;
};

TEST(ExampleTest, WhatIsSavedIsLoaded) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string payload = "device state";
  ASSERT_TRUE(Save(ends[1], ms::AsBytes(payload)));
  close(ends[1]);

  ms::SectionDecoder decoder(ms::SectionType::kPart, kDialect);
  Recorder device;
  ms::Error error;
  std::string buffer;
  bool done = false;
  char byte;
  while (!done && read(ends[0], &byte, 1) == 1) {
    buffer += byte;
    ms::ByteSpan input = ms::AsBytes(buffer);
    done = Load(decoder, input, device, error);
    buffer = std::string(ms::AsText(input));
  }
  close(ends[0]);
  EXPECT_TRUE(done);
  EXPECT_TRUE(error.ok());
  EXPECT_EQ(device.payload, payload);
}

TEST(ExampleTest, IsTheOneInTheReadme) {
  std::string example = ReadFile("codec/example.h");
  ASSERT_NE(example, "");
  EXPECT_NE(ReadFile("README.md").find(example), std::string::npos);
  EXPECT_LT(std::count(example.begin(), example.end(), '\n'), 45);
}

}  // namespace
