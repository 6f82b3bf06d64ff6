// The JSON object of a request, read member by member. Whatever is not as expected is collected, so
// that one answer names every bad field.
//
//   Body body(*json);
//   const std::string name = body.Text("name", kRoomName);
//   const bool loud = body.Flag("loud").value_or(false);
//   if (!Accepted(*call, body)) return;
//
// Until that, what was read means nothing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"
#include "backend/server/call.h"
#include "backend/server/text_rule.h"
#include "proxy/json/document.h"

namespace framewall::backend::server {

// How many problems one answer tells.
inline constexpr size_t kProblemsTold = 32;

class Body {
 public:
  // Requires: an object, which outlives this.
  explicit Body(json::Value object) : object_(object) {}

  // --- must be there ---
  std::string Text(std::string_view name, const TextRule& rule);
  std::string Choice(std::string_view name, std::initializer_list<std::string_view> choices);

  // --- may be missing: then nothing ---
  std::optional<std::string> OptionalText(std::string_view name, const TextRule& rule);
  std::optional<std::string> OptionalChoice(std::string_view name,
                                            std::initializer_list<std::string_view> choices);
  std::optional<bool> Flag(std::string_view name);
  std::optional<int64_t> Integer(std::string_view name, int64_t min, int64_t max);
  // Null is a value of its own: the inner one is empty then.
  std::optional<std::optional<std::string>> NullableText(std::string_view name,
                                                         const TextRule& rule);

  // --- to be judged by the caller; must be there, too ---
  std::optional<json::Value> Any(std::string_view name);
  // Views of the document; empty where it is not as it must.
  std::string_view AnyText(std::string_view name);
  std::vector<std::string_view> Texts(std::string_view name, size_t most);
  // May be missing.
  std::optional<std::string_view> OptionalAnyText(std::string_view name);

  // What the caller found. `name` is a member's, of which the first fault is told.
  void Refuse(std::string_view name, std::string detail);
  // The same, in words for what should be there; empty: nothing to object.
  void Expect(std::string_view name, std::string_view expected);

  // Refuses members that nobody asked for, and an object with none of them where `at_least_one`;
  // then all problems.
  enum class Members : uint8_t { kAny, kAtLeastOne };
  std::vector<FieldProblem> Finish(Members members = Members::kAny);

 private:
  std::optional<json::Value> Ask(std::string_view name);
  std::optional<json::Value> Require(std::string_view name);
  std::optional<std::string_view> CheckedView(std::string_view name, json::Value value);
  std::optional<std::string> CheckedText(std::string_view name, json::Value value,
                                         const TextRule& rule);
  std::optional<std::string> CheckedChoice(std::string_view name, json::Value value,
                                           std::initializer_list<std::string_view> choices);

  json::Value object_;
  std::vector<std::string_view> asked_;
  std::vector<FieldProblem> problems_;
};

// True where the body is as expected; else the call is answered.
bool Accepted(Call& call, Body& body, Body::Members members = Body::Members::kAny);

// "expected one of "public", "private""
std::string ExpectedOneOf(std::initializer_list<std::string_view> choices);

}  // namespace framewall::backend::server
