// The members of a request's JSON object, read one by one; what is wrong with them is collected, so
// that one answer names every bad field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "proxy/json/document.h"

namespace framewall::backend::auth {

class BodyFields {
 public:
  // Requires: an object, which outlives this.
  explicit BodyFields(json::Value object) : object_(object) {}

  // Must be there; empty where it is not. Views of the document.
  std::string_view Text(std::string_view name);
  std::optional<std::string_view> OptionalText(std::string_view name);
  std::optional<bool> OptionalFlag(std::string_view name);
  std::optional<int64_t> OptionalInteger(std::string_view name, int64_t least, int64_t most);
  // An array of texts, at most `most`. Must be there.
  std::vector<std::string_view> Texts(std::string_view name, size_t most);

  // `expected` empty: nothing to object.
  void Refuse(std::string_view name, std::string expected);
  // After all were asked for: members nobody asked for are refused too. Nothing: all is well.
  std::optional<Problem> Finish();

 private:
  std::optional<json::Value> Find(std::string_view name);

  json::Value object_;
  std::vector<std::string_view> asked_;
  std::vector<FieldProblem> problems_;
};

}  // namespace framewall::backend::auth
