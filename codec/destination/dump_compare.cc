#include "codec/destination/dump_compare.h"

#include <map>
#include <string_view>

#include "codec/destination/renamed_fields.h"
#include "codec/wire/text.h"

namespace migstream {
namespace {

// A place in a list of fields, and the lists that it is within.
class Walk {
 public:
  explicit Walk(const std::vector<DumpedField>& fields) {
    open_.push_back({&fields, 0});
  }

  // The next field of the innermost list; null at its end.
  const DumpedField* Next() {
    Open& open = open_.back();
    if (open.at == open.fields->size()) return nullptr;
    return &(*open.fields)[open.at++];
  }
  // Into a field's own list, and out of it; false if there is no list outside.
  void Enter(const std::vector<DumpedField>& fields) {
    open_.push_back({&fields, 0});
  }
  bool Leave() {
    if (open_.size() == 1) return false;
    open_.pop_back();
    return true;
  }

 private:
  struct Open {
    const std::vector<DumpedField>* fields;
    size_t at;
  };
  std::vector<Open> open_;
};

class Comparison {
 public:
  Comparison(const VmstateDump& source, const VmstateDump& destination)
      : source_(source), destination_(destination) {}

  std::vector<DumpDifference> Run();

 private:
  void Add(std::string_view description, std::string text) {
    differences_.push_back(
        {std::string(section_), std::string(description), std::move(text)});
  }
  // Subsections of one name are compared each with each. No real dump comes
  // near this many steps.
  static constexpr size_t kMostSteps = 1 << 20;
  bool TooMany() { return ++steps_ > kMostSteps; }
  void CompareStates(const DumpedState& a, const DumpedState& b);
  void CompareFields(const DumpedState& a, const DumpedState& b);
  void CompareSubsections(const DumpedState& a, const DumpedState& b);
  void CompareField(const DumpedField& a, const DumpedField& b,
                    std::string_view description);
  // The list within `field`, if it begins with a field of that name.
  const std::vector<DumpedField>* Inside(const VmstateDump& dump,
                                         const DumpedField& field,
                                         std::string_view name) const;

  const VmstateDump& source_;
  const VmstateDump& destination_;
  std::string_view section_;
  size_t steps_ = 0;
  std::vector<DumpDifference> differences_;
};

const std::vector<DumpedField>* Comparison::Inside(
    const VmstateDump& dump, const DumpedField& field,
    std::string_view name) const {
  if (!field.state) return nullptr;
  const DumpedState& state = dump.states[*field.state];
  if (!state.fields || state.fields->empty()) return nullptr;
  return IsSameField(state.name, (*state.fields)[0].name, name) ? &*state.fields
                                                                : nullptr;
}

void Comparison::CompareField(const DumpedField& a, const DumpedField& b,
                              std::string_view description) {
  if (a.version_id > b.version_id) {
    Add(description,
        StrCat("version error: ", a.version_id, " > ", b.version_id));
  }
  if (!a.state) {
    if (a.bytes == b.bytes) return;
    Add(description, StrCat("Field \"", a.name, "\" size mismatch: ", a.bytes,
                            " , ", b.bytes));
  } else if (!b.state) {
    Add(description, StrCat("Field \"", a.name, "\": missing description"));
  } else {
    CompareStates(source_.states[*a.state], destination_.states[*b.state]);
  }
}

void Comparison::CompareFields(const DumpedState& a, const DumpedState& b) {
  Walk source(*a.fields);
  Walk destination(*b.fields);
  const DumpedField* s = nullptr;
  const DumpedField* d = nullptr;
  bool next_s = true;
  bool next_d = true;
  for (;;) {
    if (next_s) {
      const DumpedField* next = source.Next();
      if (next == nullptr) {
        if (!source.Leave()) return;
        continue;
      }
      s = next;
    }
    next_s = true;
    if (next_d) {
      const DumpedField* next = destination.Next();
      if (next == nullptr) {
        if (!destination.Leave()) {
          return Add(a.name, StrCat("expected field \"", s->name,
                                    "\", while dest has no further fields"));
        }
        next_s = false;
        continue;
      }
      d = next;
    }
    next_d = true;
    if (IsSameField(a.name, s->name, d->name)) {
      CompareField(*s, *d, a.name);
    } else if (auto* inside = Inside(destination_, *d, s->name)) {
      destination.Enter(*inside);
      next_s = false;
    } else if (auto* inside = Inside(source_, *s, d->name)) {
      source.Enter(*inside);
      next_d = false;
    } else {
      return Add(a.name, StrCat("expected field \"", s->name, "\", got \"",
                                d->name, "\"; skipping rest"));
    }
  }
}

void Comparison::CompareSubsections(const DumpedState& a,
                                    const DumpedState& b) {
  for (size_t i : *a.subsections) {
    const DumpedState& subsection = source_.states[i];
    bool found = false;
    for (size_t j : *b.subsections) {
      if (TooMany()) return;
      if (destination_.states[j].name != subsection.name) continue;
      found = true;
      CompareStates(subsection, destination_.states[j]);
    }
    if (found) continue;
    Add(a.name, StrCat("Subsection \"", subsection.name, "\" not found"));
  }
}

// Calls itself for structs and subsections, no deeper than the dumps are.
void Comparison::CompareStates(const DumpedState& a, const DumpedState& b) {
  if (a.version_id > b.version_id) {
    Add(a.name, StrCat("version error: ", a.version_id, " > ", b.version_id));
  }
  if (a.version_id < b.minimum_version_id) {
    Add(a.name, StrCat("minimum version error: ", a.version_id, " < ",
                       b.minimum_version_id));
  }
  if (!IsSameField(section_, a.name, b.name)) {
    return Add(a.name,
               StrCat("missing, got \"", b.name, "\" instead; skipping"));
  }
  if (a.fields && b.fields) CompareFields(a, b);
  if (a.fields && !b.fields) Add(a.name, "Entry \"Fields\" missing");
  if (a.subsections && b.subsections) CompareSubsections(a, b);
  if (a.subsections && !b.subsections) {
    Add(a.name, "Entry \"Subsections\" missing");
  }
}

std::vector<DumpDifference> Comparison::Run() {
  std::map<std::string_view, const DumpedDevice*> devices;
  for (const DumpedDevice& device : destination_.devices) {
    devices.emplace(device.name, &device);
  }
  for (const DumpedDevice& a : source_.devices) {
    section_ = a.name;
    auto found = devices.find(a.name);
    if (found == devices.end()) found = devices.find(OtherSectionName(a.name));
    if (found == devices.end()) {
      Add("", "does not exist in dest");
      continue;
    }
    const DumpedDevice& b = *found->second;
    if (a.version_id > b.version_id) {
      Add("", StrCat("version error: ", a.version_id, " > ", b.version_id));
    }
    if (a.state && b.state) {
      CompareStates(source_.states[*a.state], destination_.states[*b.state]);
    } else if (a.state) {
      Add("", "Entry \"Description\" missing");
    }
  }
  if (steps_ > kMostSteps) {
    section_ = "";
    Add("", "the dumps have too many subsections to compare all");
  }
  return std::move(differences_);
}

}  // namespace

std::string ToString(const DumpDifference& difference) {
  const bool whole = difference.description.empty();
  return StrCat(
      "Section \"", difference.section, "\"",
      whole ? " " : StrCat(" Description \"", difference.description, "\": "),
      difference.text);
}

std::vector<DumpDifference> CompareDumps(const VmstateDump& source,
                                         const VmstateDump& destination) {
  return Comparison(source, destination).Run();
}

}  // namespace migstream
