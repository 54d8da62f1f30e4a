#include "testdata/captures.h"

#include <openssl/sha.h>

#include <fstream>
#include <iterator>
#include <string_view>

#include "absl/strings/escaping.h"
#include "codec/io/open_stream.h"
#include "codec/wire/text.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace migstream {
namespace {

constexpr char kFolder[] = "testdata/captures/";

std::vector<testdata::Capture> ReadManifest(std::string_view folder) {
  std::ifstream file(StrCat(folder, "manifest.json"));
  std::string json(std::istreambuf_iterator<char>(file), {});
  testdata::Manifest manifest;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  auto status = google::protobuf::util::JsonStringToMessage(
      StrCat("{\"captures\":", json, "}"), &manifest, options);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return {manifest.captures().begin(), manifest.captures().end()};
}

std::string ReadFile(const testdata::File& file) {
  std::string bytes = ReadDecompressed(StrCat(kFolder, file.file(), ".zst"));
  EXPECT_EQ(Sha256(bytes), file.sha256());
  return bytes;
}

}  // namespace

const std::vector<testdata::Capture>& AllCaptures() {
  static const auto* captures =
      new std::vector<testdata::Capture>(ReadManifest(kFolder));
  return *captures;
}

const std::vector<testdata::Capture>& MoreCaptures() {
  static const auto* captures =
      new std::vector<testdata::Capture>(ReadManifest(kMoreCaptures));
  return *captures;
}

std::string ReadDecompressed(const std::string& path) {
  OpenedStream source = OpenStream(path);
  EXPECT_TRUE(source.error.ok()) << source.error.reason;
  if (!source.error.ok()) return "";
  std::string bytes;
  while (true) {
    ByteSpan here = source.source->Peek(1);
    if (here.empty()) break;
    bytes.append(AsText(here).data(), here.size());
    source.source->Consume(here.size());
  }
  EXPECT_EQ(source.source->failure(), "");
  return bytes;
}

const testdata::Capture& GetCapture(std::string_view name) {
  for (const testdata::Capture& capture : AllCaptures()) {
    if (capture.name() == name) return capture;
  }
  ADD_FAILURE() << "no capture " << name;
  return AllCaptures().front();
}

std::string CapturePath(const testdata::Capture& capture) {
  return StrCat(kFolder, capture.name(), ".qvm.zst");
}

std::string ReadCapture(const testdata::Capture& capture) {
  return ReadFile(capture.files(0));
}

std::vector<std::string> ReadChannels(const testdata::Capture& capture) {
  std::vector<std::string> channels;
  for (const testdata::File& file : capture.files()) {
    if (file.file().find(".ch") == std::string::npos ||
        file.file().find(".return") != std::string::npos) {
      continue;
    }
    channels.push_back(ReadFile(file));
  }
  return channels;
}

std::vector<testdata::Capture> CapturesWithChannels() {
  std::vector<testdata::Capture> captures;
  for (const testdata::Capture& capture : AllCaptures()) {
    // Beside the main channel and the return path.
    if (capture.files_size() > 2) captures.push_back(capture);
  }
  return captures;
}

bool HasDeviceStateChannels(const testdata::Capture& capture) {
  auto multifd = capture.capabilities().find("multifd");
  return multifd != capture.capabilities().end() && multifd->second &&
         capture.qemu().substr(0, 2) >= "10" && capture.qemu()[0] == '1';
}

std::string Sha256(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         digest);
  return absl::BytesToHexString(
      std::string(reinterpret_cast<const char*>(digest), sizeof digest));
}

}  // namespace migstream
