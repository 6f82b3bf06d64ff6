// Rows whose value is a list of mappings: each item a struct, each member of it a field.
#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/settings/rows.h"
#include "proxy/base/encoding.h"
#include "proxy/base/parse.h"

namespace framewall::backend {

// "text", cut and escaped, for complaints.
inline std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  AppendJsonEscaped(quoted, text.substr(0, 100));
  return quoted + "\"";
}

template <class Item>
struct ItemField {
  std::string_view name;
  bool required = false;
  std::string expected;
  std::function<bool(Item&, const SettingValue&)> set;
  // Empty: not to be shown.
  std::function<std::string(const Item&)> show;
};

template <class Item>
ItemField<Item> TextField(std::string_view name, std::string Item::*member, bool required,
                          std::string expected, std::function<bool(std::string_view)> is_good) {
  return {name, required, std::move(expected),
          [member, is_good = std::move(is_good)](Item& item, const SettingValue& value) {
            if (value.kind != SettingValue::Kind::kScalar || !is_good(value.text)) return false;
            item.*member = value.text;
            return true;
          },
          [member](const Item& item) { return item.*member; }};
}

template <class Item>
ItemField<Item> FlagField(std::string_view name, bool Item::*member) {
  return {name, false, "true or false",
          [member](Item& item, const SettingValue& value) {
            if (value.text != "true" && value.text != "false") return false;
            item.*member = value.text == "true";
            return value.kind == SettingValue::Kind::kScalar;
          },
          [member](const Item& item) { return std::string(item.*member ? "true" : ""); }};
}

// Inclusive bounds; not shown, as every item has its own default.
template <class Item, class T>
ItemField<Item> NumberField(std::string_view name, T Item::*member, uint64_t least, uint64_t most) {
  return {name, false,
          "a whole number from " + std::to_string(least) + " to " + std::to_string(most),
          [=](Item& item, const SettingValue& value) {
            const auto number = ParseUnsigned(value.text);
            if (!number || *number < least || *number > most) return false;
            item.*member = static_cast<T>(*number);
            return value.kind == SettingValue::Kind::kScalar;
          },
          [](const Item&) { return std::string(); }};
}

// The members of a mapping into `item`.
template <class Item>
void ReadItem(const std::vector<ItemField<Item>>& fields, const std::string& expected,
              const SettingValue& value, Item& item,
              const std::function<void(int line, const std::string& text)>& complain) {
  if (value.kind != SettingValue::Kind::kMapping) {
    return complain(value.line, expected + " was expected");
  }
  std::set<std::string_view> seen;
  for (const auto& [key, given] : value.members) {
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&key = key](const auto& f) { return f.name == key; });
    if (field == fields.end()) {
      complain(given.line, "unknown " + Quoted(key) + "; " + expected + " was expected");
      continue;
    }
    seen.insert(field->name);
    if (!field->set(item, given)) {
      complain(given.line, std::string(field->name) + ": " + field->expected + " was expected");
    }
  }
  for (const auto& field : fields) {
    if (field.required && seen.count(field.name) == 0) {
      complain(value.line, "an item lacks \"" + std::string(field.name) + "\"");
    }
  }
}

template <class Item>
std::string FieldNames(const std::vector<ItemField<Item>>& fields) {
  std::string names;
  for (const auto& field : fields) {
    if (!names.empty()) names += ", ";
    names += field.name;
  }
  return names;
}

template <class Item>
SettingRow ListOf(std::string_view section, std::string_view name,
                  std::vector<Item> Settings::*member, std::vector<ItemField<Item>> fields,
                  std::string_view doc) {
  SettingRow row;
  row.section = section;
  row.name = name;
  row.doc = doc;
  row.list = true;
  row.expected = "a list of mappings with " + FieldNames(fields);
  row.read = [full = row.FullName(), expected = row.expected, member, fields](
                 Settings& settings, const SettingValue& value, const SettingRow::PlaceOf& place_of,
                 Complaints& complaints) {
    const auto complain = [&](int line, const std::string& text) {
      complaints.Add(place_of(line), full + ": " + text);
    };
    if (value.kind != SettingValue::Kind::kList) {
      return complain(value.line, expected + " was expected");
    }
    std::vector<Item> items;
    for (const SettingValue& one : value.items) {
      ReadItem<Item>(fields, expected, one, items.emplace_back(), complain);
    }
    settings.*member = std::move(items);
  };
  row.show = [member, fields](const Settings& settings) {
    std::string shown = "[";
    for (const Item& item : settings.*member) {
      shown += shown.size() > 1 ? ", {" : "{";
      bool first = true;
      for (const auto& field : fields) {
        const std::string text = field.show(item);
        if (text.empty()) continue;
        shown += (first ? "" : ", ") + std::string(field.name) + ": " + text;
        first = false;
      }
      shown += "}";
    }
    return shown + "]";
  };
  return row;
}

}  // namespace framewall::backend
