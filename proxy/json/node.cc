#include "proxy/json/node.h"

#include <jansson.h>

#include <cmath>

#include "proxy/base/check.h"
#include "proxy/base/utf8.h"

namespace framewall::json {
namespace {

// Octets that cannot be part of a character become U+FFFD, one each.
std::string Repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t size = 1;
    while (size < 4 && size < text.size() && !IsValidUtf8(text.substr(0, size))) ++size;
    if (IsValidUtf8(text.substr(0, size))) {
      out.append(text.substr(0, size));
    } else {
      size = 1;
      out.append("\xEF\xBF\xBD");
    }
    text.remove_prefix(size);
  }
  return out;
}

json_t* NewString(std::string_view text) {
  if (!IsValidUtf8(text)) {
    const std::string repaired = Repaired(text);
    return json_stringn_nocheck(repaired.data(), repaired.size());
  }
  return json_stringn_nocheck(text.data() == nullptr ? "" : text.data(), text.size());
}

}  // namespace

Node::Node(json_t* node) : node_(node) { FW_CHECK(node_ != nullptr); }
Node Node::Object() { return Node(json_object()); }
Node Node::Array() { return Node(json_array()); }
Node Node::Null() { return Node(json_null()); }
Node Node::Copy(Value value) { return Node(json_deep_copy(value.node_)); }
Node::Node(bool value) : Node(json_boolean(value)) {}
Node::Node(double value) : Node(std::isfinite(value) ? json_real(value) : json_null()) {}
Node::Node(std::string_view value) : Node(NewString(value)) {}
Node::Node(Integer value) : Node(json_integer(value.value)) {}

Node& Node::operator=(Node&& other) noexcept {
  std::swap(node_, other.node_);
  return *this;
}

Node::~Node() { json_decref(node_); }

Node& Node::Set(std::string_view name, Node value) & {
  FW_CHECK(json_is_object(node_));
  json_t* const member = std::exchange(value.node_, nullptr);
  FW_CHECK(json_object_setn_new_nocheck(node_, name.data(), name.size(), member) == 0);
  return *this;
}

Node& Node::Add(Node value) & {
  FW_CHECK(json_is_array(node_));
  FW_CHECK(json_array_append_new(node_, std::exchange(value.node_, nullptr)) == 0);
  return *this;
}

}  // namespace framewall::json
