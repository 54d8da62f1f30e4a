#include "codec/payload/payload_page.h"

#include <algorithm>
#include <vector>

#include "codec/payload/formats.h"
#include "codec/payload/payload_finding.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

using payload::Body;
using payload::Field;
using payload::Format;
using payload::Generation;
using payload::Level;
using payload::Moment;
using payload::PciRow;
using payload::PreCopy;
using payload::Reader;
using payload::Record;
using payload::Show;

constexpr std::string_view kHead =
    "# What drivers put inside DATA\n\n"
    "This page is printed from the tables of this directory and compared with "
    "them by a test; change the\n"
    "tables. Offsets and sizes are bytes. Numbers are little-endian unless a "
    "driver writes its host's.\n\n"
    "The bytes of all DATA records of one device, in order, are its payload; "
    "where a record of the stream\n"
    "ends says nothing. The pre-copy part comes first. \"Opaque\" bytes are "
    "firmware's, memory's or buffers':\n"
    "nothing public describes them.\n\n";

std::string_view Phases(const Format& format) {
  switch (format.pre_copy) {
    case PreCopy::kNone:
      return "none";
    case PreCopy::kPrefix:
      return "the first ";
    case PreCopy::kAny:
      return "any";
  }
  return {};
}

std::string Ids(const Format& format) {
  std::vector<std::string> ids;
  for (const PciRow& row : format.ids) {
    std::string id = ToString(PciId{row.vendor, row.device});
    if (!row.what.empty()) StrAppend(&id, " ", row.what);
    if (row.since > KernelRelease()) {
      StrAppend(&id, " (since ", ToString(row.since), ")");
    }
    ids.push_back(std::move(id));
  }
  return ids.empty() ? "none" : StrJoin(ids, ", ");
}

void AddFields(std::span<const Field> fields, std::string& page) {
  if (fields.empty()) return;
  page += "| offset | size | field | values |\n|---|---|---|---|\n";
  for (const Field& field : fields) {
    std::string size = field.bytes == 0 ? "all" : StrCat(field.bytes);
    if (field.count > 1) StrAppend(&size, " × ", field.count);
    std::vector<std::string> values;
    for (const payload::ValueName& name : field.names) {
      values.push_back(StrCat(field.show == Show::kBits
                                  ? StrCat("bit ", name.value)
                              : field.show == Show::kHex ? Hex(name.value)
                                                         : StrCat(name.value),
                              " ", name.name));
    }
    StrAppend(&page, "| ", field.offset, " | ", size, " | ", field.name, " | ",
              StrJoin(values, ", "), " |\n");
  }
  page += "\n";
}

std::string Key(const Level& level, const Record& record) {
  if (level.key.bytes == 0) return "";
  if (level.key.bytes == 8) return std::string(record.name);
  return record.key > 255 ? Hex(record.key) : StrCat(record.key);
}

void AddLevel(const Level& level, const std::string& title, std::string& page,
              std::vector<const Level*>& seen) {
  if (std::find(seen.begin(), seen.end(), &level) != seen.end()) return;
  seen.push_back(&level);
  StrAppend(&page, "**", title, "**");
  if (level.key.bytes == 0) page += ", in this order";
  if (level.header_bytes > 0) {
    StrAppend(&page, ", each behind a header of ", level.header_bytes,
              " bytes");
  }
  page += ":\n\n";
  AddFields(level.header, page);
  page += "| key | record | body | size | |\n|---|---|---|---|---|\n";
  for (const Record& record : level.records) {
    std::string_view body = record.body == Body::kOpaque   ? "opaque"
                            : record.body == Body::kFields ? "fields"
                                                           : "records";
    std::string size = record.bytes > 0 ? StrCat(record.bytes)
                       : record.bare    ? "the rest"
                                        : "any";
    StrAppend(&page, "| ", Key(level, record), " | ", record.name, " | ", body,
              " | ", size, " | ", record.note, " |\n");
  }
  page += "\n";
  std::vector<const Field*> shown;
  for (const Record& record : level.records) {
    if (record.fields.empty()) continue;
    if (std::find(shown.begin(), shown.end(), record.fields.data()) !=
        shown.end()) {
      continue;
    }
    shown.push_back(record.fields.data());
    StrAppend(&page, "`", record.name, "`:\n\n");
    AddFields(record.fields, page);
  }
  for (const Record& record : level.records) {
    if (record.list) {
      AddLevel(*record.list, StrCat("Inside ", record.name), page, seen);
    }
  }
}

void AddFormat(const Format& format, std::string& page) {
  StrAppend(&page, "## ", format.name, "\n\n| | |\n|---|---|\n");
  StrAppend(&page, "| source | ", format.source, " |\n");
  if (!format.module.empty()) {
    StrAppend(&page, "| module | ", format.module, " |\n");
  }
  StrAppend(&page, "| devices | ", Ids(format), " |\n");
  StrAppend(&page, "| byte order | ",
            format.host_order ? "the host's" : "little-endian", " |\n");
  StrAppend(&page, "| in pre-copy | ", Phases(format),
            format.pre_copy == PreCopy::kPrefix
                ? StrCat(format.prefix_bytes, " bytes")
                : "",
            " |\n");
  StrAppend(&page, "| length | ", format.length_law, " |\n");
  if (!format.not_in_stream.empty()) {
    StrAppend(&page, "| not in the stream | ", format.not_in_stream, " |\n");
  }
  page += "\n| generation | needs on the destination |\n|---|---|\n";
  for (const Generation& generation : format.generations) {
    StrAppend(&page, "| ", generation.name, " | ", generation.needs,
              generation.also.empty() ? "" : "; ", generation.also, " |\n");
  }
  page += "\n";
  if (!format.readers.empty()) {
    page += "| destination | reads | another |\n|---|---|---|\n";
    for (const Reader& reader : format.readers) {
      std::vector<std::string_view> reads;
      for (size_t i = 0; i < format.generations.size(); ++i) {
        if (reader.reads >> i & 1) reads.push_back(format.generations[i].name);
      }
      std::string other(reader.otherwise.error);
      if (!reader.otherwise.log.empty()) {
        StrAppend(&other, other.empty() ? "\"" : ", \"", reader.otherwise.log,
                  "\"");
      }
      if (!reader.note.empty()) {
        StrAppend(&other, other.empty() ? "" : "; ", reader.note);
      }
      StrAppend(&page, "| linux-", ToString(reader.from), " | ",
                StrJoin(reads, ", "), " | ", other, " |\n");
    }
    page += "\n";
  }
  std::vector<const Level*> seen;
  AddLevel(*format.root, "Records", page, seen);
  if (format.legacy_root) {
    AddLevel(*format.legacy_root, "Records without headers", page, seen);
  }
}

}  // namespace

std::string PayloadsPage() {
  std::string page(kHead);
  for (const Format* format : AllFormats()) AddFormat(*format, page);
  page +=
      "## Findings\n\n"
      "What the destination's kernel does about each is as of Linux ";
  StrAppend(&page, ToString(kNewestKernel), ".\n\n",
            "| id | severity | what | the kernel | advice |\n"
            "|---|---|---|---|---|\n");
  for (const PayloadFindingRow& row : AllPayloadFindings()) {
    StrAppend(&page, "| ", row.name, " | ", row.severity, " | ", row.meaning,
              " | ", row.kernel, " | ", row.advice, " |\n");
  }
  return page;
}

}  // namespace migstream
