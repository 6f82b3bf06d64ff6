#include "proxy/jwt/json_object.h"

#include <fmt/format.h>
#include <jansson.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "proxy/base/text.h"

namespace framewall::jwt {
namespace {

constexpr double kMostSeconds = 1e15;

// Jansson's own text may quote what it has read, and that may be a secret.
std::string_view Describe(const json_error_t& error) {
  switch (json_error_code(&error)) {
    case json_error_premature_end_of_input:
      return "it ends too early";
    case json_error_end_of_input_expected:
      return "nothing was expected behind its end";
    case json_error_duplicate_key:
      return "a name stands twice in an object";
    case json_error_numeric_overflow:
      return "a number is too large";
    case json_error_null_character:
    case json_error_null_byte_in_key:
      return "U+0000 in a string";
    case json_error_invalid_utf8:
      return "it is not UTF-8";
    case json_error_stack_overflow:
      return "it is nested too deeply";
    default:
      return "it is not valid JSON";
  }
}

void AppendValue(const json_t* value, std::string& out) {
  switch (json_typeof(value)) {
    case JSON_STRING:
      out.append(json_string_value(value), json_string_length(value));
      return;
    case JSON_INTEGER:
      out.append(std::to_string(json_integer_value(value)));
      return;
    case JSON_TRUE:
      out.append("true");
      return;
    case JSON_FALSE:
      out.append("false");
      return;
    case JSON_NULL:
      return;
    case JSON_ARRAY: {
      size_t index = 0;
      json_t* element = nullptr;
      json_array_foreach(value, index, element) {
        if (index > 0) out += ',';
        AppendValue(element, out);
      }
      return;
    }
    case JSON_REAL:
    case JSON_OBJECT:
      break;
  }
  char* text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  if (text == nullptr) return;
  out.append(text);
  std::free(text);
}

bool AppendPresent(const json_t* value, std::string& out) {
  if (value == nullptr || json_is_null(value)) return false;
  AppendValue(value, out);
  return true;
}

}  // namespace

void JsonObject::Release::operator()(json_t* value) const { json_decref(value); }

Result<JsonObject> JsonObject::Parse(std::string_view text) {
  json_error_t error;
  json_t* value = json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error);
  if (value == nullptr) {
    return Error{ErrorKind::kSyntax, ErrorSource::kClient,
                 fmt::format("line {}, column {}: {}", error.line, error.column, Describe(error)),
                 0};
  }
  JsonObject made(value);
  if (!json_is_object(value)) {
    return Error{ErrorKind::kSyntax, ErrorSource::kClient, "it is no JSON object", 0};
  }
  return made;
}

JsonObject JsonObject::Of(json_t* object) { return JsonObject(json_incref(object)); }

bool JsonObject::Has(const char* name) const {
  return json_object_get(object_.get(), name) != nullptr;
}

std::optional<std::string_view> JsonObject::String(const char* name) const {
  const json_t* value = json_object_get(object_.get(), name);
  if (!json_is_string(value)) return std::nullopt;
  return std::string_view(json_string_value(value), json_string_length(value));
}

bool JsonObject::IsNumber(const char* name) const {
  return json_is_number(json_object_get(object_.get(), name));
}

std::optional<int64_t> JsonObject::SecondsAsMilliseconds(const char* name) const {
  const json_t* value = json_object_get(object_.get(), name);
  if (json_is_integer(value)) {
    constexpr auto kMost = static_cast<json_int_t>(kMostSeconds);
    return std::clamp<json_int_t>(json_integer_value(value), -kMost, kMost) * 1000;
  }
  if (!json_is_real(value)) return std::nullopt;
  const double seconds = json_real_value(value);
  if (!std::isfinite(seconds)) return std::nullopt;
  return static_cast<int64_t>(std::clamp(seconds, -kMostSeconds, kMostSeconds) * 1000);
}

bool JsonObject::AppendText(std::span<const std::string> path, std::string& out) const {
  const json_t* value = object_.get();
  for (const std::string& name : path) {
    if (!json_is_object(value)) return false;
    value = json_object_get(value, name.c_str());
  }
  return AppendPresent(value, out);
}

bool JsonObject::AppendTextOf(std::string_view lower_name, std::string& out) const {
  const std::string name(lower_name);
  const json_t* exact = json_object_get(object_.get(), name.c_str());
  if (exact != nullptr) return AppendPresent(exact, out);
  const json_t* only = nullptr;
  const char* key = nullptr;
  json_t* value = nullptr;
  json_object_foreach(object_.get(), key, value) {
    if (!EqualsIgnoreCase(key, name)) continue;
    if (only != nullptr) return false;
    only = value;
  }
  return AppendPresent(only, out);
}

}  // namespace framewall::jwt
