// Rows whose value is one text, yes or no, or number.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backend/settings/list_row.h"
#include "backend/settings/rows.h"
#include "proxy/base/parse.h"

namespace framewall::backend::rows {

using SetText = std::function<bool(Settings&, std::string_view)>;

inline SettingRow Scalar(std::string_view section, std::string_view name, std::string_view unit,
                         std::string expected, std::string_view doc, SetText set,
                         std::function<std::string(const Settings&)> show) {
  SettingRow row;
  row.section = section;
  row.name = name;
  row.unit = unit;
  row.doc = doc;
  row.expected = std::move(expected);
  row.read = [full = row.FullName(), expected = row.expected, set = std::move(set)](
                 Settings& settings, const SettingValue& value, const SettingRow::PlaceOf& place_of,
                 Complaints& complaints) {
    std::string found;
    if (value.kind == SettingValue::Kind::kScalar || value.kind == SettingValue::Kind::kNothing) {
      if (set(settings, value.text)) return;
      found = Quoted(value.text);
    } else {
      found = value.kind == SettingValue::Kind::kList ? "a list" : "a mapping";
    }
    complaints.Add(place_of(value.line), full + ": " + expected + " was expected, found " + found);
  };
  row.show = std::move(show);
  return row;
}

inline SettingRow Text(std::string_view section, std::string_view name,
                       std::string Settings::*member, std::string expected, std::string_view doc,
                       std::function<bool(std::string_view)> is_good) {
  return Scalar(
      section, name, "", std::move(expected), doc,
      [member, is_good = std::move(is_good)](Settings& settings, std::string_view text) {
        if (!is_good(text)) return false;
        settings.*member = text;
        return true;
      },
      [member](const Settings& settings) { return settings.*member; });
}

inline SettingRow Flag(std::string_view section, std::string_view name, bool Settings::*member,
                       std::string_view doc) {
  return Scalar(
      section, name, "", "true or false", doc,
      [member](Settings& settings, std::string_view text) {
        const bool yes = text == "true" || text == "on" || text == "yes";
        if (!yes && text != "false" && text != "off" && text != "no") return false;
        settings.*member = yes;
        return true;
      },
      [member](const Settings& settings) {
        return std::string(settings.*member ? "true" : "false");
      });
}

enum class Unit : uint8_t { kNone, kOctets, kSeconds };

inline std::optional<uint64_t> ParseIn(Unit unit, std::string_view text) {
  switch (unit) {
    case Unit::kNone:
      return ParseUnsigned(text);
    case Unit::kOctets:
      return ParseSize(text);
    case Unit::kSeconds: {
      const std::optional<Milliseconds> time = ParseTime(text);
      if (!time || time->count() % 1000 != 0) return std::nullopt;
      return static_cast<uint64_t>(time->count() / 1000);
    }
  }
  return std::nullopt;
}

// Inclusive bounds. Sizes may end in k, m or g, times in s, m, h, d or w.
template <class T>
SettingRow Number(std::string_view section, std::string_view name, T Settings::*member,
                  uint64_t least, uint64_t most, Unit unit, std::string_view shown_unit,
                  std::string_view doc) {
  const std::string_view what = unit == Unit::kOctets    ? "a size"
                                : unit == Unit::kSeconds ? "a time"
                                                         : "a whole number";
  std::string expected = std::string(what) + " from " + std::to_string(least) + " to " +
                         std::to_string(most) +
                         (shown_unit.empty() ? "" : " " + std::string(shown_unit));
  return Scalar(
      section, name, shown_unit, std::move(expected), doc,
      [=](Settings& settings, std::string_view text) {
        const std::optional<uint64_t> number = ParseIn(unit, text);
        if (!number || *number < least || *number > most) return false;
        settings.*member = static_cast<T>(*number);
        return true;
      },
      [member](const Settings& settings) { return std::to_string(settings.*member); });
}

template <class T>
SettingRow Count(std::string_view section, std::string_view name, T Settings::*member,
                 uint64_t least, uint64_t most, std::string_view unit, std::string_view doc) {
  return Number(section, name, member, least, most, Unit::kNone, unit, doc);
}
template <class T>
SettingRow Octets(std::string_view section, std::string_view name, T Settings::*member,
                  uint64_t least, uint64_t most, std::string_view doc) {
  return Number(section, name, member, least, most, Unit::kOctets, "octets", doc);
}
template <class T>
SettingRow Seconds(std::string_view section, std::string_view name, T Settings::*member,
                   uint64_t least, uint64_t most, std::string_view doc) {
  return Number(section, name, member, least, most, Unit::kSeconds, "seconds", doc);
}

}  // namespace framewall::backend::rows
