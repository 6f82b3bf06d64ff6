// A schema's file to its tree: keywords read and checked, references resolved, endless ones
// refused.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/json/schema_tree.h"

namespace framewall::json {

class SchemaCompiler {
 public:
  // `report(is_error, pointer, text)`, pointers into the file.
  using Report = std::function<void(bool is_error, const std::string& pointer, std::string text)>;
  explicit SchemaCompiler(Report report) : report_(std::move(report)) {}

  // Not to be used where an error was reported.
  std::unique_ptr<SchemaTree> Compile(Document document);

 private:
  friend struct KeywordTable;

  struct Pending {
    Node* from;
    bool dynamic;
    std::string uri;      // resolved
    std::string pointer;  // of the keyword, for messages
  };
  // Where a keyword stands.
  struct Place {
    Value schema;         // the object that holds it
    std::string pointer;  // of the keyword
  };

  void Error(const std::string& pointer, std::string text) {
    report_(true, pointer, std::move(text));
  }

  const Node* CompileSchema(Value schema, const std::string& pointer, const SchemaResource& outer);
  void ReadIdentity(Value schema, Node& node);
  void CheckDialect(Value schema, const std::string& pointer, bool is_resource);
  void AddAnchor(Node& node, const std::string& keyword, Value value);
  void ReadKeyword(Node& node, std::string_view name, Value value, const Place& place);
  void SayUnknown(std::string_view name, const std::string& pointer);

  // Values of keywords; the error was reported where they return nothing or false.
  void ReadCount(std::optional<uint64_t>& to, Value value, const Place& place);
  void ReadNumber(std::optional<Value>& to, Value value, const Place& place);
  void ReadNames(std::vector<std::string>& to, Value value, const Place& place);
  void ReadTypes(Node& node, Value value, const Place& place);
  void ReadPattern(Node& node, Value value, const Place& place);
  void ReadReference(Node& node, Value value, const Place& place, bool dynamic);
  const Node* ReadSchema(const Node& node, Value value, const Place& place);
  void ReadSchemas(const Node& node, std::vector<const Node*>& to, Value value, const Place& place);
  void ReadSchemaMap(const Node& node, ByName<const Node*>& to, Value value, const Place& place);
  void ReadPatternProperties(Node& node, Value value, const Place& place);
  void ReadDependentRequired(Node& node, Value value, const Place& place);
  void ReadDefinitions(const Node& node, Value value, const Place& place);

  void ResolveReferences();
  const Node* Target(const Pending& pending);
  const Node* TargetByPointer(const SchemaResource& resource, std::string_view fragment);
  void RefuseEndless();

  Report report_;
  std::unique_ptr<SchemaTree> tree_;
  std::unordered_map<std::string, Node*> by_pointer_;
  std::map<std::string, SchemaResource*, std::less<>> by_uri_;
  std::vector<Pending> pending_;
  bool said_format_ = false;
};

}  // namespace framewall::json
