#include "codec/qemu/device_content.h"

#include <string>

#include "codec/wire/cursor.h"
#include "codec/wire/text.h"
#include "flags/section_type.h"

namespace migstream {
namespace {

std::string NameOf(const SectionView& section) {
  return StrCat(section.idstr, " ", ToString(section.type));
}

Finding AmbiguousConfig(const SectionView& section, const Event& event) {
  return {
      Severity::kWarning, "config-size", event.offset, NameOf(section),
      StrCat("config payload fits ", event.layout.pci_config_bytes, " and ",
             event.layout.other_pci_config_bytes,
             " bytes of PCI config; taken as ", event.layout.pci_config_bytes)};
}

// A handler that failed leaves its section as it is, and the footer follows.
Error ExplainEarlyFooter(ByteSource& source, StreamVisitor& visitor,
                         const SectionView& section, Error error) {
  const uint64_t at = source.offset();
  ByteSpan bytes = source.Peek(kTagBytes + kFooterBytes);
  auto footer_at = [&](size_t from) {
    return bytes.size() >= from + kFooterBytes &&
           bytes[from] == static_cast<uint8_t>(SectionType::kSectionFooter) &&
           LoadBe32(&bytes[from + 1]) == section.id;
  };
  if (error.code == ErrorCode::kRecordLimit && footer_at(kTagBytes)) {
    error.reason =
        "DATA without a size, then the section's footer: the source's "
        "handler failed here";
    return error;
  }
  // Near the input's end a footer is shorter than the tag that was expected.
  bool tag_expected =
      error.code == ErrorCode::kTruncated ||
      (error.offset == at && (error.code == ErrorCode::kUnknownTag ||
                              error.code == ErrorCode::kSetupNotEnded));
  if (!tag_expected || !footer_at(0)) return error;
  visitor.OnFinding(
      {Severity::kError, "cut-section", at, NameOf(section),
       "ends without END_OF_STATE: the source's handler failed here"});
  return {};
}

}  // namespace

Error ReadDeviceContent(ByteSource& source, StreamVisitor& visitor,
                        const SectionView& section, const Dialect& dialect,
                        const DecoderOptions& options) {
  SectionDecoder decoder(section.type, dialect, options);
  const bool wants_payload = visitor.wants_payload();
  size_t needed = 1;
  Event event;
  while (true) {
    ByteSpan input = source.Peek(needed);
    bool end_of_input = input.size() < needed;
    if (end_of_input) decoder.SetEndOfInput();
    size_t before = input.size();
    switch (decoder.Next(input, event)) {
      case Step::kEvent:
        visitor.OnDeviceEvent(section, event);
        if (event.kind == EventKind::kConfig &&
            event.layout.other_pci_config_bytes != 0) {
          visitor.OnFinding(AmbiguousConfig(section, event));
        }
        source.Consume(before - input.size());
        needed = 1;
        if (!wants_payload && decoder.payload_left() != 0) {
          decoder.TakeOver(source.Skip(decoder.payload_left()));
        }
        break;
      case Step::kNeedInput:
        if (end_of_input) {
          return ExplainEarlyFooter(source, visitor, section,
                                    decoder.Truncated(section.idstr, input));
        }
        needed = decoder.bytes_needed();
        break;
      case Step::kDone:
        return {};
      case Step::kError:
        return ExplainEarlyFooter(source, visitor, section,
                                  decoder.error(section.idstr));
    }
  }
}

}  // namespace migstream
