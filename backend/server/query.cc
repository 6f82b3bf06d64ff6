#include "backend/server/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "backend/base/id.h"
#include "backend/server/body.h"
#include "proxy/base/text.h"

namespace framewall::backend::server {
namespace {

template <class T>
std::optional<T> ParseWhole(std::string_view text) {
  T number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

bool IsDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i != 4 && i != 7 && !IsDigit(text[i])) return false;
  }
  const auto year = ParseWhole<int>(text.substr(0, 4));
  const auto month = ParseWhole<unsigned>(text.substr(5, 2));
  const auto day = ParseWhole<unsigned>(text.substr(8, 2));
  return std::chrono::year_month_day(std::chrono::year(*year), std::chrono::month(*month),
                                     std::chrono::day(*day))
      .ok();
}

}  // namespace

void Query::Refuse(std::string_view name, std::string detail) {
  problems_.push_back({"?" + std::string(name), std::move(detail)});
}

std::optional<std::string> Query::Text(std::string_view name, const TextRule& rule) {
  std::optional<std::string> value = lookup_(name);
  if (!value) return std::nullopt;
  if (std::optional<std::string> fault = CheckText(rule, *value)) {
    Refuse(name, *std::move(fault));
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> Query::Choice(std::string_view name,
                                         std::initializer_list<std::string_view> choices) {
  std::optional<std::string> value = lookup_(name);
  if (!value || std::find(choices.begin(), choices.end(), *value) != choices.end()) return value;
  Refuse(name, ExpectedOneOf(choices));
  return std::nullopt;
}

std::optional<int64_t> Query::Integer(std::string_view name, int64_t min, int64_t max) {
  const std::optional<std::string> value = lookup_(name);
  if (!value) return std::nullopt;
  const std::optional<int64_t> number = ParseWhole<int64_t>(*value);
  if (number && *number >= min && *number <= max) return number;
  Refuse(name, fmt::format("expected an integer from {} to {}", min, max));
  return std::nullopt;
}

std::optional<std::string> Query::Day(std::string_view name) {
  std::optional<std::string> value = lookup_(name);
  if (!value || IsDay(*value)) return value;
  Refuse(name, "expected a day like 2026-11-21");
  return std::nullopt;
}

std::optional<std::string> Query::Id(std::string_view name) {
  std::optional<std::string> value = lookup_(name);
  if (!value || IsId(*value)) return value;
  Refuse(name, "expected an id, 36 characters");
  return std::nullopt;
}

bool Accepted(Call& call, Query& query) {
  std::vector<FieldProblem> problems = query.Finish();
  if (problems.empty()) return true;
  call.Fail(Invalid(std::move(problems)));
  return false;
}

}  // namespace framewall::backend::server
