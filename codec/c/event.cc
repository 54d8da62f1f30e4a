#include "codec/c/event.h"

#include <algorithm>
#include <optional>

#include "codec/c/handle.h"
#include "codec/c/values.h"
#include "codec/device/config_view.h"

namespace migstream::c {
migstream_config ConfigOf(const ConfigView& view) {
  migstream_config config = {};
  config.struct_size = sizeof config;
  config.version = view.version;
  config.pci_config = view.pci_config.data();
  config.pci_config_bytes = view.pci_config.size();
  std::copy(view.irq_state.begin(), view.irq_state.end(), config.irq_state);
  config.msix_table = view.msix_table.data();
  config.msix_table_bytes = view.msix_table.size();
  config.msix_pba = view.msix_pba.data();
  config.msix_pba_bytes = view.msix_pba.size();
  return config;
}

migstream_status ConfigViewOf(const migstream_config* config,
                              ConfigView* view) {
  migstream_config given;
  migstream_status status = ReadOptions(config, &given);
  if (status != MIGSTREAM_OK) return status;
  if (!IsBytes(given.pci_config, given.pci_config_bytes) ||
      !IsBytes(given.msix_table, given.msix_table_bytes) ||
      !IsBytes(given.msix_pba, given.msix_pba_bytes)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  view->version = given.version == 0 ? kNewestConfigVersion : given.version;
  view->pci_config = Bytes(given.pci_config, given.pci_config_bytes);
  std::copy(std::begin(given.irq_state), std::end(given.irq_state),
            view->irq_state.begin());
  view->msix_table = Bytes(given.msix_table, given.msix_table_bytes);
  view->msix_pba = Bytes(given.msix_pba, given.msix_pba_bytes);
  return MIGSTREAM_OK;
}

void EventOut::GiveMore(EventKind kind) {
  const bool subsection = kind == EventKind::kSubsection;
  const bool config = kind == EventKind::kConfig;
  more_ = subsection || config;
  event_.version = subsection ? from_.subsection.version : 0;
  event_.name = subsection ? from_.subsection.name.data() : nullptr;
  event_.name_bytes = subsection ? from_.subsection.name.size() : 0;
  event_.config = nullptr;
  if (config) {
    config_ = ConfigOf(ConfigView::Parse(from_.payload, from_.layout));
    event_.config = &config_;
  }
}

migstream_status HintsOf(const migstream_config_hints* given,
                         ConfigHints* hints) {
  migstream_config_hints copy;
  migstream_status status = ReadOptions(given, &copy);
  if (status != MIGSTREAM_OK) return status;
  *hints = {.content_bytes = copy.content_bytes,
            .pci_config_bytes = copy.pci_config_bytes,
            .msix_vectors = -1,
            .footer_expected = copy.has_footer != 0,
            .footer_section_id = copy.footer_section_id};
  if (copy.has_msix_vectors != 0) {
    if (copy.msix_vectors > 2048) return MIGSTREAM_BAD_ARGUMENT;
    hints->msix_vectors = static_cast<int32_t>(copy.msix_vectors);
  }
  return MIGSTREAM_OK;
}

migstream_status OptionsOf(const migstream_section_options& given,
                           DecoderOptions* options) {
  options->offset = given.offset;
  options->switchover_ack_off = given.switchover_ack_off != 0;
  DeviceLimits& limits = options->limits;
  if (given.max_record_bytes != 0) limits.record_bytes = given.max_record_bytes;
  if (given.max_config_bytes != 0) limits.config_bytes = given.max_config_bytes;
  if (given.max_subsections != 0) limits.subsections = given.max_subsections;
  return HintsOf(given.config, &options->config);
}

migstream_status PutEvent(SectionEncoder& encoder, const migstream_event* event,
                          Put* put) {
  if (event == nullptr || event->internal == nullptr) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  if (event->kind != MIGSTREAM_EVENT_DATA) {
    *put = encoder.Append(*static_cast<const Event*>(event->internal));
    return MIGSTREAM_OK;
  }
  Event data;
  data.kind = EventKind::kData;
  data.payload = Bytes(event->payload, event->payload_bytes);
  data.starts_record = event->starts_record != 0;
  data.record_bytes = event->record_bytes;
  data.record_offset = event->record_offset;
  *put = encoder.Append(data);
  return MIGSTREAM_OK;
}

migstream_status PutTag(SectionEncoder& encoder, int32_t element, Put* put) {
  const std::optional<Element> tag = TagOf(element);
  if (!tag) return MIGSTREAM_BAD_ARGUMENT;
  *put = encoder.TagAlone(*tag);
  return MIGSTREAM_OK;
}

migstream_status PutDataHeader(SectionEncoder& encoder, uint64_t record_bytes,
                               Put* put) {
  *put = encoder.DataHeader(record_bytes);
  return MIGSTREAM_OK;
}

migstream_status PutPayload(SectionEncoder& encoder, const void* payload,
                            size_t bytes, Put* put) {
  if (!IsBytes(payload, bytes)) return MIGSTREAM_BAD_ARGUMENT;
  *put = encoder.Payload(Bytes(payload, bytes));
  return MIGSTREAM_OK;
}

migstream_status PutTakenOver(SectionEncoder& encoder, uint64_t bytes,
                              Put* put) {
  *put = encoder.TakeOver(bytes);
  return MIGSTREAM_OK;
}

migstream_status PutConfig(SectionEncoder& encoder,
                           const migstream_config* config, Put* put) {
  if (config == nullptr) return MIGSTREAM_BAD_ARGUMENT;
  ConfigView view;
  migstream_status status = ConfigViewOf(config, &view);
  if (status != MIGSTREAM_OK) return status;
  *put = encoder.Config(view);
  return MIGSTREAM_OK;
}

migstream_status PutSubsection(SectionEncoder& encoder, const char* name,
                               uint32_t version, const void* payload,
                               size_t bytes, Put* put) {
  if (name == nullptr || !IsBytes(payload, bytes)) {
    return MIGSTREAM_BAD_ARGUMENT;
  }
  *put = encoder.Subsection({name, version, Bytes(payload, bytes)});
  return MIGSTREAM_OK;
}

migstream_status PutConfigEnd(SectionEncoder& encoder, Put* put) {
  *put = encoder.EndConfig();
  return MIGSTREAM_OK;
}

bool SubsectionsOf(const migstream_config& config,
                   std::vector<SubsectionView>* subsections) {
  migstream_config given;
  if (ReadOptions(&config, &given) != MIGSTREAM_OK ||
      !IsBytes(given.subsections, given.subsection_count)) {
    return false;
  }
  for (size_t i = 0; i < given.subsection_count; ++i) {
    const migstream_subsection& each = given.subsections[i];
    if (!IsBytes(each.name, each.name_bytes) ||
        !IsBytes(each.payload, each.payload_bytes)) {
      return false;
    }
    subsections->push_back({AsText(Bytes(each.name, each.name_bytes)),
                            each.version,
                            Bytes(each.payload, each.payload_bytes)});
  }
  return true;
}

}  // namespace migstream::c
