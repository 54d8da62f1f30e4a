// For tests: everything that a StreamReader gives, as text that can be
// compared, however the input was cut; and sources that cut it.

#ifndef MIGSTREAM_CODEC_QEMU_STREAM_RECORDING_H_
#define MIGSTREAM_CODEC_QEMU_STREAM_RECORDING_H_

#include <map>
#include <random>
#include <string>
#include <vector>

#include "codec/qemu/stream_reader.h"
#include "codec/qemu/stream_visitor.h"

namespace migstream {

class StreamRecording : public StreamVisitor {
 public:
  bool wants_content() const override { return true; }
  bool wants_payload() const override { return true; }

  void OnHeader(uint32_t version) override;
  void OnConfiguration(const ConfigurationView& configuration) override;
  void OnSection(const SectionView& section) override;
  void OnDeviceEvent(const SectionView& section, const Event& event) override;
  void OnContent(ByteSpan bytes) override;
  void OnSectionEnd(const SectionView& section, uint64_t content_bytes,
                    bool footer) override;
  void OnCommand(const CommandView& command) override;
  void OnEof(uint64_t offset) override;
  void OnDescription(uint64_t offset, ByteSpan json) override;
  void OnFinding(const Finding& finding) override;
  void OnRest(ByteSpan bytes) override;

  // A line for each call, in order.
  std::string Text() const;

  struct Device {
    std::string payload;
    std::vector<uint64_t> records;
    std::vector<uint32_t> pci_config_bytes;
    std::vector<uint32_t> msix_vectors;
    int config_ends = 0;
    int init_data_sent = 0;
  };
  std::map<std::string, Device> devices;
  std::vector<Finding> findings;
  std::vector<std::string> full_sections;  // "timer 0: 24"

 private:
  void Flush();

  std::vector<std::string> lines_;
  uint64_t content_bytes_ = 0;
  uint64_t content_hash_ = 0;
};

// Gives `bytes` as a pipe does, in short pieces of at most `longest`.
class ShortReadSource : public ByteSource {
 public:
  ShortReadSource(ByteSpan bytes, size_t longest)
      : rest_(bytes), longest_(longest), random_(longest) {}

 protected:
  size_t Read(uint8_t* to, size_t count) override;

 private:
  ByteSpan rest_;
  size_t longest_;
  std::mt19937 random_;
};

// Gives `bytes`, and then fails: "out of luck".
class FailingSource : public ByteSource {
 public:
  explicit FailingSource(std::string bytes) : bytes_(std::move(bytes)) {}

 protected:
  size_t Read(uint8_t* to, size_t count) override;

 private:
  std::string bytes_;
};

struct Recorded {
  Error error;
  StreamRecording recording;
  uint64_t trailing_bytes = 0;  // Behind the stream.
};
Recorded Record(ByteSource& source, const ReaderOptions& options = {});

}  // namespace migstream

#endif  // MIGSTREAM_CODEC_QEMU_STREAM_RECORDING_H_
