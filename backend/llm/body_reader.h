// The members of a JSON body, read one by one; the first that is not as expected is kept, with its
// place, for an error in the client's dialect. A null is as good as nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "proxy/json/document.h"

namespace framewall::backend::llm {

// A value and the JSON Pointer to it.
struct Place {
  json::Value value;
  std::string pointer;
};

class BodyReader {
 public:
  bool ok() const { return !problem_.has_value(); }
  // Requires: !ok().
  const Problem& problem() const { return *problem_; }
  // `code` for programs; the status is 400.
  void Fail(std::string pointer, std::string detail, std::string code = "invalid_value");

  // Nothing where it is missing or null.
  static std::optional<Place> Member(const Place& object, std::string_view name);
  // As Member; its absence is the problem.
  std::optional<Place> Need(const Place& object, std::string_view name);

  // Each fails where the value is of another kind.
  std::string Text(const Place& place);
  std::vector<Place> Elements(const Place& place);
  bool IsObject(const Place& place);

  // Nothing where the member is missing.
  std::optional<std::string> TextOf(const Place& object, std::string_view name);
  std::optional<bool> FlagOf(const Place& object, std::string_view name);
  std::optional<int64_t> IntegerOf(const Place& object, std::string_view name, int64_t min,
                                   int64_t max);
  std::optional<double> NumberOf(const Place& object, std::string_view name, double min,
                                 double max);

 private:
  std::optional<Problem> problem_;
};

// A text or a list of texts, as "stop" and "input" are.
std::vector<std::string> ReadTexts(BodyReader& reader, const Place& place, size_t max_count);

}  // namespace framewall::backend::llm
