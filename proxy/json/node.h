// A JSON text being made (RFC 8259): nodes that own their values, and the text in the end.
//
//   Node::Object().Set("id", id).Set("tags", Node::Array().Add("a").Add("b")).Text()
//
// Strings that are no UTF-8 have their wrong octets replaced by U+FFFD.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/json/document.h"

namespace framewall::json {

class Node {
 public:
  static Node Object();
  static Node Array();
  static Node Null();
  // A copy of what was read.
  static Node Copy(Value value);

  Node(bool value);                                                  // NOLINT
  Node(double value);                                                // NOLINT  not finite: null
  Node(std::string_view value);                                      // NOLINT
  Node(const std::string& value) : Node(std::string_view(value)) {}  // NOLINT
  Node(const char* value) : Node(std::string_view(value)) {}         // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool>) Node(T value)
      : Node(Integer{static_cast<int64_t>(value)}) {}  // NOLINT

  Node(Node&& other) noexcept : node_(other.node_) { other.node_ = nullptr; }
  Node& operator=(Node&& other) noexcept;
  ~Node();

  // Requires: an object. A name that is there already gets the new value.
  Node& Set(std::string_view name, Node value) &;
  Node&& Set(std::string_view name, Node value) && {
    return std::move(Set(name, std::move(value)));
  }
  // Requires: an array.
  Node& Add(Node value) &;
  Node&& Add(Node value) && { return std::move(Add(std::move(value))); }

  Value view() const { return Value(node_); }
  // Compact, members in the order they were set.
  std::string Text() const { return view().Text(); }

 private:
  struct Integer {
    int64_t value;
  };
  explicit Node(Integer value);
  explicit Node(json_t* node);
  json_t* node_;
};

}  // namespace framewall::json
