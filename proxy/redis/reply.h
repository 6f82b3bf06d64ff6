// A reply of Redis (RESP2) as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::redis {

struct Reply {
  enum class Kind : uint8_t { kNil, kInteger, kText, kStatus, kError, kArray };

  Kind kind = Kind::kNil;
  int64_t integer = 0;          // kInteger
  std::string text;             // kText, kStatus, kError
  std::vector<Reply> elements;  // kArray

  bool is_nil() const { return kind == Kind::kNil; }
  bool is_error() const { return kind == Kind::kError; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_text() const { return kind == Kind::kText || kind == Kind::kStatus; }
  // An integer, or text that is one (a script's number as text); else nothing.
  std::optional<int64_t> AsInteger() const;
  // kError: its first word ("MOVED"); else empty.
  std::string_view error_code() const;
  bool operator==(const Reply&) const = default;
};

}  // namespace framewall::redis
