// The document for itself; tests/functional/backend_openapi_test.cc compares it with the program.
#include "backend/api/openapi.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "proxy/json/document.h"
#include "proxy/json/pointer.h"
#include "proxy/json/schema.h"

namespace framewall::backend::api {
namespace {

class OpenApi : public testing::Test {
 protected:
  static json::Document Parse(const Settings& settings) {
    auto document = json::Document::Parse(OpenApiText(settings, "1.2.3"));
    EXPECT_TRUE(document.ok());
    return std::move(document).value();
  }
  static std::optional<json::Value> At(const json::Document& document, std::string_view pointer) {
    return json::Resolve(document.root(), *json::ParsePointer(pointer));
  }
};

// Every "$ref" within a value.
void ForEachReference(json::Value value, const std::function<void(std::string_view)>& use) {
  if (value.kind() == json::Kind::kArray) {
    for (size_t i = 0; i < value.size(); ++i) ForEachReference(value.At(i), use);
  } else if (value.kind() == json::Kind::kObject) {
    json::MemberCursor cursor(value);
    while (const auto member = cursor.Next()) {
      if (member->name == "$ref") use(member->value.AsString());
      ForEachReference(member->value, use);
    }
  }
}

TEST_F(OpenApi, HasTheNumbersOfTheSettings) {
  Settings settings;
  settings.page_limit = 77;
  settings.page_size = 7;
  settings.message_limit = 4242;
  settings.message_characters = 2121;
  settings.public_url = "https://chat.example";
  const json::Document document = Parse(settings);
  EXPECT_EQ(At(document, "/openapi")->AsString(), "3.1.0");
  EXPECT_EQ(At(document, "/info/version")->AsString(), "1.2.3");
  EXPECT_EQ(At(document, "/servers/0/url")->AsString(), "https://chat.example");
  EXPECT_EQ(At(document, "/components/parameters/Limit/schema/maximum")->AsInteger(), 77);
  EXPECT_EQ(At(document, "/components/parameters/Limit/schema/default")->AsInteger(), 7);
  for (const char* schema : {"NewMessage", "MessageChange"}) {
    const std::string text = "/components/schemas/" + std::string(schema) + "/properties/text";
    EXPECT_EQ(At(document, text + "/maxLength")->AsInteger(), 2121);
  }
  EXPECT_NE(OpenApiText(settings, "1").find("4242 octets"), std::string::npos);
  EXPECT_EQ(OpenApiText(settings, "1").find("${"), std::string::npos);
}

TEST_F(OpenApi, EveryReferenceLeadsSomewhere) {
  const json::Document document = Parse(Settings());
  size_t references = 0;
  ForEachReference(document.root(), [&](std::string_view reference) {
    ++references;
    ASSERT_EQ(reference.substr(0, 2), "#/");
    EXPECT_TRUE(At(document, reference.substr(1)).has_value()) << reference;
  });
  EXPECT_GT(references, 100u);
}

TEST_F(OpenApi, EverySchemaIsUsed) {
  const json::Document document = Parse(Settings());
  std::set<std::string, std::less<>> used;
  ForEachReference(document.root(),
                   [&](std::string_view reference) { used.emplace(reference.substr(1)); });
  for (const char* kind : {"schemas", "parameters", "responses"}) {
    json::MemberCursor cursor(*At(document, std::string("/components/") + kind));
    while (const auto member = cursor.Next()) {
      const std::string pointer =
          std::string("/components/") + kind + "/" + std::string(member->name);
      EXPECT_TRUE(used.count(pointer) == 1) << pointer;
    }
  }
}

TEST_F(OpenApi, OperationsAreNamedOnceAndTellErrors) {
  const json::Document document = Parse(Settings());
  std::set<std::string, std::less<>> names;
  json::MemberCursor paths(*At(document, "/paths"));
  while (const auto path = paths.Next()) {
    json::MemberCursor methods(path->value);
    while (const auto method = methods.Next()) {
      const json::Value operation = method->value;
      const std::string name(operation.Find("operationId")->AsString());
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_TRUE(operation.Find("summary").has_value()) << name;
      EXPECT_TRUE(operation.Find("security").has_value()) << name;
      EXPECT_TRUE(operation.Find("responses")->Find("default").has_value()) << name;
    }
  }
  EXPECT_GT(names.size(), 30u);
}

// What stands in {braces} of a path is a parameter of each of its operations, and the other way
// round.
TEST_F(OpenApi, PathParametersAreDeclared) {
  const json::Document document = Parse(Settings());
  json::MemberCursor paths(*At(document, "/paths"));
  while (const auto path = paths.Next()) {
    std::set<std::string, std::less<>> in_path;
    const std::string_view text = path->name;
    for (size_t at = text.find('{'); at != text.npos; at = text.find('{', at + 1)) {
      in_path.emplace(text.substr(at + 1, text.find('}', at) - at - 1));
    }
    json::MemberCursor methods(path->value);
    while (const auto method = methods.Next()) {
      std::set<std::string, std::less<>> declared;
      const auto parameters = method->value.Find("parameters");
      for (size_t i = 0; parameters && i < parameters->size(); ++i) {
        json::Value parameter = parameters->At(i);
        if (const auto reference = parameter.Find("$ref")) {
          parameter = *At(document, reference->AsString().substr(1));
        }
        if (parameter.Find("in")->AsString() != "path") continue;
        EXPECT_TRUE(parameter.Find("required")->AsBoolean());
        declared.emplace(parameter.Find("name")->AsString());
      }
      EXPECT_EQ(declared, in_path) << method->name << " " << text;
    }
  }
}

}  // namespace
}  // namespace framewall::backend::api
