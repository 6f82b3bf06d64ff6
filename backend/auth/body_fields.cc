#include "backend/auth/body_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace framewall::backend::auth {
namespace {

constexpr size_t kMostProblems = 32;

// RFC 6901 3.
std::string PointerTo(std::string_view name) {
  std::string pointer = "/";
  for (const char c : name.substr(0, 128)) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace

std::optional<json::Value> BodyFields::Find(std::string_view name) {
  asked_.push_back(name);
  return object_.Find(name);
}

std::string_view BodyFields::Text(std::string_view name) {
  const auto value = Find(name);
  if (value && value->kind() == json::Kind::kString) return value->AsString();
  Refuse(name, "a string");
  return {};
}

std::optional<std::string_view> BodyFields::OptionalText(std::string_view name) {
  const auto value = Find(name);
  if (!value) return std::nullopt;
  if (value->kind() == json::Kind::kString) return value->AsString();
  Refuse(name, "a string");
  return std::nullopt;
}

std::optional<bool> BodyFields::OptionalFlag(std::string_view name) {
  const auto value = Find(name);
  if (!value) return std::nullopt;
  if (value->kind() == json::Kind::kBoolean) return value->AsBoolean();
  Refuse(name, "true or false");
  return std::nullopt;
}

std::optional<int64_t> BodyFields::OptionalInteger(std::string_view name, int64_t least,
                                                   int64_t most) {
  const auto value = Find(name);
  if (!value) return std::nullopt;
  if (value->kind() == json::Kind::kInteger && value->AsInteger() >= least &&
      value->AsInteger() <= most) {
    return value->AsInteger();
  }
  Refuse(name, fmt::format("an integer from {} to {}", least, most));
  return std::nullopt;
}

std::vector<std::string_view> BodyFields::Texts(std::string_view name, size_t most) {
  std::vector<std::string_view> texts;
  const auto value = Find(name);
  if (!value || value->kind() != json::Kind::kArray || value->size() > most) {
    Refuse(name, fmt::format("an array of at most {} strings", most));
    return texts;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    const json::Value one = value->At(i);
    if (one.kind() == json::Kind::kString) {
      texts.push_back(one.AsString());
    } else {
      Refuse(name, "strings alone in the array");
    }
  }
  return texts;
}

void BodyFields::Refuse(std::string_view name, std::string expected) {
  if (expected.empty() || problems_.size() >= kMostProblems) return;
  std::string pointer = PointerTo(name);
  // One is enough for a field.
  for (const FieldProblem& problem : problems_) {
    if (problem.pointer == pointer) return;
  }
  problems_.push_back({std::move(pointer), "expected " + std::move(expected)});
}

std::optional<Problem> BodyFields::Finish() {
  json::MemberCursor at(object_);
  while (const auto member = at.Next()) {
    if (std::find(asked_.begin(), asked_.end(), member->name) == asked_.end()) {
      Refuse(member->name, "no such member");
    }
  }
  if (problems_.empty()) return std::nullopt;
  return Invalid(std::move(problems_));
}

}  // namespace framewall::backend::auth
