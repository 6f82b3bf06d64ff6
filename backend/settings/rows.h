// The list of all settings: where each is written, what it may be, and how it is documented.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backend/settings/settings.h"
#include "backend/settings/value.h"

namespace framewall::backend {

// Collects what is wrong, each with its place: "backend.yaml:3" or an environment variable.
class Complaints {
 public:
  void Add(std::string_view place, std::string_view text);
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

struct SettingRow {
  std::string_view section;
  std::string_view name;
  std::string_view unit;  // "octets", "seconds"; empty: none
  std::string_view doc;   // a sentence
  std::string expected;   // "a size from 1k to 16m"
  // A secret is never shown, and may be written as NAME_file: PATH.
  bool secret = false;
  bool file_only = false;  // a secret that is never written itself
  bool list = false;
  // What of a value is secret, where not all of it is: a text in it, files it names.
  struct Secrets {
    bool has_text = false;
    std::vector<std::string> files;
  };
  std::function<Secrets(const SettingValue&)> secrets_in;
  // Takes the value over, or complains. `place_of`: of a line.
  using PlaceOf = std::function<std::string(int line)>;
  std::function<void(Settings&, const SettingValue&, const PlaceOf&, Complaints&)> read;
  Secrets SecretsIn(const SettingValue& value) const {
    return secrets_in ? secrets_in(value) : Secrets{.has_text = secret, .files = {}};
  }
  // Of the default, for documentation.
  std::function<std::string(const Settings&)> show;

  std::string FullName() const { return std::string(section) + "." + std::string(name); }
  // FRAMEWALL_BACKEND_SECTION_NAME
  std::string EnvironmentName() const;
};

inline constexpr std::string_view kEnvironmentPrefix = "FRAMEWALL_BACKEND_";

const std::vector<SettingRow>& SettingRows();
// What no row can see alone: which settings contradict each other. `refused` are the names of those
// whose value was not taken: what stands there instead contradicts nobody.
void CheckTogether(const Settings& settings, const std::set<std::string>& refused,
                   Complaints& complaints);
// The table of docs/backend.md, in Markdown.
std::string SettingsTable();

}  // namespace framewall::backend
