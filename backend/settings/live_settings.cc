#include "backend/settings/live_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "backend/base/characters.h"
#include "proxy/base/check.h"
#include "proxy/json/document.h"
#include "proxy/json/node.h"

namespace framewall::backend {
namespace {

using Kind = LiveSpec::Kind;
using Readers = LiveSpec::Readers;

constexpr std::array kSpecs = {
    LiveSpec{"conversations_per_user", Kind::kInteger, 0, 100'000, Readers::kAdmins,
             "Conversations that one user may have."},
    LiveSpec{"default_model", Kind::kModel, 0, 200, Readers::kEverybody,
             "The model of a conversation that names none; empty: none answers."},
    LiveSpec{"keys_per_user", Kind::kInteger, 0, 1'000, Readers::kAdmins,
             "API keys in force that one user may have."},
    LiveSpec{"members_per_room", Kind::kInteger, 1, 100'000, Readers::kAdmins,
             "Members of one room, invited ones with them."},
    LiveSpec{"message_of_the_day", Kind::kProse, 0, 2'000, Readers::kEverybody,
             "Shown to everybody, also before the log-in."},
    LiveSpec{"registration_open", Kind::kFlag, 0, 0, Readers::kEverybody,
             "Whether people may make accounts for themselves."},
    LiveSpec{"rooms_per_user", Kind::kInteger, 0, 100'000, Readers::kAdmins,
             "Rooms that one user may own."},
};

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<uint8_t>(c);
    return (octet < 0x20 && c != '\n' && c != '\t') || octet == 0x7F;
  });
}

}  // namespace

LiveSettings::LiveSettings(const Settings& settings) {
  for (const Settings::Model& model : settings.models) models_.push_back(model.name);
  defaults_ = {
      {"conversations_per_user", int64_t{1000}},
      {"default_model", models_.empty() ? std::string() : models_.front()},
      {"keys_per_user", int64_t{50}},
      {"members_per_room", int64_t{1000}},
      {"message_of_the_day", std::string()},
      {"registration_open", settings.registration_open},
      {"rooms_per_user", int64_t{100}},
  };
  FW_CHECK(defaults_.size() == kSpecs.size());
}

std::span<const LiveSpec> LiveSettings::Specs() { return kSpecs; }

const LiveSpec* LiveSettings::Find(std::string_view key) {
  const auto* const found = std::find_if(kSpecs.begin(), kSpecs.end(),
                                         [key](const LiveSpec& spec) { return spec.key == key; });
  return found == kSpecs.end() ? nullptr : found;
}

std::optional<std::string> LiveSettings::Check(const LiveSpec& spec, const LiveValue& value) const {
  switch (spec.kind) {
    case Kind::kFlag:
      if (std::holds_alternative<bool>(value)) return std::nullopt;
      return "expected true or false";
    case Kind::kInteger: {
      const int64_t* const number = std::get_if<int64_t>(&value);
      if (number != nullptr && *number >= spec.min && *number <= spec.max) return std::nullopt;
      return fmt::format("expected an integer from {} to {}", spec.min, spec.max);
    }
    case Kind::kProse: {
      const std::string* const text = std::get_if<std::string>(&value);
      if (text != nullptr && static_cast<int64_t>(CountCharacters(*text)) <= spec.max &&
          !HasControls(*text)) {
        return std::nullopt;
      }
      return fmt::format(
          "expected a text of at most {} characters, none of them control characters", spec.max);
    }
    case Kind::kModel:
      break;
  }
  const std::string* const name = std::get_if<std::string>(&value);
  if (name != nullptr &&
      (name->empty() || std::find(models_.begin(), models_.end(), *name) != models_.end())) {
    return std::nullopt;
  }
  return fmt::format("expected a model's name ({}), or nothing", fmt::join(models_, ", "));
}

void LiveSettings::Set(std::string_view key, LiveValue value) {
  const LiveSpec* const spec = Find(key);
  FW_CHECK(spec != nullptr && !Check(*spec, value));
  set_.insert_or_assign(std::string(key), std::move(value));
}

void LiveSettings::Reset(std::string_view key) {
  if (const auto found = set_.find(key); found != set_.end()) set_.erase(found);
}

const LiveValue& LiveSettings::Get(std::string_view key) const {
  const auto found = set_.find(key);
  return found != set_.end() ? found->second : Default(key);
}

const LiveValue& LiveSettings::Default(std::string_view key) const {
  const auto found = defaults_.find(key);
  FW_CHECK(found != defaults_.end());
  return found->second;
}

std::string LiveValueText(const LiveValue& value) {
  return std::visit([](const auto& held) { return json::Node(held).Text(); }, value);
}

std::optional<LiveValue> ParseLiveValue(std::string_view json) {
  const auto document = json::Document::Parse(json);
  if (!document.ok()) return std::nullopt;
  const json::Value value = document->root();
  if (value.kind() == json::Kind::kBoolean) return value.AsBoolean();
  if (value.kind() == json::Kind::kInteger) return value.AsInteger();
  if (value.kind() == json::Kind::kString) return std::string(value.AsString());
  return std::nullopt;
}

}  // namespace framewall::backend
