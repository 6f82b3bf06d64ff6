#include "proxy/config/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "proxy/config/lexer.h"
#include "proxy/config/nginx_reader.h"

namespace framewall::config {
namespace {

struct Node {
  enum class Kind { kNull, kScalar, kList, kMapping };
  Kind kind = Kind::kNull;
  int line = 0;
  std::string text;         // kScalar
  std::vector<Node> items;  // kList; kMapping: key, value, key, value, …
};

// yaml-cpp's events to nodes. What YAML has beyond lists, mappings and scalars is refused here,
// where its place is known.
class NodeBuilder : public YAML::EventHandler {
 public:
  NodeBuilder(std::string_view file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  Node& root() { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Open(mark, "", anchor, Node::Kind::kNull);
    path_.pop_back();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "a YAML alias is not understood here; quote a value that begins with \"*\"");
    Open(mark, "", 0, Node::Kind::kNull);
    path_.pop_back();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Open(mark, tag, anchor, Node::Kind::kScalar).text = value;
    path_.pop_back();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { path_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kMapping);
  }
  void OnMapEnd() override { path_.pop_back(); }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    Refuse(mark, fmt::format("a YAML anchor \"&{}\" is not understood here", name));
  }

 private:
  Node& Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, Node::Kind kind) {
    // "?" is a plain value, "!" a quoted one; anything else was written as a tag.
    if (!tag.empty() && tag != "?" && tag != "!") {
      Refuse(mark, fmt::format("a YAML tag \"{}\" is not understood here", tag));
    }
    Node* node = &root_;
    if (!path_.empty()) node = &path_.back()->items.emplace_back();
    node->kind = kind;
    node->line = mark.line + 1;
    path_.push_back(node);
    return *node;
  }
  void Refuse(const YAML::Mark& mark, std::string text) {
    diagnostics_.Error({file_, mark.line + 1}, std::move(text));
  }

  std::string_view file_;
  Diagnostics& diagnostics_;
  Node root_;
  // From the root to the open node. A parent gets no new item while a child is open, so the
  // pointers hold.
  std::vector<Node*> path_;
};

bool All(const std::vector<Node>& items, Node::Kind kind) {
  return !items.empty() && std::all_of(items.begin(), items.end(),
                                       [&](const Node& item) { return item.kind == kind; });
}

class TreeMaker {
 public:
  TreeMaker(std::string_view file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  // A block: a mapping, or a list of mappings with one key each.
  void ReadBlock(const Node& node, std::vector<Directive>& block, int depth) {
    if (depth > kMaxDepth) {
      Refuse(node, fmt::format("blocks are nested deeper than {}", kMaxDepth));
      return;
    }
    if (node.kind == Node::Kind::kNull) return;
    if (node.kind == Node::Kind::kMapping) {
      ReadMapping(node, block, depth);
      return;
    }
    if (node.kind != Node::Kind::kList) {
      Refuse(node, "a mapping of directives was expected");
      return;
    }
    for (const Node& item : node.items) {
      if (item.kind != Node::Kind::kMapping || item.items.size() != 2) {
        Refuse(item, "a list of directives has one \"name: value\" in each item");
        continue;
      }
      ReadMapping(item, block, depth);
    }
  }

 private:
  void ReadMapping(const Node& mapping, std::vector<Directive>& block, int depth) {
    std::set<std::string_view> keys;
    for (size_t i = 0; i + 1 < mapping.items.size(); i += 2) {
      const Node& key = mapping.items[i];
      if (key.kind != Node::Kind::kScalar) {
        Refuse(key, "the name of a directive was expected as the key");
        continue;
      }
      if (!keys.insert(key.text).second) {
        Refuse(key,
               fmt::format("duplicate key \"{}\"; where a directive is repeated, the block is a "
                           "list of \"- name: value\"",
                           key.text));
        continue;
      }
      ReadDirective(key, mapping.items[i + 1], block, depth);
    }
  }

  void ReadDirective(const Node& key, const Node& value, std::vector<Directive>& block, int depth) {
    Result<std::vector<std::string>> words = LexWords(key.text);
    if (!words.ok()) {
      Refuse(key, fmt::format("{} in the key \"{}\"", words.error().message, key.text));
      return;
    }
    if (words->empty()) {
      Refuse(key, "the name of a directive was expected as the key");
      return;
    }
    Directive directive;
    directive.name = words->front();
    directive.args.assign(words->begin() + 1, words->end());
    directive.at = {file_, key.line};
    // A list of lists repeats the directive, once for each inner list.
    if (value.kind == Node::Kind::kList && All(value.items, Node::Kind::kList)) {
      for (const Node& item : value.items) {
        Directive repeated = directive;
        repeated.at.line = item.line;
        if (ReadValue(item, repeated, depth)) block.push_back(std::move(repeated));
      }
      return;
    }
    if (ReadValue(value, directive, depth)) block.push_back(std::move(directive));
  }

  bool ReadValue(const Node& value, Directive& directive, int depth) {
    switch (value.kind) {
      case Node::Kind::kNull:
        return true;
      case Node::Kind::kScalar: {
        Result<std::vector<std::string>> words = LexWords(value.text);
        if (!words.ok()) {
          Refuse(value,
                 fmt::format("{} in the value of \"{}\"", words.error().message, directive.name));
          return false;
        }
        directive.args.insert(directive.args.end(), words->begin(), words->end());
        return true;
      }
      case Node::Kind::kList:
        if (value.items.empty()) return true;
        if (All(value.items, Node::Kind::kScalar)) {
          for (const Node& item : value.items) directive.args.push_back(item.text);
          return true;
        }
        if (!All(value.items, Node::Kind::kMapping)) {
          Refuse(value, fmt::format("the list of \"{}\" holds either arguments, or lists, or "
                                    "directives, not some of each; an empty argument is ''",
                                    directive.name));
          return false;
        }
        break;
      case Node::Kind::kMapping:
        break;
    }
    directive.has_block = true;
    ReadBlock(value, directive.block, depth + 1);
    return true;
  }

  void Refuse(const Node& node, std::string text) {
    diagnostics_.Error({file_, node.line}, std::move(text));
  }

  std::string_view file_;
  Diagnostics& diagnostics_;
};

}  // namespace

void ReadYamlText(std::string_view text, std::string_view file, Diagnostics& diagnostics,
                  std::vector<Directive>& tree) {
  NodeBuilder nodes(file, diagnostics);
  const size_t before = diagnostics.messages().size();
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(nodes)) return;
    NodeBuilder more(file, diagnostics);
    if (parser.HandleNextDocument(more)) {
      diagnostics.Error({file, more.root().line}, "only one YAML document may stand in a file");
    }
  } catch (const YAML::Exception& error) {
    diagnostics.Error({file, error.mark.is_null() ? 0 : error.mark.line + 1},
                      fmt::format("YAML: {}", error.msg));
  }
  if (diagnostics.messages().size() != before) return;
  TreeMaker(file, diagnostics).ReadBlock(nodes.root(), tree, 0);
}

}  // namespace framewall::config
