// What an administrator changes while the program runs (/api/v1/settings/KEY): one table of typed
// keys. Never a secret and never an address; these come from files and the environment.
//
// The values stand in the database and, for all who ask, here in memory. On the loop.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "backend/settings/settings.h"

namespace framewall::backend {

using LiveValue = std::variant<bool, int64_t, std::string>;

struct LiveSpec {
  enum class Kind : uint8_t {
    kFlag,
    kInteger,  // from min to max
    kProse,    // text with lines, of min to max characters
    kModel,    // one of the models that are set up, or empty: none
  };
  enum class Readers : uint8_t { kAdmins, kEverybody };
  std::string_view key;
  Kind kind;
  int64_t min;
  int64_t max;
  Readers readers;
  std::string_view meaning;
};

class LiveSettings {
 public:
  // Defaults; `settings` gives those that the file has, and the names of models.
  explicit LiveSettings(const Settings& settings);

  static std::span<const LiveSpec> Specs();
  // Null: there is no such key.
  static const LiveSpec* Find(std::string_view key);

  // Is the value one of that key? Else what was expected.
  std::optional<std::string> Check(const LiveSpec& spec, const LiveValue& value) const;
  // Requires: checked.
  void Set(std::string_view key, LiveValue value);
  // Back to the default.
  void Reset(std::string_view key);

  // Requires: a key of Specs.
  const LiveValue& Get(std::string_view key) const;
  const LiveValue& Default(std::string_view key) const;
  bool is_default(std::string_view key) const { return set_.find(key) == set_.end(); }

  bool registration_open() const { return std::get<bool>(Get("registration_open")); }
  const std::string& message_of_the_day() const {
    return std::get<std::string>(Get("message_of_the_day"));
  }
  // Of new conversations; empty: none.
  const std::string& default_model() const { return std::get<std::string>(Get("default_model")); }
  int64_t rooms_per_user() const { return std::get<int64_t>(Get("rooms_per_user")); }
  int64_t conversations_per_user() const {
    return std::get<int64_t>(Get("conversations_per_user"));
  }
  int64_t members_per_room() const { return std::get<int64_t>(Get("members_per_room")); }
  int64_t keys_per_user() const { return std::get<int64_t>(Get("keys_per_user")); }

 private:
  using Values = std::map<std::string, LiveValue, std::less<>>;
  std::vector<std::string> models_;
  Values defaults_;
  Values set_;
};

// {true, 5, "text"} as JSON text, and back; nothing where it is no such text.
std::string LiveValueText(const LiveValue& value);
std::optional<LiveValue> ParseLiveValue(std::string_view json);

}  // namespace framewall::backend
