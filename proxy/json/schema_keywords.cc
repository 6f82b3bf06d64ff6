// The keywords of draft 2020-12: what their values must be.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "proxy/base/text.h"
#include "proxy/json/number.h"
#include "proxy/json/pattern.h"
#include "proxy/json/pointer.h"
#include "proxy/json/schema_compiler.h"
#include "proxy/json/uri.h"

namespace framewall::json {

// A row: the keyword and how it is read. A friend of the compiler, for its readers.
struct KeywordTable {
  using Compiler = SchemaCompiler;
  using Place = SchemaCompiler::Place;
  using Read = void (*)(Compiler&, Node&, Value, const Place&);
  struct Row {
    std::string_view name;
    Read read;  // null: judges nothing
  };

  template <auto kMember>
  static void Count(Compiler& c, Node& n, Value v, const Place& p) {
    c.ReadCount(n.*kMember, v, p);
  }
  template <auto kMember>
  static void Number(Compiler& c, Node& n, Value v, const Place& p) {
    c.ReadNumber(n.*kMember, v, p);
  }
  template <auto kMember>
  static void One(Compiler& c, Node& n, Value v, const Place& p) {
    n.*kMember = c.ReadSchema(n, v, p);
  }
  template <auto kMember>
  static void Some(Compiler& c, Node& n, Value v, const Place& p) {
    c.ReadSchemas(n, n.*kMember, v, p);
  }
  template <auto kMember>
  static void Named(Compiler& c, Node& n, Value v, const Place& p) {
    c.ReadSchemaMap(n, n.*kMember, v, p);
  }
  static void MultipleOf(Compiler& c, Node& n, Value v, const Place& p) {
    c.ReadNumber(n.multiple_of, v, p);
    if (v.is_number() && v.AsReal() <= 0) c.Error(p.pointer, "must be above 0");
  }
  static void Enumeration(Compiler& c, Node& n, Value v, const Place& p) {
    if (v.kind() != Kind::kArray) return c.Error(p.pointer, "must be an array");
    n.has_enum = true;
    for (size_t i = 0; i < v.size(); ++i) n.enumeration.push_back(v.At(i));
  }
  static void UniqueItems(Compiler& c, Node& n, Value v, const Place& p) {
    if (v.kind() != Kind::kBoolean) return c.Error(p.pointer, "must be true or false");
    n.unique_items = v.AsBoolean();
  }
  static void Items(Compiler& c, Node& n, Value v, const Place& p) {
    if (v.kind() == Kind::kArray) {
      return c.Error(p.pointer, "must be a schema; an array of them is \"prefixItems\" now");
    }
    n.items = c.ReadSchema(n, v, p);
  }
  static void Format(Compiler& c, Node&, Value v, const Place& p) {
    if (v.kind() != Kind::kString) return c.Error(p.pointer, "must be a string");
    if (c.said_format_) return;
    c.said_format_ = true;
    c.report_(false, p.pointer, "\"format\" is an annotation in draft 2020-12: it is not checked");
  }

