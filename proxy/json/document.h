// A JSON text as a tree (RFC 8259). The library is jansson; nobody above this room sees it.
//
// Stricter than the grammar where two readers could differ: a name stands once in an object, no
// U+0000 in names, nothing behind the value, UTF-8, a number fits a double. An integer beyond 64
// bits is a real.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

struct json_t;

namespace framewall::json {

enum class Kind : uint8_t { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };

// A value of a Document, which outlives it, and so do its views.
class Value {
 public:
  explicit Value(const json_t* node) : node_(node) {}

  Kind kind() const;
  bool is_number() const { return kind() == Kind::kInteger || kind() == Kind::kReal; }

  // Requires: the kind.
  bool AsBoolean() const;
  int64_t AsInteger() const;
  double AsReal() const;  // of an integer too, rounded
  std::string_view AsString() const;

  // Elements or members; 0 for all else.
  size_t size() const;
  // Requires: an array, index < size().
  Value At(size_t index) const;
  // Nothing where this is no object, or has no such member.
  std::optional<Value> Find(std::string_view name) const;
  // As JSON text, compact.
  std::string Text() const;

 private:
  friend class MemberCursor;
  friend class Node;
  const json_t* node_;
};

struct Member {
  std::string_view name;
  Value value;
};

// The members of an object, in their order:  for (MemberCursor at(object); auto m = at.Next();)
class MemberCursor {
 public:
  explicit MemberCursor(Value object);
  std::optional<Member> Next();

 private:
  const json_t* object_;
  void* next_;
};

struct Limits {
  size_t octets = size_t{1024} * 1024;
  size_t depth = 128;       // arrays and objects in each other
  size_t values = 100'000;  // elements and names with values, an upper bound
};

class Document {
 public:
  // An error's message begins with line and column: `3:14: duplicate object key near '"a"'`. It may
  // hold octets of the text.
  static Result<Document> Parse(std::string_view text, const Limits& limits);
  static Result<Document> Parse(std::string_view text) { return Parse(text, Limits()); }
  // A document that is one string. Requires: UTF-8.
  static Document OfString(std::string_view text);

  Document(Document&& other) noexcept : root_(other.root_) { other.root_ = nullptr; }
  Document& operator=(Document&& other) noexcept;
  ~Document();

  Value root() const { return Value(root_); }

 private:
  explicit Document(json_t* root) : root_(root) {}
  json_t* root_;
};

}  // namespace framewall::json
