// The arguments of a request's query, read like a Body. Arguments that nobody asks for are ignored,
// and of an argument that is there twice the first one counts.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "backend/server/call.h"
#include "backend/server/text_rule.h"

namespace framewall::backend::server {

class Query {
 public:
  // The decoded value of an argument, as server::Call::Argument.
  using Lookup = std::function<std::optional<std::string>(std::string_view name)>;
  explicit Query(Lookup lookup) : lookup_(std::move(lookup)) {}
  // Of a call, which outlives this.
  explicit Query(const Call& call)
      : Query([&call](std::string_view name) { return call.Argument(name); }) {}

  std::optional<std::string> Raw(std::string_view name) const { return lookup_(name); }
  std::optional<std::string> Text(std::string_view name, const TextRule& rule);
  std::optional<std::string> Choice(std::string_view name,
                                    std::initializer_list<std::string_view> choices);
  std::optional<int64_t> Integer(std::string_view name, int64_t min, int64_t max);
  // 2026-11-21, a day that the calendar has.
  std::optional<std::string> Day(std::string_view name);
  std::optional<std::string> Id(std::string_view name);

  void Refuse(std::string_view name, std::string detail);
  std::vector<FieldProblem> Finish() { return std::move(problems_); }

 private:
  Lookup lookup_;
  std::vector<FieldProblem> problems_;
};

// True where the query is as expected; else the call is answered.
bool Accepted(Call& call, Query& query);

}  // namespace framewall::backend::server
