#include "fuzz/recipe_mutator.h"

#include <algorithm>
#include <vector>

#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace migstream {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kGrowth = 32;
constexpr size_t kLongest = 256;
constexpr int kMaxElements = 16;

// Says nothing of inputs that are no recipes.
class Silent : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
  void AddWarning(int, int, const std::string&) override {}
};

void Collect(Message* message, std::vector<Message*>& all) {
  all.push_back(message);
  const Reflection* reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      Collect(reflection->MutableMessage(message, field), all);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      Collect(reflection->MutableRepeatedMessage(message, field, i), all);
    }
  }
}

class Mutator {
 public:
  Mutator(Random& random, MutateBytes mutate)
      : random_(random), mutate_(mutate) {}

  void Mutate(Message* message, const FieldDescriptor* field) {
    if (field->is_repeated()) {
      MutateList(message, field);
    } else {
      MutateOne(message, field);
    }
  }

 private:
  void MutateList(Message* message, const FieldDescriptor* field) {
    const Reflection* reflection = message->GetReflection();
    int size = reflection->FieldSize(*message, field);
    int at = static_cast<int>(random_.Below(size));
    bool messages = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    switch (size == 0 ? 0 : random_.Below(4)) {
      case 0:
        if (size < kMaxElements) Add(message, field);
        break;
      case 1:
        reflection->SwapElements(message, field, at, size - 1);
        reflection->RemoveLast(message, field);
        break;
      case 2:
        reflection->SwapElements(message, field, at,
                                 static_cast<int>(random_.Below(size)));
        break;
      case 3:
        if (messages && size < kMaxElements) {
          Message* copy = reflection->AddMessage(message, field);
          copy->CopyFrom(reflection->GetRepeatedMessage(*message, field, at));
        }
        break;
    }
  }

  void Add(Message* message, const FieldDescriptor* field) {
    const Reflection* reflection = message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        reflection->AddMessage(message, field);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->AddUInt32(message, field, static_cast<uint32_t>(Number(0)));
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->AddString(message, field, Bytes(""));
        break;
      default:
        break;  // The schema has no other lists.
    }
  }

  void MutateOne(Message* message, const FieldDescriptor* field) {
    const Reflection* reflection = message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection->SetUInt32(message, field,
                              static_cast<uint32_t>(Number(
                                  reflection->GetUInt32(*message, field))));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection->SetUInt64(message, field,
                              Number(reflection->GetUInt64(*message, field)));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection->SetBool(message, field,
                            !reflection->GetBool(*message, field));
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* type = field->enum_type();
        reflection->SetEnum(
            message, field,
            type->value(static_cast<int>(random_.Below(type->value_count()))));
        break;
      }
      case FieldDescriptor::CPPTYPE_STRING:
        reflection->SetString(message, field,
                              Bytes(reflection->GetString(*message, field)));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (reflection->HasField(*message, field) && random_.OneIn(4)) {
          reflection->ClearField(message, field);
        } else {
          reflection->MutableMessage(message, field);
        }
        break;
      default:
        break;  // The schema has no others.
    }
  }

  // Mostly one that is near a limit of the format, or near what it was.
  uint64_t Number(uint64_t number) {
    constexpr uint64_t kNumbers[] = {
        0, 1, 2, 3, 5, 8, 16, 255, 256, 4095, 4096, 65535, 1 << 20, ~0u, ~0ull};
    switch (random_.Below(4)) {
      case 0:
        return kNumbers[random_.Below(std::size(kNumbers))];
      case 1:
        return number + 1;
      case 2:
        return number - 1;
      default:
        return random_.Below(300);
    }
  }

  std::string Bytes(std::string bytes) {
    size_t size = std::min(bytes.size(), kLongest);
    bytes.resize(size + kGrowth);
    bytes.resize(
        mutate_(reinterpret_cast<uint8_t*>(bytes.data()), size, bytes.size()));
    return bytes;
  }

  Random& random_;
  const MutateBytes mutate_;
};

}  // namespace

void MutateRecipe(recipe::Migration& recipe, Random& random,
                  MutateBytes mutate) {
  std::vector<Message*> all;
  Collect(&recipe, all);
  Message* message = all[random.Below(all.size())];
  const auto* type = message->GetDescriptor();
  Mutator(random, mutate)
      .Mutate(message,
              type->field(static_cast<int>(random.Below(type->field_count()))));
}

void CrossRecipes(recipe::Migration& recipe, const recipe::Migration& other,
                  Random& random) {
  const auto* type = recipe::Migration::descriptor();
  recipe::Migration part;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (random.OneIn(2)) continue;
    // What is a list grows, and is cut; what is not is replaced.
    part.CopyFrom(other);
    for (int j = 0; j < type->field_count(); ++j) {
      if (j != i) part.GetReflection()->ClearField(&part, type->field(j));
    }
    recipe.MergeFrom(part);
    if (!field->is_repeated()) continue;
    const Reflection* reflection = recipe.GetReflection();
    while (reflection->FieldSize(recipe, field) > kMaxElements) {
      reflection->RemoveLast(&recipe, field);
    }
  }
}

bool ParseRecipe(ByteSpan text, recipe::Migration& recipe) {
  Silent silent;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&silent);
  if (parser.ParseFromString(std::string(AsText(text)), &recipe)) return true;
  recipe.Clear();
  return false;
}

std::string RecipeText(const recipe::Migration& recipe) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(recipe, &text);
  return text;
}

}  // namespace migstream
