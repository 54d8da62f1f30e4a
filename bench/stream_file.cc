#include "bench/stream_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "bench/measure.h"
#include "codec/qemu/stream_bytes.h"
#include "codec/wire/text.h"
#include "flags/ram_flags.h"

namespace migstream {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kRecordBytes = 1 << 20;
constexpr uint64_t kPartBytes = 16 << 20;
constexpr uint64_t kImageRecords = 64;

class StringMaker : public StreamMaker {
 public:
  std::string bytes;

 protected:
  void Write(std::string_view piece) override {
    bytes.append(piece.data(), piece.size());
  }
};

class FileMaker : public StreamMaker {
 public:
  explicit FileMaker(int fd) : fd_(fd) {}

 protected:
  void Write(std::string_view piece) override {
    Require(write(fd_, piece.data(), piece.size()) ==
                static_cast<ssize_t>(piece.size()),
            "a file is written; is TMPDIR full?");
  }

 private:
  const int fd_;
};

// `pages` of one block, from `first` on.
std::string RamPages(uint64_t first, uint64_t pages) {
  std::string content;
  content.reserve(pages * (kPageBytes + 8));
  for (uint64_t i = 0; i < pages; ++i) {
    uint64_t flags = kRamPage;
    if (i != 0) flags |= kRamContinue;
    StrAppend(&content, Be64Bytes((first + i) * kPageBytes | flags));
    if (i == 0) StrAppend(&content, Str8Bytes("pc.ram"));
    content.append(kPageBytes, 'x');
  }
  return content + Be64Bytes(kRamEos);
}

// An mlx5 image's header, and as much of the image.
std::string Image(uint64_t bytes, uint64_t here) {
  std::string record(16 + here, 'x');
  for (int i = 0; i < 16; ++i) {
    record[i] = i < 8 ? static_cast<char>(bytes >> (8 * i)) : '\0';
  }
  return record;
}

}  // namespace

// Images of kImageRecords records.
void StreamMaker::WriteImages(const HandlerBytes& device, uint64_t bytes) {
  const uint64_t record = std::min(kRecordBytes, bytes);
  const uint64_t image = kImageRecords * record;
  const std::string first =
      device.Part(DataBytes(Image(image - 16, record - 16)) + kEos);
  const std::string next =
      device.Part(DataBytes(std::string(record, 'x')) + kEos);
  for (uint64_t made = 0; made < bytes; made += image) {
    Write(first);
    for (uint64_t i = 1; i < kImageRecords; ++i) Write(next);
  }
}

void StreamMaker::Make(StreamContent content, uint64_t bytes) {
  const HandlerBytes ram = {.id = 2, .idstr = "ram", .version = 4};
  const HandlerBytes device = {.id = 3, .idstr = "0000:00:05.0/vfio"};
  const uint64_t pages = std::max<uint64_t>(1, bytes / kPageBytes);
  std::string block = Str8Bytes("pc.ram") + Be64Bytes(pages * kPageBytes);
  Write(HeaderBytes() + ConfigurationBytes("pc-q35-11.1") +
        ram.Start(Be64Bytes(pages * kPageBytes | kRamMemSize) + block +
                  Be64Bytes(kRamEos)));
  Write(device.Start(kSetupTag + kEos));
  if (content == StreamContent::kRam) {
    for (uint64_t page = 0; page < pages; page += kPartBytes / kPageBytes) {
      uint64_t count = std::min(kPartBytes / kPageBytes, pages - page);
      Write(ram.Part(RamPages(page, count)));
    }
  } else if (content == StreamContent::kFirmware) {
    WriteImages(device, bytes);
  } else {
    std::string part = device.Part(
        DataBytes(std::string(std::min(kRecordBytes, bytes), 'x')) + kEos);
    for (uint64_t made = 0; made < bytes; made += kRecordBytes) Write(part);
  }
  Write(ram.End(Be64Bytes(kRamEos)));
  Write(device.End(content == StreamContent::kFirmware
                       ? DataBytes(Image(1, 1)) + kEos
                       : kEos));
  Write(EofBytes());
  Write(DescriptionBytes(DescriptionJson({}, kPageBytes)));
}

std::string MakeStream(StreamContent content, uint64_t bytes) {
  StringMaker maker;
  maker.Make(content, bytes);
  return std::move(maker.bytes);
}

StreamFile::StreamFile(StreamContent content, uint64_t bytes) {
  const char* directory = std::getenv("TMPDIR");
  if (directory == nullptr) directory = "/tmp";
  fd_ = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  Require(fd_ >= 0, "a file is made under TMPDIR");
  FileMaker(fd_).Make(content, bytes);
  bytes_ = lseek(fd_, 0, SEEK_CUR);
}

StreamFile::~StreamFile() { close(fd_); }

int StreamFile::Open() const {
  int fd = open(StrCat("/proc/self/fd/", fd_).c_str(), O_RDONLY | O_CLOEXEC);
  Require(fd >= 0, "a file is opened again");
  return fd;
}

}  // namespace migstream
