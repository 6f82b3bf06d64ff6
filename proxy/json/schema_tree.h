// A compiled schema: what the compiler makes and the validator walks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/regex.h"
#include "proxy/json/document.h"
#include "proxy/json/schema.h"

namespace framewall::json {

struct Node;

template <class T>
using ByName = std::map<std::string, T, std::less<>>;

// A schema with a base URI of its own: the file, or a part of it with $id.
struct SchemaResource {
  std::string uri;      // without fragment
  std::string pointer;  // of its root, in the file
  ByName<const Node*> anchors;
  ByName<const Node*> dynamic_anchors;
};

enum TypeBit : uint8_t {
  kTypeNull = 1,
  kTypeBoolean = 2,
  kTypeInteger = 4,
  kTypeNumber = 8,
  kTypeString = 16,
  kTypeArray = 32,
  kTypeObject = 64,
};

// One schema. Its children are nodes of the same tree. What is absent asks nothing.
struct Node {
  std::string pointer;          // in the file
  std::optional<bool> boolean;  // the schema true or false, and nothing else
  const SchemaResource* resource = nullptr;

  const Node* ref = nullptr;
  const Node* dynamic_ref = nullptr;  // where it leads at first
  std::string dynamic_name;           // not empty: an anchor looked up in the dynamic scope

  // Any value
  uint8_t types = 0;  // TypeBit; 0: all
  bool has_enum = false;
  std::vector<Value> enumeration;
  std::optional<Value> constant;
  std::vector<const Node*> all_of, any_of, one_of;
  const Node* not_schema = nullptr;
  const Node *if_schema = nullptr, *then_schema = nullptr, *else_schema = nullptr;

  // Numbers
  std::optional<Value> multiple_of, maximum, exclusive_maximum, minimum, exclusive_minimum;

  // Strings
  std::optional<uint64_t> min_length, max_length;
  std::optional<Regex> pattern;

  // Arrays
  std::vector<const Node*> prefix_items;
  const Node *items = nullptr, *contains = nullptr, *unevaluated_items = nullptr;
  std::optional<uint64_t> min_contains, max_contains, min_items, max_items;
  bool unique_items = false;

  // Objects
  ByName<const Node*> properties;
  std::vector<std::pair<Regex, const Node*>> pattern_properties;
  const Node *additional_properties = nullptr, *property_names = nullptr,
             *unevaluated_properties = nullptr;
  std::optional<uint64_t> min_properties, max_properties;
  std::vector<std::string> required;
  ByName<std::vector<std::string>> dependent_required;
  ByName<const Node*> dependent_schemas;

  bool judges_members() const {
    return !properties.empty() || !pattern_properties.empty() || additional_properties != nullptr ||
           property_names != nullptr;
  }
};

struct SchemaTree {
  explicit SchemaTree(Document parsed) : document(std::move(parsed)) {}

  Document document;  // nodes hold values of it
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<SchemaResource>> resources;
  const Node* root = nullptr;
};

}  // namespace framewall::json
