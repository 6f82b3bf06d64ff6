#include "backend/llm/provider_stream.h"

namespace framewall::backend::llm {

std::string_view TextMember(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  if (!member.has_value() || member->kind() != json::Kind::kString) return {};
  return member->AsString();
}

int64_t IntegerMember(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  if (!member.has_value() || member->kind() != json::Kind::kInteger) return 0;
  return member->AsInteger();
}

bool HasError(const json::Value& object) {
  const auto error = object.Find("error");
  return error.has_value() && error->kind() != json::Kind::kNull;
}

}  // namespace framewall::backend::llm
