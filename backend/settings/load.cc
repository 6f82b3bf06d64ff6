#include "backend/settings/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "backend/settings/rows.h"
#include "backend/settings/secret_files.h"
#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"

extern char** environ;

namespace framewall::backend {
namespace {

constexpr size_t kLargestFile = 1024 * 1024;
constexpr size_t kFarthestName = 5;  // edits, for "did you mean"

Result<std::string> ReadFile(const std::string& path, mode_t& mode) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return SystemError("cannot open \"" + path + "\"", errno);
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return SystemError("cannot read \"" + path + "\"", errno);
  mode = file.st_mode;
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(fd.get(), buffer, sizeof(buffer))) != 0;) {
    if (got < 0) return SystemError("cannot read \"" + path + "\"", errno);
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kLargestFile) return OperatorError("\"" + path + "\" is too large");
  }
  return text;
}

// ", did you mean X?", or nothing.
std::string Nearest(std::string_view name, const std::vector<std::string>& known) {
  size_t best = kFarthestName;
  const std::string* nearest = nullptr;
  for (const std::string& one : known) {
    const size_t distance = EditDistance(name, one, kFarthestName);
    if (distance >= best) continue;
    best = distance;
    nearest = &one;
  }
  return nearest == nullptr ? std::string() : "; did you mean \"" + *nearest + "\"?";
}

class Loader {
 public:
  void ReadYaml(const std::string& file) {
    mode_t mode = 0;
    Result<std::string> text = ReadFile(file, mode);
    if (!text.ok()) return complaints_.Add(file, text.error().message);
    Result<SettingValue> root = ParseSettingValue(*text);
    if (!root.ok()) return Syntax(file, root.error().message);
    if (root->kind == SettingValue::Kind::kNothing) return;
    const auto place_of = [&file](int line) { return file + ":" + std::to_string(line); };
    if (root->kind != SettingValue::Kind::kMapping) {
      return complaints_.Add(place_of(root->line), "a mapping of sections was expected");
    }
    for (const auto& [section, members] : root->members) {
      if (!IsSection(section)) {
        complaints_.Add(place_of(members.line),
                        "unknown section \"" + section + "\"" + Nearest(section, Sections()));
      } else if (members.kind == SettingValue::Kind::kMapping) {
        for (const auto& [name, value] : members.members) {
          ReadMember(file, section, name, value, place_of, mode);
        }
      } else if (members.kind != SettingValue::Kind::kNothing) {
        complaints_.Add(place_of(members.line),
                        "a mapping of settings was expected in \"" + section + "\"");
      }
    }
  }

  void ReadEnvironment(const Environment& environment) {
    for (const auto& [name, value] : environment) {
      if (name == std::string(kEnvironmentPrefix) + "CONFIG") continue;
      const auto place_of = [&name = name](int) { return name; };
      if (const SettingRow* row = FindVariable(name)) {
        if (row->file_only) {
          complaints_.Add(name, row->FullName() + " comes from a file alone: " + name + "_FILE");
        } else {
          Take(*row, value, place_of);
        }
        continue;
      }
      const SettingRow* row =
          name.ends_with("_FILE") ? FindVariable(name.substr(0, name.size() - 5)) : nullptr;
      if (row == nullptr) {
        complaints_.Add(name, "no such setting" + Nearest(name, Variables()));
        continue;
      }
      const bool is_twice =
          std::any_of(environment.begin(), environment.end(),
                      [row](const auto& one) { return one.first == row->EnvironmentName(); });
      if (is_twice) {
        complaints_.Add(name, "is set beside " + row->EnvironmentName() + "; one of them");
        continue;
      }
      if (const auto text = ReadSecret(*row, value, place_of)) Take(*row, *text, place_of);
    }
  }

  LoadedSettings Finish() && {
    CheckTogether(settings_, refused_, complaints_);
    secret_files_.Judge(settings_.data_dir, complaints_, warnings_);
    return {std::move(settings_), complaints_.texts(), std::move(warnings_)};
  }

 private:
  void Syntax(const std::string& place, const std::string& message) {
    // The message begins with its line.
    complaints_.Add(place + ":" + message.substr(0, message.find(':')),
                    Trim(message.substr(message.find(':') + 1)));
  }

