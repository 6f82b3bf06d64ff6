#include "backend/server/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/json/pointer.h"

namespace framewall::backend::server {
namespace {

std::string_view KindName(json::Kind kind) {
  switch (kind) {
    case json::Kind::kNull:
      return "null";
    case json::Kind::kBoolean:
      return "a boolean";
    case json::Kind::kInteger:
    case json::Kind::kReal:
      return "a number";
    case json::Kind::kString:
      return "a string";
    case json::Kind::kArray:
      return "an array";
    case json::Kind::kObject:
      break;
  }
  return "an object";
}

std::string Expected(std::string_view what, json::Value found) {
  return fmt::format("expected {}, found {}", what, KindName(found.kind()));
}

// Of the names that were asked for; empty: none is near.
std::string_view Nearest(std::string_view name, const std::vector<std::string_view>& known) {
  constexpr size_t kFar = 3;
  std::string_view nearest;
  size_t distance = kFar;
  if (name.size() > 64) return nearest;
  for (const std::string_view candidate : known) {
    const size_t found = EditDistance(name, candidate, kFar);
    if (found < distance && found < candidate.size()) {
      distance = found;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace

std::string ExpectedOneOf(std::initializer_list<std::string_view> choices) {
  std::string text = "expected one of";
  std::string_view separator = " ";
  for (const std::string_view choice : choices) {
    text += fmt::format("{}\"{}\"", separator, choice);
    separator = ", ";
  }
  return text;
}

std::optional<json::Value> Body::Ask(std::string_view name) {
  asked_.push_back(name);
  return object_.Find(name);
}

std::optional<json::Value> Body::Require(std::string_view name) {
  std::optional<json::Value> value = Ask(name);
  if (!value) Refuse(name, "is missing");
  return value;
}

void Body::Refuse(std::string_view name, std::string detail) {
  if (problems_.size() == kProblemsTold) return;
  std::string pointer;
  json::AppendPointerToken(pointer, name);
  for (const FieldProblem& problem : problems_) {
    if (problem.pointer == pointer) return;
  }
  problems_.push_back({std::move(pointer), std::move(detail)});
}

void Body::Expect(std::string_view name, std::string_view expected) {
  if (!expected.empty()) Refuse(name, fmt::format("expected {}", expected));
}

std::optional<std::string_view> Body::CheckedView(std::string_view name, json::Value value) {
  if (value.kind() == json::Kind::kString) return value.AsString();
  Refuse(name, Expected("a string", value));
  return std::nullopt;
}

std::optional<std::string> Body::CheckedText(std::string_view name, json::Value value,
                                             const TextRule& rule) {
  const std::optional<std::string_view> sent = CheckedView(name, value);
  if (!sent) return std::nullopt;
  std::string text(*sent);
  if (std::optional<std::string> fault = CheckText(rule, text)) {
    Refuse(name, *std::move(fault));
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> Body::CheckedChoice(std::string_view name, json::Value value,
                                               std::initializer_list<std::string_view> choices) {
  if (value.kind() == json::Kind::kString &&
      std::find(choices.begin(), choices.end(), value.AsString()) != choices.end()) {
    return std::string(value.AsString());
  }
  Refuse(name, ExpectedOneOf(choices));
  return std::nullopt;
}

std::string Body::Text(std::string_view name, const TextRule& rule) {
  const std::optional<json::Value> value = Require(name);
  return value ? CheckedText(name, *value, rule).value_or("") : std::string();
}

std::string Body::Choice(std::string_view name, std::initializer_list<std::string_view> choices) {
  const std::optional<json::Value> value = Require(name);
  return value ? CheckedChoice(name, *value, choices).value_or("") : std::string();
}

std::optional<std::string> Body::OptionalText(std::string_view name, const TextRule& rule) {
  const std::optional<json::Value> value = Ask(name);
  return value ? CheckedText(name, *value, rule) : std::nullopt;
}

std::optional<std::string> Body::OptionalChoice(std::string_view name,
                                                std::initializer_list<std::string_view> choices) {
  const std::optional<json::Value> value = Ask(name);
  return value ? CheckedChoice(name, *value, choices) : std::nullopt;
}

std::optional<bool> Body::Flag(std::string_view name) {
  const std::optional<json::Value> value = Ask(name);
  if (!value) return std::nullopt;
  if (value->kind() == json::Kind::kBoolean) return value->AsBoolean();
  Refuse(name, Expected("true or false", *value));
  return std::nullopt;
}

std::optional<int64_t> Body::Integer(std::string_view name, int64_t min, int64_t max) {
  const std::optional<json::Value> value = Ask(name);
  if (!value) return std::nullopt;
  if (value->kind() == json::Kind::kInteger && value->AsInteger() >= min &&
      value->AsInteger() <= max) {
    return value->AsInteger();
  }
  Refuse(name, fmt::format("expected an integer from {} to {}", min, max));
  return std::nullopt;
}

std::optional<std::optional<std::string>> Body::NullableText(std::string_view name,
                                                             const TextRule& rule) {
  const std::optional<json::Value> value = Ask(name);
  if (!value) return std::nullopt;
  if (value->kind() == json::Kind::kNull) return std::optional<std::string>();
  if (value->kind() != json::Kind::kString) {
    Refuse(name, Expected("a string or null", *value));
    return std::nullopt;
  }
  return CheckedText(name, *value, rule);
}

std::optional<json::Value> Body::Any(std::string_view name) { return Require(name); }

std::string_view Body::AnyText(std::string_view name) {
  const std::optional<json::Value> value = Require(name);
  return value ? CheckedView(name, *value).value_or("") : std::string_view();
}

std::optional<std::string_view> Body::OptionalAnyText(std::string_view name) {
  const std::optional<json::Value> value = Ask(name);
  return value ? CheckedView(name, *value) : std::nullopt;
}

std::vector<std::string_view> Body::Texts(std::string_view name, size_t most) {
  std::vector<std::string_view> texts;
  const std::optional<json::Value> value = Require(name);
  if (!value) return texts;
  if (value->kind() != json::Kind::kArray || value->size() > most) {
    Refuse(name, fmt::format("expected an array of at most {} strings", most));
    return texts;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    const json::Value one = value->At(i);
    if (one.kind() == json::Kind::kString) {
      texts.push_back(one.AsString());
    } else {
      Refuse(name, "expected strings alone in the array");
    }
  }
  return texts;
}

std::vector<FieldProblem> Body::Finish(Members members) {
  bool has_known = false;
  json::MemberCursor cursor(object_);
  while (const std::optional<json::Member> member = cursor.Next()) {
    if (std::find(asked_.begin(), asked_.end(), member->name) != asked_.end()) {
      has_known = true;
      continue;
    }
    if (problems_.size() == kProblemsTold) break;
    const std::string_view nearest = Nearest(member->name, asked_);
    Refuse(member->name, nearest.empty()
                             ? std::string("is not known here")
                             : fmt::format("is not known here; did you mean \"{}\"?", nearest));
  }
  if (members == Members::kAtLeastOne && !has_known && problems_.empty()) {
    problems_.push_back({"", "expected at least one field to change"});
  }
  return std::move(problems_);
}

bool Accepted(Call& call, Body& body, Body::Members members) {
  std::vector<FieldProblem> problems = body.Finish(members);
  if (problems.empty()) return true;
  call.Fail(Invalid(std::move(problems)));
  return false;
}

}  // namespace framewall::backend::server
