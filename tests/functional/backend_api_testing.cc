#include "tests/functional/backend_api_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "proxy/json/node.h"
#include "proxy/json/pointer.h"

namespace framewall::test {
namespace {

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  for (size_t at = 1; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    segments.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return segments;
}

bool Fits(std::string_view pattern, std::string_view path) {
  const auto wanted = Segments(pattern);
  const auto found = Segments(path);
  return wanted.size() == found.size() && std::equal(wanted.begin(), wanted.end(), found.begin(),
                                                     [](std::string_view a, std::string_view b) {
                                                       return a == b || a.substr(0, 1) == "{";
                                                     });
}

// The same schema, but that objects have nothing besides what it names: "$ref" and inline objects
// are closed where they are used; parts of an allOf are left to the whole.
json::Node Closed(json::Value schema, bool is_part) {
  if (schema.kind() == json::Kind::kArray) {
    json::Node copy = json::Node::Array();
    for (size_t i = 0; i < schema.size(); ++i) copy.Add(Closed(schema.At(i), is_part));
    return copy;
  }
  if (schema.kind() != json::Kind::kObject) return json::Node::Copy(schema);
  json::Node copy = json::Node::Object();
  json::MemberCursor cursor(schema);
  while (const auto member = cursor.Next()) {
    copy.Set(member->name, Closed(member->value, member->name == "allOf"));
  }
  const bool closes = schema.Find("$ref") || schema.Find("allOf") ||
                      (schema.Find("properties") && schema.Find("type"));
  if (closes && !is_part && !schema.Find("additionalProperties")) {
    copy.Set("unevaluatedProperties", false);
  }
  return copy;
}

// Definitions stay open: who refers to them closes them.
json::Node ClosedComponents(json::Value components) {
  json::Node schemas = json::Node::Object();
  json::MemberCursor cursor(*components.Find("schemas"));
  while (const auto member = cursor.Next()) {
    schemas.Set(member->name, Closed(member->value, true));
  }
  return json::Node::Object().Set("schemas", std::move(schemas));
}

json::Document ParseOrFail(const std::string& text) {
  auto document = json::Document::Parse(text);
  EXPECT_TRUE(document.ok()) << text.substr(0, 200);
  return document.ok() ? std::move(document).value() : json::Document::OfString("");
}

}  // namespace

OpenApiCheck::OpenApiCheck(const std::string& document) : document_(ParseOrFail(document)) {
  const auto paths = document_.root().Find("paths");
  if (!paths) return;
  json::MemberCursor cursor(*paths);
  while (const auto path = cursor.Next()) {
    json::MemberCursor methods(path->value);
    while (const auto method = methods.Next()) {
      std::string upper(method->name);
      std::transform(upper.begin(), upper.end(), upper.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      operations_.push_back({std::string(method->value.Find("operationId")->AsString()), upper,
                             std::string(path->name)});
    }
  }
}

const Operation* OpenApiCheck::Find(std::string_view method, std::string_view path) const {
  const Operation* found = nullptr;
  for (const Operation& operation : operations_) {
    if (operation.method != method || !Fits(operation.path, path)) continue;
    // A literal segment wins.
    if (found == nullptr || found->path.find('{') != std::string::npos) found = &operation;
  }
  return found;
}

json::Value OpenApiCheck::At(const Operation& operation) const {
  std::string lower = operation.method;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  return *document_.root().Find("paths")->Find(operation.path)->Find(lower);
}

std::string OpenApiCheck::WhyNot(const std::string& method, const std::string& target,
                                 const HttpMessage& answer) {
  const std::string path = target.substr(0, target.find('?'));
  const Operation* const operation = Find(method, path);
  if (operation == nullptr) return "no operation for " + method + " " + path;
  const json::Value responses = *At(*operation).Find("responses");
  std::string status = std::to_string(answer.status());
  std::optional<json::Value> response = responses.Find(status);
  // What stands for all else are problems.
  if (!response && answer.status() >= 400) {
    status = "default";
    response = responses.Find(status);
  }
  if (!response) return operation->id + " tells nothing of " + std::to_string(answer.status());
  if (const auto reference = response->Find("$ref")) {
    response =
        json::Resolve(document_.root(), *json::ParsePointer(reference->AsString().substr(1)));
  }
  const auto content = response->Find("content");
  if (!content) {
    return answer.body.empty() ? "" : operation->id + " has a body with status " + status;
  }
  return CheckBody(*operation, status, *content, answer);
}

std::string OpenApiCheck::CheckBody(const Operation& operation, const std::string& status,
                                    json::Value content, const HttpMessage& answer) {
  const std::string type = answer.Header("content-type");
  const auto media = content.Find(type.substr(0, type.find(';')));
  if (!media) return operation.id + " " + status + " is told with another type than " + type;
  if (type.rfind("text/", 0) == 0) return "";
  auto& schema = schemas_[operation.id + " " + status];
  if (!schema) {
    json::Node text = json::Node::Object();
    text.Set("allOf", json::Node::Array().Add(Closed(*media->Find("schema"), false)));
    text.Set("components", ClosedComponents(*document_.root().Find("components")));
    json::SchemaReport report;
    schema = json::Schema::Compile(text.Text(), operation.id, report);
    if (!schema) return report.errors.empty() ? "no schema" : report.errors.front();
  }
  const auto body = json::Document::Parse(answer.body);
  if (!body.ok()) return operation.id + " answers no JSON: " + body.error().message;
  const auto mismatch = schema->Validate(body->root());
  if (!mismatch) return "";
  return operation.id + " " + status + ": " + mismatch->instance + " against " + mismatch->schema +
         " (" + mismatch->keyword + ")";
}

HttpMessage Api::Call(const std::string& method, const std::string& target,
                      const std::string& headers, const std::string& body) {
  HttpMessage answer = backend_.Request(method, target, headers, body);
  EXPECT_EQ(check_.WhyNot(method, target, answer), "") << answer.raw;
  return answer;
}

std::string Api::NewRoom(const Person& owner, const std::string& body) {
  const HttpMessage made = Post(owner, "/api/v1/rooms", body);
  EXPECT_EQ(made.status(), 201) << made.body;
  return JsonAt(made, "/id");
}

std::string Api::NewConversation(const Person& owner, const std::string& body) {
  const HttpMessage made = Post(owner, "/api/v1/conversations", body);
  EXPECT_EQ(made.status(), 201) << made.body;
  return JsonAt(made, "/id");
}

void Api::Invite(const Person& owner, const std::string& room, const std::string& name) {
  const HttpMessage invited =
      Post(owner, RoomPath(room) + "/members", R"({"user":)" + JsonText(name) + "}");
  EXPECT_EQ(invited.status(), 201) << invited.body;
}

void Api::Join(const Person& person, const std::string& room) {
  const HttpMessage joined = Put(person, RoomPath(room) + "/membership");
  EXPECT_EQ(joined.status(), 200) << joined.body;
}

std::string Api::Say(const Person& person, const std::string& place, const std::string& text) {
  const HttpMessage said = Post(person, place + "/messages", R"({"text":)" + JsonText(text) + "}");
  EXPECT_EQ(said.status(), 201) << said.body;
  return JsonAt(said, "/number");
}

std::string ItemsAt(const HttpMessage& page, std::string_view pointer) {
  std::string all;
  for (size_t i = 0;; ++i) {
    const std::string item = "/items/" + std::to_string(i);
    if (JsonAt(page, item).empty()) return all;
    all += (i == 0 ? "" : " ") + JsonAt(page, item + std::string(pointer));
  }
}

std::string BadFields(const HttpMessage& problem) {
  std::string all;
  for (size_t i = 0;; ++i) {
    const std::string error = "/errors/" + std::to_string(i);
    if (JsonAt(problem, error).empty()) return all;
    all += (i == 0 ? "" : " ") + JsonAt(problem, error + "/pointer");
  }
}

}  // namespace framewall::test
