// The walk over the file, identities and references. What keywords mean is schema_keywords.cc.
#include "proxy/json/schema_compiler.h"

#include <utility>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/json/pointer.h"
#include "proxy/json/uri.h"

namespace framewall::json {
namespace {

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";

// Core 8.2.2: the names of anchors.
bool IsAnchorName(std::string_view name) {
  if (name.empty() || (!IsAlpha(name[0]) && name[0] != '_')) return false;
  for (const char c : name) {
    if (!IsAlpha(c) && !IsDigit(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

// What is judged at the same value whenever `node` is.
std::vector<const Node*> InPlace(const Node& node) {
  std::vector<const Node*> all;
  for (const Node* one : {node.ref, node.dynamic_ref, node.not_schema, node.if_schema,
                          node.then_schema, node.else_schema}) {
    if (one != nullptr) all.push_back(one);
  }
  for (const auto* list : {&node.all_of, &node.any_of, &node.one_of}) {
    all.insert(all.end(), list->begin(), list->end());
  }
  for (const auto& [name, schema] : node.dependent_schemas) all.push_back(schema);
  return all;
}

}  // namespace

std::unique_ptr<SchemaTree> SchemaCompiler::Compile(Document document) {
  tree_ = std::make_unique<SchemaTree>(std::move(document));
  auto file = std::make_unique<SchemaResource>();
  SchemaResource& resource = *tree_->resources.emplace_back(std::move(file));
  by_uri_.emplace("", &resource);
  tree_->root = CompileSchema(tree_->document.root(), "", resource);
  ResolveReferences();
  RefuseEndless();
  return std::move(tree_);
}

const Node* SchemaCompiler::CompileSchema(Value schema, const std::string& pointer,
                                          const SchemaResource& outer) {
  if (const auto known = by_pointer_.find(pointer); known != by_pointer_.end()) {
    return known->second;
  }
  Node& node = *tree_->nodes.emplace_back(std::make_unique<Node>());
  by_pointer_.emplace(pointer, &node);
  node.pointer = pointer;
  node.resource = &outer;
  if (schema.kind() == Kind::kBoolean) {
    node.boolean = schema.AsBoolean();
    return &node;
  }
  if (schema.kind() != Kind::kObject) {
    Error(pointer, "a schema is an object, true or false");
    node.boolean = false;
    return &node;
  }
  ReadIdentity(schema, node);
  for (MemberCursor at(schema); const auto member = at.Next();) {
    Place place{schema, pointer};
    AppendPointerToken(place.pointer, member->name);
    ReadKeyword(node, member->name, member->value, place);
  }
  return &node;
}

// $id, $schema and anchors come first: they say what the others mean.
void SchemaCompiler::ReadIdentity(Value schema, Node& node) {
  const auto id = schema.Find("$id");
  if (id && id->kind() != Kind::kString) {
    Error(node.pointer + "/$id", "must be a string");
  } else if (id) {
    const std::string uri = ResolveUri(node.resource->uri, id->AsString());
    const auto [address, fragment] = SplitFragment(uri);
    if (!fragment.empty()) {
      Error(node.pointer + "/$id", "must have no fragment; an \"$anchor\" names a place");
    }
    auto made = std::make_unique<SchemaResource>();
    made->uri = std::string(address);
    made->pointer = node.pointer;
    if (by_uri_.emplace(made->uri, made.get()).second) {
      node.resource = made.get();
      tree_->resources.push_back(std::move(made));
    } else if (!node.pointer.empty() || !address.empty()) {
      Error(node.pointer + "/$id", "\"" + made->uri + "\" is the \"$id\" of two schemas");
    }
  }
  CheckDialect(schema, node.pointer, id.has_value() || node.pointer.empty());
  for (const std::string keyword : {"$anchor", "$dynamicAnchor"}) {
    if (const auto name = schema.Find(keyword)) AddAnchor(node, keyword, *name);
  }
}

void SchemaCompiler::CheckDialect(Value schema, const std::string& pointer, bool is_resource) {
  const auto dialect = schema.Find("$schema");
  if (!dialect) return;
  const std::string place = pointer + "/$schema";
  if (dialect->kind() != Kind::kString) return Error(place, "must be a string");
  std::string_view uri = dialect->AsString();
  if (uri.ends_with('#')) uri.remove_suffix(1);
  if (uri != kDialect) {
    return Error(place, "\"" + std::string(dialect->AsString()) + "\" is not supported, only \"" +
                            std::string(kDialect) + "\" is");
  }
  if (!is_resource) Error(place, "stands only at the file's root or beside \"$id\"");
}

void SchemaCompiler::AddAnchor(Node& node, const std::string& keyword, Value value) {
  const std::string place = node.pointer + "/" + keyword;
  if (value.kind() != Kind::kString || !IsAnchorName(value.AsString())) {
    return Error(place, "must be a name of letters, digits, \"-\", \"_\" and \".\"");
  }
  const std::string name(value.AsString());
  auto& resource = const_cast<SchemaResource&>(*node.resource);
  const bool is_new = resource.anchors.emplace(name, &node).second;
  if (!is_new && resource.anchors[name] != &node) {
    Error(place, "\"" + name + "\" is the anchor of two schemas");
  }
  if (keyword == "$dynamicAnchor") resource.dynamic_anchors.emplace(name, &node);
}

// --- References ---------------------------------------------------------------------------------

void SchemaCompiler::ResolveReferences() {
  // A target that no keyword had led to is compiled then, and may bring further references.
  for (size_t i = 0; i < pending_.size(); ++i) {
    const Pending pending = pending_[i];
    const Node* target = Target(pending);
    if (target == nullptr) continue;
    if (!pending.dynamic) {
      pending.from->ref = target;
      continue;
    }
    pending.from->dynamic_ref = target;
    // 8.2.3.2: dynamic only where it leads to a $dynamicAnchor of that name at first.
    const std::string name(SplitFragment(pending.uri).second);
    const auto& anchors = target->resource->dynamic_anchors;
    const auto found = anchors.find(name);
    if (found != anchors.end() && found->second == target) pending.from->dynamic_name = name;
  }
}

const Node* SchemaCompiler::Target(const Pending& pending) {
  const auto [uri, fragment] = SplitFragment(pending.uri);
  const auto found = by_uri_.find(uri);
  if (found == by_uri_.end()) {
    Error(pending.pointer, "\"" + pending.uri +
                               "\" is not in this file; nothing is fetched, and other files are "
                               "not looked at");
    return nullptr;
  }
  const SchemaResource& resource = *found->second;
  const auto text = PercentDecodeStrict(fragment);
  const Node* target = nullptr;
  if (text && (text->empty() || text->starts_with('/'))) {
    target = TargetByPointer(resource, *text);
  } else if (text) {
    const auto anchor = resource.anchors.find(*text);
    if (anchor != resource.anchors.end()) target = anchor->second;
  }
  if (target == nullptr) {
    Error(pending.pointer, "\"" + pending.uri + "\" leads to nothing in this file");
  }
  return target;
}

const Node* SchemaCompiler::TargetByPointer(const SchemaResource& resource,
                                            std::string_view fragment) {
  auto tokens = ParsePointer(resource.pointer);
  const auto more = ParsePointer(fragment);
  if (!tokens || !more) return nullptr;
  tokens->insert(tokens->end(), more->begin(), more->end());
  const auto value = Resolve(tree_->document.root(), *tokens);
  if (!value || (value->kind() != Kind::kObject && value->kind() != Kind::kBoolean)) {
    return nullptr;
  }
  // The nearest schema around it gives the base.
  std::string pointer;
  const SchemaResource* base = &resource;
  for (const std::string& token : *tokens) {
    if (const auto known = by_pointer_.find(pointer); known != by_pointer_.end()) {
      base = known->second->resource;
    }
    AppendPointerToken(pointer, token);
  }
  return CompileSchema(*value, pointer, *base);
}

// A schema that judges a value by itself again, with nothing in between, would never end.
void SchemaCompiler::RefuseEndless() {
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  std::unordered_map<const Node*, Mark> marks;
  struct Step {
    const Node* node;
    std::vector<const Node*> next;
    size_t at = 0;
  };
  for (const auto& start : tree_->nodes) {
    if (marks[start.get()] != Mark::kNew) continue;
    std::vector<Step> way;
    marks[start.get()] = Mark::kOpen;
    way.push_back({start.get(), InPlace(*start)});
    while (!way.empty()) {
      Step& step = way.back();
      if (step.at == step.next.size()) {
        marks[step.node] = Mark::kDone;
        way.pop_back();
        continue;
      }
      const Node* next = step.next[step.at++];
      Mark& mark = marks[next];
      if (mark == Mark::kOpen) {
        return Error(next->pointer, "refers to itself for the same value, without an end");
      }
      if (mark == Mark::kDone) continue;
      mark = Mark::kOpen;
      way.push_back({next, InPlace(*next)});
    }
  }
}

}  // namespace framewall::json
