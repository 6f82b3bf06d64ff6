// A YAML text as a tree of scalars, lists and mappings, each with its line. Aliases and tags are
// YAML's business; a name that stands twice in a mapping is refused.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"

namespace framewall::backend {

struct SettingValue {
  enum class Kind : uint8_t { kNothing, kScalar, kList, kMapping };
  Kind kind = Kind::kNothing;
  int line = 0;  // from 1; 0: not from a file
  std::string text;
  std::vector<SettingValue> items;                            // kList
  std::vector<std::pair<std::string, SettingValue>> members;  // kMapping

  static SettingValue Scalar(std::string text) {
    SettingValue value;
    value.kind = Kind::kScalar;
    value.text = std::move(text);
    return value;
  }
};

// An error's message begins with "LINE: ".
Result<SettingValue> ParseSettingValue(std::string_view yaml);

}  // namespace framewall::backend