  void ReadMember(const std::string& file, const std::string& section, const std::string& name,
                  const SettingValue& value, const SettingRow::PlaceOf& place_of, mode_t mode) {
    if (const SettingRow* row = FindRow(section, name)) {
      if (row->SecretsIn(value).has_text) {
        secret_files_.Add(place_of(value.line) + ": " + row->FullName(), file, mode);
      }
      if (row->file_only) {
        return complaints_.Add(
            place_of(value.line),
            row->FullName() + " comes from a file alone: " + row->FullName() + "_file");
      }
      return Read(*row, value, place_of);
    }
    const SettingRow* row =
        name.ends_with("_file") ? FindRow(section, name.substr(0, name.size() - 5)) : nullptr;
    if (row != nullptr && row->secret && value.kind == SettingValue::Kind::kScalar) {
      const auto text = ReadSecret(*row, value.text, [&](int) { return place_of(value.line); });
      if (text) Read(*row, SettingValue::Scalar(*text), place_of);
      return;
    }
    complaints_.Add(place_of(value.line), "unknown setting \"" + section + "." + name + "\"" +
                                              Nearest(section + "." + name, Names()));
  }

  void Take(const SettingRow& row, const std::string& text, const SettingRow::PlaceOf& place_of) {
    if (!row.list) return Read(row, SettingValue::Scalar(text), place_of);
    Result<SettingValue> value = ParseSettingValue(text);
    if (!value.ok()) {
      refused_.insert(row.FullName());
      return complaints_.Add(place_of(0),
                             row.expected + " in YAML was expected; line " + value.error().message);
    }
    Read(row, *value, place_of);
  }

  void Read(const SettingRow& row, const SettingValue& value, const SettingRow::PlaceOf& place_of) {
    for (const std::string& path : row.SecretsIn(value).files) {
      secret_files_.AddUnread(place_of(value.line) + ": " + row.FullName(), path);
    }
    const size_t before = complaints_.texts().size();
    row.read(settings_, value, place_of, complaints_);
    if (complaints_.texts().size() > before) refused_.insert(row.FullName());
  }

  std::optional<std::string> ReadSecret(const SettingRow& row, const std::string& path,
                                        const SettingRow::PlaceOf& place_of) {
    mode_t mode = 0;
    Result<std::string> text = ReadFile(path, mode);
    if (!text.ok()) {
      refused_.insert(row.FullName());
      complaints_.Add(place_of(0), text.error().message);
      return std::nullopt;
    }
    // A list that may hold secrets is in a file of its own because it does.
    if (row.secret || (row.list && row.secrets_in)) secret_files_.Add(place_of(0), path, mode);
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    if (row.file_only && text->empty()) {
      complaints_.Add(place_of(0), "\"" + path + "\" is empty");
      return std::nullopt;
    }
    return std::move(text).value();
  }

  static const SettingRow* FindRow(std::string_view section, std::string_view name) {
    for (const SettingRow& row : SettingRows()) {
      if (row.section == section && row.name == name) return &row;
    }
    return nullptr;
  }
  static const SettingRow* FindVariable(std::string_view name) {
    for (const SettingRow& row : SettingRows()) {
      if (row.EnvironmentName() == name) return &row;
    }
    return nullptr;
  }
  static bool IsSection(std::string_view name) {
    return std::any_of(SettingRows().begin(), SettingRows().end(),
                       [name](const SettingRow& row) { return row.section == name; });
  }
  static std::vector<std::string> Sections() {
    std::vector<std::string> names;
    for (const SettingRow& row : SettingRows()) names.emplace_back(row.section);
    return names;
  }
  static std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const SettingRow& row : SettingRows()) names.push_back(row.FullName());
    return names;
  }
  static std::vector<std::string> Variables() {
    std::vector<std::string> names;
    for (const SettingRow& row : SettingRows()) names.push_back(row.EnvironmentName());
    return names;
  }

  Settings settings_;
  Complaints complaints_;
  SecretFiles secret_files_;
  std::set<std::string> refused_;  // names of settings whose value was not taken
  std::vector<std::string> warnings_;
};

}  // namespace

Environment ProcessEnvironment() {
  Environment found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || !text.starts_with(kEnvironmentPrefix)) continue;
    found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

LoadedSettings LoadSettings(const std::string& file, const Environment& environment) {
  Loader loader;
  if (!file.empty()) loader.ReadYaml(file);
  loader.ReadEnvironment(environment);
  return std::move(loader).Finish();
}

}  // namespace framewall::backend