  static const Row kRows[];
  static const Row* Find(std::string_view name) {
    for (const Row* row = &kRows[0]; row != End(); ++row) {
      if (row->name == name) return row;
    }
    return nullptr;
  }
  static const Row* End();
};

constexpr KeywordTable::Row KeywordTable::kRows[] = {
    {"$ref",
     [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadReference(n, v, p, false); }},
    {"$dynamicRef",
     [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadReference(n, v, p, true); }},
    {"$defs", [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadDefinitions(n, v, p); }},
    {"definitions",
     [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadDefinitions(n, v, p); }},
    {"type", [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadTypes(n, v, p); }},
    {"enum", Enumeration},
    {"const", [](Compiler&, Node& n, Value v, const Place&) { n.constant = v; }},
    {"multipleOf", MultipleOf},
    {"maximum", Number<&Node::maximum>},
    {"exclusiveMaximum", Number<&Node::exclusive_maximum>},
    {"minimum", Number<&Node::minimum>},
    {"exclusiveMinimum", Number<&Node::exclusive_minimum>},
    {"maxLength", Count<&Node::max_length>},
    {"minLength", Count<&Node::min_length>},
    {"pattern", [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadPattern(n, v, p); }},
    {"prefixItems", Some<&Node::prefix_items>},
    {"items", Items},
    {"contains", One<&Node::contains>},
    {"minContains", Count<&Node::min_contains>},
    {"maxContains", Count<&Node::max_contains>},
    {"maxItems", Count<&Node::max_items>},
    {"minItems", Count<&Node::min_items>},
    {"uniqueItems", UniqueItems},
    {"unevaluatedItems", One<&Node::unevaluated_items>},
    {"properties", Named<&Node::properties>},
    {"patternProperties",
     [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadPatternProperties(n, v, p); }},
    {"additionalProperties", One<&Node::additional_properties>},
    {"propertyNames", One<&Node::property_names>},
    {"unevaluatedProperties", One<&Node::unevaluated_properties>},
    {"required",
     [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadNames(n.required, v, p); }},
    {"dependentRequired",
     [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadDependentRequired(n, v, p); }},
    {"dependentSchemas", Named<&Node::dependent_schemas>},
    {"maxProperties", Count<&Node::max_properties>},
    {"minProperties", Count<&Node::min_properties>},
    {"allOf", Some<&Node::all_of>},
    {"anyOf", Some<&Node::any_of>},
    {"oneOf", Some<&Node::one_of>},
    {"not", One<&Node::not_schema>},
    {"if", One<&Node::if_schema>},
    {"then", One<&Node::then_schema>},
    {"else", One<&Node::else_schema>},
    {"format", Format},
    {"contentSchema", [](Compiler& c, Node& n, Value v, const Place& p) { c.ReadSchema(n, v, p); }},
    {"$schema", nullptr},
    {"$id", nullptr},
    {"$anchor", nullptr},
    {"$dynamicAnchor", nullptr},
    {"$vocabulary", nullptr},
    {"$comment", nullptr},
    {"title", nullptr},
    {"description", nullptr},
    {"default", nullptr},
    {"deprecated", nullptr},
    {"readOnly", nullptr},
    {"writeOnly", nullptr},
    {"examples", nullptr},
    {"contentEncoding", nullptr},
    {"contentMediaType", nullptr},
};

const KeywordTable::Row* KeywordTable::End() { return std::end(kRows); }

namespace {

// Of earlier drafts: ignored silently they would leave a hole.
struct Former {
  std::string_view name;
  std::string_view advice;
};
constexpr Former kFormer[] = {
    {"dependencies", "\"dependentRequired\" or \"dependentSchemas\""},
    {"additionalItems", "\"items\" beside \"prefixItems\""},
    {"$recursiveRef", "\"$dynamicRef\""},
    {"$recursiveAnchor", "\"$dynamicAnchor\""},
    {"divisibleBy", "\"multipleOf\""},
    {"disallow", "\"not\""},
    {"extends", "\"allOf\""},
};

constexpr std::pair<std::string_view, uint8_t> kTypes[] = {
    {"null", kTypeNull},     {"boolean", kTypeBoolean}, {"integer", kTypeInteger},
    {"number", kTypeNumber}, {"string", kTypeString},   {"array", kTypeArray},
    {"object", kTypeObject},
};

std::string Child(const std::string& pointer, std::string_view token) {
  std::string child = pointer;
  AppendPointerToken(child, token);
  return child;
}

}  // namespace

void SchemaCompiler::ReadKeyword(Node& node, std::string_view name, Value value,
                                 const Place& place) {
  for (const Former& former : kFormer) {
    if (name == former.name) {
      return Error(place.pointer,
                   "is no keyword of draft 2020-12, which has " + std::string(former.advice));
    }
  }
  const KeywordTable::Row* row = KeywordTable::Find(name);
  if (row == nullptr) return SayUnknown(name, place.pointer);
  if (row->read != nullptr) row->read(*this, node, value, place);
}

void SchemaCompiler::SayUnknown(std::string_view name, const std::string& pointer) {
  std::string text = "unknown keyword \"" + std::string(name) + "\" judges nothing";
  for (const KeywordTable::Row* row = &KeywordTable::kRows[0]; row != KeywordTable::End(); ++row) {
    if (EditDistance(row->name, name, 3) < 3) {
      text.append("; did you mean \"").append(row->name).append("\"?");
      break;
    }
  }
  report_(false, pointer, std::move(text));
}

void SchemaCompiler::ReadCount(std::optional<uint64_t>& to, Value value, const Place& place) {
  if (!value.is_number() || !IsInteger(value) || value.AsReal() < 0) {
    return Error(place.pointer, "must be a whole number, 0 or more");
  }
  constexpr double kTwo63 = 9223372036854775808.0;
  if (value.kind() == Kind::kInteger) {
    to = static_cast<uint64_t>(value.AsInteger());
  } else {
    to = value.AsReal() >= kTwo63 ? UINT64_MAX : static_cast<uint64_t>(value.AsReal());
  }
}

void SchemaCompiler::ReadNumber(std::optional<Value>& to, Value value, const Place& place) {
  if (!value.is_number()) {
    return Error(place.pointer, value.kind() == Kind::kBoolean
                                    ? "must be a number; true and false are draft 4"
                                    : "must be a number");
  }
  to = value;
}

void SchemaCompiler::ReadNames(std::vector<std::string>& to, Value value, const Place& place) {
  constexpr std::string_view kExpected = "must be an array of different strings";
  if (value.kind() != Kind::kArray) return Error(place.pointer, std::string(kExpected));
  std::set<std::string_view> seen;
  for (size_t i = 0; i < value.size(); ++i) {
    const Value name = value.At(i);
    if (name.kind() != Kind::kString || !seen.insert(name.AsString()).second) {
      return Error(Child(place.pointer, std::to_string(i)), std::string(kExpected));
    }
    to.emplace_back(name.AsString());
  }
}

void SchemaCompiler::ReadTypes(Node& node, Value value, const Place& place) {
  const auto read = [&](Value name, const std::string& pointer) {
    if (name.kind() == Kind::kString) {
      for (const auto& [word, bit] : kTypes) {
        if (word != name.AsString()) continue;
        node.types |= bit;
        return;
      }
    }
    Error(pointer,
          "must be null, boolean, integer, number, string, array or object, or an array of them");
  };
  if (value.kind() != Kind::kArray) return read(value, place.pointer);
  if (value.size() == 0) return Error(place.pointer, "must name a type");
  for (size_t i = 0; i < value.size(); ++i) {
    read(value.At(i), Child(place.pointer, std::to_string(i)));
  }
}

void SchemaCompiler::ReadPattern(Node& node, Value value, const Place& place) {
  if (value.kind() != Kind::kString) return Error(place.pointer, "must be a string");
  auto pattern = CompilePattern(value.AsString());
  if (!pattern.ok()) return Error(place.pointer, pattern.error().message);
  node.pattern = std::move(pattern).value();
}

void SchemaCompiler::ReadReference(Node& node, Value value, const Place& place, bool dynamic) {
  if (value.kind() != Kind::kString) return Error(place.pointer, "must be a string");
  pending_.push_back(
      {&node, dynamic, ResolveUri(node.resource->uri, value.AsString()), place.pointer});
}

const Node* SchemaCompiler::ReadSchema(const Node& node, Value value, const Place& place) {
  return CompileSchema(value, place.pointer, *node.resource);
}

void SchemaCompiler::ReadSchemas(const Node& node, std::vector<const Node*>& to, Value value,
                                 const Place& place) {
  if (value.kind() != Kind::kArray || value.size() == 0) {
    return Error(place.pointer, "must be an array of schemas, not empty");
  }
  for (size_t i = 0; i < value.size(); ++i) {
    to.push_back(
        CompileSchema(value.At(i), Child(place.pointer, std::to_string(i)), *node.resource));
  }
}

void SchemaCompiler::ReadSchemaMap(const Node& node, ByName<const Node*>& to, Value value,
                                   const Place& place) {
  if (value.kind() != Kind::kObject) {
    return Error(place.pointer, "must be an object of schemas");
  }
  for (MemberCursor at(value); const auto member = at.Next();) {
    to.emplace(member->name,
               CompileSchema(member->value, Child(place.pointer, member->name), *node.resource));
  }
}

void SchemaCompiler::ReadPatternProperties(Node& node, Value value, const Place& place) {
  ByName<const Node*> schemas;
  ReadSchemaMap(node, schemas, value, place);
  for (const auto& [text, schema] : schemas) {
    auto pattern = CompilePattern(text);
    if (!pattern.ok()) {
      Error(Child(place.pointer, text), pattern.error().message);
      continue;
    }
    node.pattern_properties.emplace_back(std::move(pattern).value(), schema);
  }
}

void SchemaCompiler::ReadDependentRequired(Node& node, Value value, const Place& place) {
  if (value.kind() != Kind::kObject) {
    return Error(place.pointer, "must be an object of arrays of strings");
  }
  for (MemberCursor at(value); const auto member = at.Next();) {
    const Place inner{place.schema, Child(place.pointer, member->name)};
    ReadNames(node.dependent_required[std::string(member->name)], member->value, inner);
  }
}

void SchemaCompiler::ReadDefinitions(const Node& node, Value value, const Place& place) {
  ByName<const Node*> unused;
  ReadSchemaMap(node, unused, value, place);
}

}  // namespace framewall::json
