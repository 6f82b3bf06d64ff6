// Bodies against the typed requests, and against the schemas that the OpenAPI document tells of
// them: what we take, the document allows.
#include "backend/api/requests.h"

#include <gtest/gtest.h>

#include <functional>

#include "backend/api/openapi.h"
#include "proxy/json/node.h"
#include "proxy/json/schema.h"

namespace framewall::backend::api {
namespace {

std::string Repeated(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::shared_ptr<const json::Schema> DocumentSchema(const std::string& name) {
  const std::string text = OpenApiText(Settings(), "1");
  const auto document = json::Document::Parse(text);
  json::Node schema = json::Node::Object();
  schema.Set("$ref", "#/components/schemas/" + name);
  schema.Set("components", json::Node::Copy(*document->root().Find("components")));
  json::SchemaReport report;
  auto compiled = json::Schema::Compile(schema.Text(), name, report);
  EXPECT_TRUE(report.errors.empty()) << (report.errors.empty() ? "" : report.errors.front());
  return compiled;
}

struct Case {
  std::string json;
  bool taken;
};

void Compare(const std::string& schema_name, const std::function<void(Body&)>& read,
             Body::Members members, const std::vector<Case>& cases) {
  const auto schema = DocumentSchema(schema_name);
  ASSERT_NE(schema, nullptr);
  for (const Case& one : cases) {
    const auto document = json::Document::Parse(one.json);
    ASSERT_TRUE(document.ok()) << one.json;
    Body body(document->root());
    read(body);
    const bool taken = body.Finish(members).empty();
    EXPECT_EQ(taken, one.taken) << schema_name << " " << one.json.substr(0, 200);
    const bool matches = !schema->Validate(document->root()).has_value();
    EXPECT_TRUE(matches || !taken) << schema_name << " " << one.json.substr(0, 200);
    // The document says all but that spaces alone are nothing.
    if (one.json.find("\"  \"") == std::string::npos && one.json.find("\\n") == std::string::npos) {
      EXPECT_EQ(matches, one.taken) << schema_name << " " << one.json.substr(0, 200);
    }
  }
}

std::string Quoted(const std::string& name, const std::string& text) {
  return "{\"" + name + "\":\"" + text + "\"}";
}

TEST(Requests, MeChange) {
  Compare("MeChange", [](Body& body) { ReadMeChange(body); }, Body::Members::kAny,
          {{R"({"display_name":"Анна"})", true},
           {Quoted("display_name", Repeated("я", 64)), true},
           {Quoted("display_name", Repeated("я", 65)), false},
           {R"({"display_name":""})", false},
           {R"({"display_name":"  "})", false},
           {R"({"display_name":"a\nb"})", false},
           {R"({"display_name":null})", false},
           {R"({"display_name":"a","role":"admin"})", false},
           {"{}", false}});
}

TEST(Requests, NewConversation) {
  Compare("NewConversation", [](Body& body) { ReadNewConversation(body); }, Body::Members::kAny,
          {{"{}", true},
           {R"({"name":"a","assistant":"echo"})", true},
           {R"({"assistant":null})", true},
           {R"({"name":null})", false},
           {Quoted("name", Repeated("я", 80)), true},
           {Quoted("name", Repeated("я", 81)), false},
           {Quoted("assistant", Repeated("m", 200)), true},
           {Quoted("assistant", Repeated("m", 201)), false},
           {R"({"visibility":"public"})", false}});
}

TEST(Requests, NewRoom) {
  Compare("NewRoom", [](Body& body) { ReadNewRoom(body); }, Body::Members::kAny,
          {{R"({"name":"a"})", true},
           {R"({"name":"a","visibility":"public","assistant":"echo"})", true},
           {R"({"name":"a","visibility":"private","assistant":null})", true},
           {R"({"name":"a","visibility":"PUBLIC"})", false},
           {R"({"name":"a","visibility":null})", false},
           {Quoted("name", Repeated("𝄞", 80)), true},
           {Quoted("name", Repeated("𝄞", 81)), false},
           {R"({"visibility":"public"})", false},
           {R"({"name":"a","owner":"b"})", false}});
}

TEST(Requests, RoomChange) {
  Compare("RoomChange", [](Body& body) { ReadRoomChange(body); }, Body::Members::kAtLeastOne,
          {{R"({"name":"a"})", true},
           {R"({"visibility":"public"})", true},
           {R"({"assistant":null})", true},
           {Quoted("name", Repeated("я", 80)), true},
           {Quoted("name", Repeated("я", 81)), false},
           {Quoted("assistant", Repeated("m", 200)), true},
           {Quoted("assistant", Repeated("m", 201)), false},
           {"{}", false},
           {R"({"name":""})", false}});
}

TEST(Requests, ConversationChange) {
  Compare("ConversationChange", [](Body& body) { ReadConversationChange(body); },
          Body::Members::kAtLeastOne,
          {{R"({"name":"a"})", true},
           {R"({"assistant":"echo"})", true},
           {R"({"visibility":"public"})", false},
           {"{}", false}});
}

TEST(Requests, NewMessage) {
  Compare("NewMessage", [](Body& body) { ReadNewMessage(body, Settings()); }, Body::Members::kAny,
          {{R"({"text":"a"})", true},
           {R"({"text":"a\nb","client_id":"c","wait_for_answer":true})", true},
           {R"({"text":"  "})", false},
           {R"({"text":""})", false},
           {Quoted("text", Repeated("a", 8192)), true},
           {Quoted("text", Repeated("a", 8193)), false},
           {R"({"text":"a","client_id":""})", false},
           {R"({"text":"a","client_id":")" + Repeated("c", 64) + "\"}", true},
           {R"({"text":"a","client_id":")" + Repeated("c", 65) + "\"}", false},
           {R"({"text":"a","wait_for_answer":1})", false},
           {R"({"text":"a","wait_for_answer":null})", false},
           {R"({"client_id":"c"})", false}});
}

// Of a message, new and changed.
void ExpectTaken(const Settings& settings, const std::string& text, bool taken) {
  const auto document = json::Document::Parse(Quoted("text", text));
  Body added(document->root());
  ReadNewMessage(added, settings);
  EXPECT_EQ(added.Finish().empty(), taken) << text;
  Body changed(document->root());
  ReadMessageChange(changed, settings);
  EXPECT_EQ(changed.Finish().empty(), taken) << text;
}

TEST(Requests, MessagesHaveTheOctetsOfTheSettings) {
  Settings settings;
  settings.message_limit = 8;
  ExpectTaken(settings, "жжжж", true);
  ExpectTaken(settings, "жжжжa", false);
  ExpectTaken(settings, "12345678", true);
  ExpectTaken(settings, "123456789", false);
}

TEST(Requests, MessagesHaveTheCharactersOfTheSettings) {
  Settings settings;
  settings.message_characters = 4;
  ExpectTaken(settings, "жжжж", true);
  ExpectTaken(settings, "жжжжж", false);
  ExpectTaken(settings, "🙂🙂🙂🙂", true);
  ExpectTaken(settings, "12345", false);
  settings.message_characters = 9000;
  ExpectTaken(settings, Repeated("a", 9000), true);
  ExpectTaken(settings, Repeated("a", 9001), false);
}

TEST(Requests, MessageChange) {
  Compare("MessageChange", [](Body& body) { ReadMessageChange(body, Settings()); },
          Body::Members::kAny,
          {{R"({"text":"a"})", true},
           {Quoted("text", Repeated("a", 8192)), true},
           {Quoted("text", Repeated("a", 8193)), false},
           {R"({"text":"a","client_id":"c"})", false}});
}

TEST(Requests, Invitation) {
  Compare("Invitation", [](Body& body) { ReadInvitation(body); }, Body::Members::kAny,
          {{R"({"user":"Bob"})", true},
           {Quoted("user", Repeated("b", 64)), true},
           {Quoted("user", Repeated("b", 65)), false},
           {"{}", false}});
  const auto document = json::Document::Parse(R"({"user":" Bob "})");
  Body body(document->root());
  EXPECT_EQ(ReadInvitation(body).user, "bob");
}

}  // namespace
}  // namespace framewall::backend::api
