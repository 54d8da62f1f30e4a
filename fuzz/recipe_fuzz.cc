// What the generator makes decodes, whatever the recipe: with the payload that
// it put in, byte by byte as it was, from the main channel and from the
// channels. What is damaged on purpose ends in an error that is declared, or is
// read as it stands.

#include "codec/channels/memory_channels.h"
#include "codec/generate/expectation.h"
#include "codec/generate/generator.h"
#include "codec/generate/recipe_dialect.h"
#include "codec/qemu/stream_recording.h"
#include "codec/qemu/stream_writer.h"
#include "codec/report/report.pb.h"
#include "codec/report/report_builder.h"
#include "fuzz/fuzzing.h"
#include "fuzz/recipe_mutator.h"

using namespace migstream;  // NOLINT: this file is a program.

namespace {

constexpr uint64_t kMaxBytes = 32 << 10;

// Whether a recipe asks for a stream that is wrong by itself: INIT_DATA_SENT
// without a return path.
bool IsUnasked(const recipe::Migration& recipe, const report::Finding& error) {
  return recipe.return_path() == recipe::NO &&
         error.id() == "init-data-sent-unasked";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  recipe::Migration recipe;
  if (!ParseRecipe(ByteSpan(data, size), recipe)) return 0;
  auto made = Generate(recipe, {.frame = {}, .max_bytes = kMaxBytes});
  if (!made.ok()) return 0;
  for (Release loader : {502, 702, 1101}) (void)Expect(*made, loader);

  ReportOptions options;
  options.reader.dialect =
      &RecipeDialect(recipe.dialect(), GetDialect(DialectId::kV111));
  MemorySource main(AsBytes(made->main.bytes));
  MemoryChannels channels;
  for (const MarkedBytes& channel : made->channels) {
    channels.Add(AsBytes(channel.bytes));
  }
  report::Report report;
  Error error = BuildReport(main, channels.given(), options, report);
  REQUIRE(IsOfClass(error, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5));

  MemorySource source(AsBytes(made->main.bytes));
  StringSink sink;
  if (Repack(source, sink, options.reader, nullptr).ok()) {
    REQUIRE(sink.bytes() == made->main.bytes);
  }
  // A device of another dialect than the stream's is its own affair, and so
  // are RAM blocks that contradict each other. A FULL without CONFIG is what
  // loaders take and no writer of the dialect makes (FORMAT.md section 9.5).
  bool plain = !recipe.has_ram() && !recipe.has_configuration();
  for (const recipe::Device& device : recipe.devices()) {
    plain &= device.dialect() == recipe::NEWEST;
    plain &= !device.no_config();
    plain &= device.config().subsections().empty();
    plain &= device.config().msix_table().empty();
    plain &= device.config().pci_config().empty();
    // So is what a driver would not have written, or another's device.
    plain &= device.vendor().damage().empty();
    plain &= !device.vendor().has_carried();
    plain &= device.config().pci_vendor() == 0;
    plain &= device.config().pci_device() == 0;
  }
  // Nothing in E5-v7's config says how many MSI-X vectors it has.
  plain &= recipe.dialect() != recipe::E5_V7 ||
           error.code != ErrorCode::kConfigAmbiguous;
  if (!plain || recipe.damage_size() != 0) return 0;
  REQUIRE(error.ok());
  for (const report::Finding& finding : report.findings()) {
    REQUIRE(finding.severity() != "error" || IsUnasked(recipe, finding));
  }
  REQUIRE(report.devices_size() == recipe.devices_size());
  for (int i = 0; i < report.devices_size(); ++i) {
    REQUIRE(report.devices(i).payload_bytes() ==
            made->devices[i].payload.size());
  }
  return 0;
}
