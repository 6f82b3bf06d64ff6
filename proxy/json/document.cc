#include "proxy/json/document.h"

#include <jansson.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/base/text.h"

namespace framewall::json {
namespace {

json_t* Open(const json_t* node) { return const_cast<json_t*>(node); }  // its iterators want that

Error SyntaxError(size_t line, size_t column, std::string_view text, ErrorKind kind) {
  return Error{kind, ErrorSource::kClient,
               std::to_string(line) + ":" + std::to_string(column) + ": " + std::string(text), 0};
}

Error LimitError(std::string_view text, size_t offset, const std::string& what) {
  const std::string_view before = text.substr(0, offset);
  const size_t line = static_cast<size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const size_t start = before.rfind('\n');
  const size_t column = offset - (start == before.npos ? 0 : start + 1) + 1;
  return SyntaxError(line, column, what, ErrorKind::kLimit);
}

// Position behind the string that begins at `quote`; the end where it has none.
size_t SkipString(std::string_view text, size_t quote) {
  for (size_t i = quote + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// Before any memory is taken: each value but the first stands behind one of [ { , :
Status CheckLimits(std::string_view text, const Limits& limits) {
  if (text.size() > limits.octets) {
    return SyntaxError(1, 1, "more than " + std::to_string(limits.octets) + " octets",
                       ErrorKind::kLimit);
  }
  size_t depth = 0;
  size_t values = 1;
  for (size_t i = 0; i < text.size();) {
    switch (text[i]) {
      case '"':
        i = SkipString(text, i);
        continue;
      case '[':
      case '{':
        if (++depth > limits.depth) {
          return LimitError(text, i, "more than " + std::to_string(limits.depth) + " levels");
        }
        ++values;
        break;
      case ']':
      case '}':
        if (depth > 0) --depth;
        break;
      case ',':
        ++values;
        break;
      default:
        break;
    }
    if (values > limits.values) {
      return LimitError(text, i, "more than " + std::to_string(limits.values) + " values");
    }
    ++i;
  }
  return OkStatus();
}

// Integers beyond 64 bits as reals: 18446744073709551616 becomes 18446744073709551616.0.
std::string WithWideIntegersAsReals(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text[i] == '"') {
      end = SkipString(text, i);
      out.append(text.substr(i, end - i));
    } else if (text[i] == '-' || IsDigit(text[i])) {
      while (end < text.size() && (IsDigit(text[end]) || text[end] == '.' || text[end] == 'e' ||
                                   text[end] == 'E' || text[end] == '+' || text[end] == '-')) {
        ++end;
      }
      const std::string_view number = text.substr(i, end - i);
      out.append(number);
      int64_t ignored = 0;
      const auto [stop, fault] =
          std::from_chars(number.data(), number.data() + number.size(), ignored);
      if (fault == std::errc::result_out_of_range && stop == number.data() + number.size()) {
        out.append(".0");
      }
    } else {
      out.push_back(text[i]);
    }
    i = end;
  }
  return out;
}

}  // namespace

Kind Value::kind() const {
  switch (json_typeof(node_)) {
    case JSON_OBJECT:
      return Kind::kObject;
    case JSON_ARRAY:
      return Kind::kArray;
    case JSON_STRING:
      return Kind::kString;
    case JSON_INTEGER:
      return Kind::kInteger;
    case JSON_REAL:
      return Kind::kReal;
    case JSON_TRUE:
    case JSON_FALSE:
      return Kind::kBoolean;
    case JSON_NULL:
      break;
  }
  return Kind::kNull;
}

bool Value::AsBoolean() const {
  FW_CHECK(json_is_boolean(node_));
  return json_is_true(node_);
}

int64_t Value::AsInteger() const {
  FW_CHECK(json_is_integer(node_));
  return json_integer_value(node_);
}

double Value::AsReal() const {
  FW_CHECK(json_is_number(node_));
  return json_number_value(node_);
}

std::string_view Value::AsString() const {
  FW_CHECK(json_is_string(node_));
  return {json_string_value(node_), json_string_length(node_)};
}

size_t Value::size() const {
  return json_is_array(node_) ? json_array_size(node_) : json_object_size(node_);
}

Value Value::At(size_t index) const {
  const json_t* element = json_array_get(node_, index);
  FW_CHECK(element != nullptr);
  return Value(element);
}

std::optional<Value> Value::Find(std::string_view name) const {
  const json_t* found =
      json_object_getn(node_, name.data() == nullptr ? "" : name.data(), name.size());
  if (found == nullptr) return std::nullopt;
  return Value(found);
}

std::string Value::Text() const {
  char* text = json_dumps(node_, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
  FW_CHECK(text != nullptr);
  std::string copy(text);
  std::free(text);
  return copy;
}

MemberCursor::MemberCursor(Value object)
    : object_(object.node_), next_(json_object_iter(Open(object.node_))) {}

std::optional<Member> MemberCursor::Next() {
  if (next_ == nullptr) return std::nullopt;
  void* here = std::exchange(next_, json_object_iter_next(Open(object_), next_));
  return Member{{json_object_iter_key(here), json_object_iter_key_len(here)},
                Value(json_object_iter_value(here))};
}

Result<Document> Document::Parse(std::string_view text, const Limits& limits) {
  FW_TRY(CheckLimits(text, limits));
  constexpr size_t kFlags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
  json_error_t error{};
  if (text.data() == nullptr) text = "";
  json_t* root = json_loadb(text.data(), text.size(), kFlags, &error);
  if (root == nullptr && json_error_code(&error) == json_error_numeric_overflow) {
    // Columns of what is wrong besides count the octets that were put in.
    const std::string wide = WithWideIntegersAsReals(text);
    root = json_loadb(wide.data(), wide.size(), kFlags, &error);
  }
  if (root == nullptr) {
    // The library puts its error's number into the last octet of the text.
    const std::string what(error.text, ::strnlen(error.text, JSON_ERROR_TEXT_LENGTH - 1));
    return SyntaxError(static_cast<size_t>(std::max(error.line, 1)),
                       static_cast<size_t>(std::max(error.column, 0)), what, ErrorKind::kSyntax);
  }
  return Document(root);
}

Document Document::OfString(std::string_view text) {
  json_t* root = json_stringn_nocheck(text.data() == nullptr ? "" : text.data(), text.size());
  FW_CHECK(root != nullptr);
  return Document(root);
}

Document& Document::operator=(Document&& other) noexcept {
  std::swap(root_, other.root_);
  return *this;
}

Document::~Document() { json_decref(root_); }

}  // namespace framewall::json
