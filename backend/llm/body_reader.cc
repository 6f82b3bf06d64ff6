#include "backend/llm/body_reader.h"

#include <fmt/format.h>

#include <utility>

#include "proxy/json/pointer.h"

namespace framewall::backend::llm {
namespace {

Place Below(const Place& place, std::string_view token, json::Value value) {
  std::string pointer = place.pointer;
  json::AppendPointerToken(pointer, token);
  return {value, std::move(pointer)};
}

}  // namespace

void BodyReader::Fail(std::string pointer, std::string detail, std::string code) {
  if (problem_.has_value()) return;
  problem_ = Problem{.status = 400,
                     .code = std::move(code),
                     .detail = detail,
                     .fields = {{std::move(pointer), std::move(detail)}}};
}

std::optional<Place> BodyReader::Member(const Place& object, std::string_view name) {
  const auto value = object.value.Find(name);
  if (!value.has_value() || value->kind() == json::Kind::kNull) return std::nullopt;
  return Below(object, name, *value);
}

std::optional<Place> BodyReader::Need(const Place& object, std::string_view name) {
  auto member = Member(object, name);
  if (!member.has_value()) {
    std::string pointer = object.pointer;
    json::AppendPointerToken(pointer, name);
    Fail(std::move(pointer), fmt::format("Missing required parameter: '{}'.", name),
         "missing_required_parameter");
  }
  return member;
}

std::string BodyReader::Text(const Place& place) {
  if (place.value.kind() == json::Kind::kString) return std::string(place.value.AsString());
  Fail(place.pointer, "Expected a string here.", "invalid_type");
  return {};
}

std::vector<Place> BodyReader::Elements(const Place& place) {
  std::vector<Place> elements;
  if (place.value.kind() != json::Kind::kArray) {
    Fail(place.pointer, "Expected an array here.", "invalid_type");
    return elements;
  }
  elements.reserve(place.value.size());
  for (size_t i = 0; i < place.value.size(); ++i) {
    elements.push_back(Below(place, std::to_string(i), place.value.At(i)));
  }
  return elements;
}

bool BodyReader::IsObject(const Place& place) {
  if (place.value.kind() == json::Kind::kObject) return true;
  Fail(place.pointer, "Expected an object here.", "invalid_type");
  return false;
}

std::optional<std::string> BodyReader::TextOf(const Place& object, std::string_view name) {
  const auto member = Member(object, name);
  if (!member.has_value()) return std::nullopt;
  return Text(*member);
}

std::optional<bool> BodyReader::FlagOf(const Place& object, std::string_view name) {
  const auto member = Member(object, name);
  if (!member.has_value()) return std::nullopt;
  if (member->value.kind() == json::Kind::kBoolean) return member->value.AsBoolean();
  Fail(member->pointer, "Expected true or false here.", "invalid_type");
  return std::nullopt;
}

std::optional<int64_t> BodyReader::IntegerOf(const Place& object, std::string_view name,
                                             int64_t min, int64_t max) {
  const auto member = Member(object, name);
  if (!member.has_value()) return std::nullopt;
  if (member->value.kind() != json::Kind::kInteger) {
    Fail(member->pointer, "Expected an integer here.", "invalid_type");
    return std::nullopt;
  }
  const int64_t value = member->value.AsInteger();
  if (value < min || value > max) {
    Fail(member->pointer, fmt::format("Expected an integer from {} to {}.", min, max));
  }
  return value;
}

std::optional<double> BodyReader::NumberOf(const Place& object, std::string_view name, double min,
                                           double max) {
  const auto member = Member(object, name);
  if (!member.has_value()) return std::nullopt;
  if (!member->value.is_number()) {
    Fail(member->pointer, "Expected a number here.", "invalid_type");
    return std::nullopt;
  }
  const double value = member->value.AsReal();
  if (!(value >= min && value <= max)) {
    Fail(member->pointer, fmt::format("Expected a number from {} to {}.", min, max));
  }
  return value;
}

std::vector<std::string> ReadTexts(BodyReader& reader, const Place& place, size_t max_count) {
  if (place.value.kind() == json::Kind::kString) return {reader.Text(place)};
  std::vector<std::string> texts;
  const std::vector<Place> elements = reader.Elements(place);
  if (elements.size() > max_count) {
    reader.Fail(place.pointer, fmt::format("Expected at most {} elements.", max_count));
    return texts;
  }
  for (const Place& element : elements) texts.push_back(reader.Text(element));
  return texts;
}

}  // namespace framewall::backend::llm
