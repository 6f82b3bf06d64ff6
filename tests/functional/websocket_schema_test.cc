// websocket_schema: which messages of clients pass, what is said of the others, and which files
// stop the start.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kChat[] = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["op"],
  "properties": {
    "op": {"enum": ["say", "leave"]},
    "text": {"type": "string", "maxLength": 5, "pattern": "^(a+)*[^<]*$"},
    "to": {"type": "array", "items": {"type": "integer"}, "maxItems": 3}
  },
  "additionalProperties": false
})";

class SocketSchema : public ::testing::Test {
 protected:
  // `more` stands in the location, beside the schema.
  void Start(const std::string& schema, const std::string& more = "",
             const std::string& server = "") {
    proxy_ = std::make_unique<ProxyProcess>(
        SocketServer(upstream_, "websocket_schema chat.json; " + more, server));
    proxy_->directory().Write("chat.json", schema);
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }

  void Passes(const std::string& message, uint8_t opcode = kOpText,
              const std::string& path = "/chat") {
    WebSocketClient client(port(), To(path));
    client->SendFrame(opcode, message);
    const WebSocketEvent answer = client->Read();
    EXPECT_EQ(answer.payload, message) << answer.code;
    EXPECT_TRUE(answer.kind == Kind::kText || answer.kind == Kind::kBinary) << message;
  }
  // Closed with 1008, a line that ends so, and nothing of it at the upstream.
  void Refuses(const std::string& message, const std::string& line, uint8_t opcode = kOpText,
               const std::string& path = "/chat") {
    WebSocketClient client(port(), To(path));
    client->SendFrame(opcode, message);
    const WebSocketEvent closed = client->ReadToClose();
    EXPECT_EQ(closed.code, 1008) << message.substr(0, 100);
    EXPECT_EQ(closed.payload, "message does not match its schema");
    client->SendClose(1008);
    EXPECT_TRUE(proxy_->WaitForLog("client sent a message of " + std::to_string(message.size()) +
                                   " octets that " + line))
        << message.substr(0, 100) << "\n"
        << proxy_->Output();
    for (const std::string& seen : upstream_.messages()) EXPECT_NE(seen, message);
  }

  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

std::string Nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string Numbers(size_t count) {
  std::string all = "[1";
  for (size_t i = 1; i < count; ++i) all += ",1";
  return all + "]";
}

TEST_F(SocketSchema, MessagesThatMatchPassOthersClose) {
  Start(kChat);
  const std::string file = "does not match " + proxy_->directory().File("chat.json") + ": ";
  Passes(R"({"op":"leave"})");
  Passes(R"({"op":"say","text":"яяяяя","to":[1,2,3]})");
  Passes(" {\"op\" :\"\\u0073ay\"}\n");
  Refuses("[]",
          file + R"("type" of "" at "" while proxying upgraded connection, client: 127.0.0.1)");
  Refuses("{}", file + R"("required" of "" at "")");
  Refuses(R"({"op":"sing"})", file + R"("enum" of "/properties/op" at "/op")");
  Refuses(R"({"op":"say","text":"яяяяяя"})",
          file + R"("maxLength" of "/properties/text" at "/text")");
  Refuses(R"({"op":"say","text":"a<b"})", file + R"("pattern" of "/properties/text" at "/text")");
  Refuses(R"({"op":"say","to":[1,2,3,4]})", file + R"("maxItems" of "/properties/to" at "/to")");
  Refuses(R"({"op":"say","to":[1,2.5]})", file + R"("type" of "/properties/to/items" at "/to/1")");
  EXPECT_EQ(upstream_.messages().size(), 3u);
}

TEST_F(SocketSchema, WhatIsNoJsonTextIsRefused) {
  Start("true");
  Passes("1");
  Refuses("", "is not JSON: 1:0: ");
  Refuses("hello", "is not JSON: 1:");
  Refuses("{\"a\":1,\n\"a\":2}", "is not JSON: 2:3: duplicate object key near '\\\"a\\\"'");
  Refuses("1 2", "is not JSON: 1:3: ");
  // Socket.IO: its packets are no JSON texts.
  Refuses(R"(42["say",{"text":"a"}])", "is not JSON: 1:3: ");
  Refuses("{\"op\":1}", "is binary, and websocket_schema wants JSON", kOpBinary);
}

TEST_F(SocketSchema, NamesOfAClientCannotForgeLines) {
  Start(kChat);
  Refuses("{\"op\":\"say\",\"a\\n\\\"b\":1}", "does not match " +
                                                  proxy_->directory().File("chat.json") +
                                                  R"(: "additionalProperties" of "" at "/a\n\"b")");
  const std::string name(5000, 'n');
  Refuses("{\"op\":\"say\",\"" + name + "\":1}",
          "does not match " + proxy_->directory().File("chat.json") +
              ": \"additionalProperties\" of \"\" at \"/" + std::string(199, 'n') + "...\"");
}

TEST_F(SocketSchema, LimitsOfOneMessage) {
  Start("true", "websocket_max_message_size 2m;");
  Passes(Nested(128));
  Refuses(Nested(129), "is too much JSON to be checked: 1:129: more than 128 levels");
  Passes(Numbers(49'999));
  Refuses(Numbers(50'000), "is too much JSON to be checked: 1:99999: more than 50000 values");
  Passes("\"" + std::string(1024 * 1024 - 2, 'm') + "\"");
  Refuses("\"" + std::string(1024 * 1024 - 1, 'm') + "\"",
          "is too much JSON to be checked: 1:1: more than 1048576 octets");
}

TEST_F(SocketSchema, HostileMessagesCostLittle) {
  Start(R"({"items": {"not": {"type": "string", "pattern": "^(a+)+$"}}, "anyOf": [
             {"items": {"$ref": "#"}, "not": true}, {"items": {"$ref": "#"}, "not": true},
             {"type": ["array", "string", "null"]}]})");
  const std::string line = "costs too much to check against ";
  Passes(R"(["b","aaaaaaaaaaaaaaa!",[null]])");
  const auto began = std::chrono::steady_clock::now();
  Refuses("[\"" + std::string(40, 'a') + "!\"]", line);
  Refuses(Nested(100), line);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(10));
  Passes("[null]");
}

TEST_F(SocketSchema, FragmentsAndCompressionAreJudgedWhole) {
  Start(kChat);
  WebSocketClientOptions options;
  options.headers = kOfferDeflate;
  WebSocketClient client(port(), options);
  client->SendFragments(kOpText, {"{\"op\"", "", ":\"leave\"}"});
  EXPECT_EQ(client->Read().payload, R"({"op":"leave"})");
  Deflater deflater(false);
  client->Send(ClientFrame(kOpText, deflater.Message(R"({"op":"say"})"), true, 4));
  EXPECT_EQ(client->Read().payload, R"({"op":"say"})");
  client->Send(ClientFrame(kOpText, deflater.Message(R"({"op":"sing"})"), true, 4));
  EXPECT_CLOSED_WITH(client.end(), 1008);
}

TEST_F(SocketSchema, OnlyClientsMessagesAreJudged) {
  WebSocketUpstream talker([](WebSocketEnd& end) {
    end.SendText("no JSON");
    end.SendBinary("\x01");
    end.ReadToClose();
    end.SendClose(1000, "no JSON either");
  });
  ProxyProcess proxy(SocketServer(talker, "websocket_schema chat.json;"));
  proxy.directory().Write("chat.json", kChat);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0));
  EXPECT_EQ(client->Read().payload, "no JSON");
  EXPECT_EQ(client->Read().payload, "\x01");
  client->SendClose(1000, "plain words");
  EXPECT_CLOSED_WITH(client.end(), 1000);
}

TEST_F(SocketSchema, DropLeavesOut) {
  Start(kChat, "websocket_verdict drop;");
  {
    WebSocketClient client(port());
    client->SendText("{}");
    client->SendBinary("{}");
    client->SendText(R"({"op":"say"})");
    EXPECT_EQ(client->Read().payload, R"({"op":"say"})");
    client->SendClose(1000);
    EXPECT_CLOSED_WITH(client.end(), 1000);
  }
  EXPECT_EQ(upstream_.messages(), (std::vector<std::string>{R"({"op":"say"})"}));
  EXPECT_TRUE(
      proxy_->WaitForLog("received=1/12 sent=1/12 refused=2 code=1000 by=client", "access.log"));
}

TEST_F(SocketSchema, DetectOnlyLogs) {
  Start(kChat, "websocket_verdict detect;");
  Passes("{}");
  Passes("\x01", kOpBinary);
  EXPECT_TRUE(proxy_->WaitForLog("\"required\" of \"\" at \"\""));
  EXPECT_TRUE(proxy_->WaitForLog("is binary, and websocket_schema wants JSON"));
}

TEST_F(SocketSchema, RefusalsAreCounted) {
  Start(kChat, "", "location = /metrics { metrics; }");
  Refuses("{}", "does not match");
  EXPECT_TRUE(proxy_->WaitForLog(
      "refused=1 code=1008 by=gateway reason=\"message does not match its schema\"", "access.log"));
  EXPECT_EQ(proxy_->CountInLog("[error]"), 1u);
  const std::string metrics = Get(port(), "/metrics").body;
  EXPECT_NE(metrics.find("framewall_websocket_messages_refused_total{from=\"client\"} 1"),
            std::string::npos)
      << metrics;
}

TEST_F(SocketSchema, ComesBeforeTheRules) {
  Start(kChat, R"(modsecurity on; modsecurity_rules '
      SecRuleEngine On
      SecRequestBodyAccess On
      SecAuditEngine Off
      SecRule ARGS "@contains evil" "id:1,phase:2,deny,status:403"';)");
  Passes(R"({"op":"say","text":"good"})");
  Refuses(R"({"op":"evil"})", "does not match");
  EXPECT_EQ(proxy_->CountInLog("ModSecurity: Access denied"), 0u);
  WebSocketClient client(port());
  client->SendText(R"({"op":"say","text":"evil"})");
  const WebSocketEvent closed = client->Read();
  EXPECT_EQ(closed.payload, "message refused");
  EXPECT_TRUE(proxy_->WaitForLog("ModSecurity: Access denied"));
}

TEST(SocketSchemaInheritance, LevelsAndOff) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(
      "events {}\nhttp { websocket_schema %%DIR%%/number.json;\n" +
      std::string("server { listen 127.0.0.1:%%PORT_0%%; ") + "location / { " +
      SocketPass(upstream.address()) + " }\n" + "location /text/ { websocket_schema text.json; " +
      SocketPass(upstream.address()) + " }\n" + "location /any/ { websocket_schema off; " +
      SocketPass(upstream.address()) + " } } }\n");
  proxy.directory().Write("number.json", R"({"type":"number"})");
  proxy.directory().Write("text.json", R"({"type":"string"})");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const auto answer = [&](const std::string& path, const std::string& message) {
    WebSocketClient client(proxy.port(0), To(path));
    client->SendText(message);
    return client->Read().code;
  };
  EXPECT_EQ(answer("/", "1"), 0);
  EXPECT_EQ(answer("/", "\"a\""), 1008);
  EXPECT_EQ(answer("/text/", "1"), 1008);
  EXPECT_EQ(answer("/text/", "\"a\""), 0);
  EXPECT_EQ(answer("/any/", "plain"), 0);
}

// --- The file ---

CommandResult TryFile(const std::string& schema) {
  WebSocketUpstream upstream;
  ProxyProcess proxy(SocketServer(upstream, "websocket_schema chat.json;"));
  if (!schema.empty()) proxy.directory().Write("chat.json", schema);
  CommandResult result = proxy.Run({"-t"});
  // Its folder has another name each time.
  for (size_t at; (at = result.output.find(proxy.directory().path() + "/")) != std::string::npos;) {
    result.output.erase(at, proxy.directory().path().size() + 1);
  }
  return result;
}

TEST(SocketSchemaFile, FaultsStopTheStart) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"",
       "[emerg] \"websocket_schema\": open() \"chat.json\" failed (2: No such file or "
       "directory) in nginx.conf:"},
      {"{\n \"type\": }", "[emerg] \"websocket_schema\": chat.json:2:"},
      {"{\n \"type\": \"text\"}",
       "chat.json:2: /type: must be null, boolean, integer, number, "
       "string, array or object, or an array of them in nginx.conf:"},
      {R"({"$schema":"http://json-schema.org/draft-07/schema#"})",
       "is not supported, only \"https://json-schema.org/draft/2020-12/schema\" is"},
      {R"({"$ref":"https://example.org/a.json"})",
       "/$ref: \"https://example.org/a.json\" is not in this file; nothing is fetched"},
      {R"({"pattern":"(a"})", "/pattern: pcre2_compile() failed: missing closing parenthesis"},
      {R"({"items":[{}]})", "/items: must be a schema; an array of them is \"prefixItems\" now"},
      {R"({"dependencies":{}})", "/dependencies: is no keyword of draft 2020-12"},
      {R"({"$ref":"#"})", "refers to itself for the same value"},
  };
  for (const auto& [schema, expected] : cases) {
    const CommandResult result = TryFile(schema);
    EXPECT_EQ(result.exit_code, 1) << schema;
    EXPECT_NE(result.output.find(expected), std::string::npos) << schema << "\n" << result.output;
  }
  const CommandResult two = TryFile("{\"type\":1,\n\"minimum\":\"a\"}");
  EXPECT_NE(two.output.find("chat.json:1: /type"), std::string::npos) << two.output;
  EXPECT_NE(two.output.find("chat.json:2: /minimum"), std::string::npos) << two.output;
}

TEST(SocketSchemaFile, WarningsDoNotStopIt) {
  const CommandResult good = TryFile(kChat);
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_EQ(good.output.find("websocket_schema"), std::string::npos) << good.output;
  const CommandResult odd = TryFile("{\"maxLenght\": 3, \"format\": \"email\"}");
  EXPECT_EQ(odd.exit_code, 0) << odd.output;
  EXPECT_NE(odd.output.find("[warn] \"websocket_schema\": chat.json:1: /maxLenght: unknown keyword "
                            "\"maxLenght\" judges nothing; did you mean \"maxLength\"? in "
                            "nginx.conf:"),
            std::string::npos)
      << odd.output;
  EXPECT_NE(odd.output.find("/format: \"format\" is an annotation"), std::string::npos);
}

TEST(SocketSchemaFile, DirectiveWithoutAFile) {
  ProxyProcess proxy("events {} http { websocket_schema ''; }");
  const CommandResult result = proxy.Run({"-t"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("off or a FILE"), std::string::npos) << result.output;
}

TEST_F(SocketSchema, ReloadTakesTheNewFileOrKeepsTheOld) {
  ASSERT_NO_FATAL_FAILURE(Start(R"({"type":"number"})"));
  Passes("1");
  WebSocketClient old(port());
  old->SendText("2");
  EXPECT_EQ(old->Read().payload, "2");
  proxy_->directory().Write("chat.json", R"({"type":)");
  proxy_->Signal(SIGHUP);
  ASSERT_TRUE(proxy_->WaitForLog("reconfiguration failed"));
  Passes("3");
  Refuses("\"a\"", "does not match");
  proxy_->directory().Write("chat.json", R"({"type":"string"})");
  ASSERT_TRUE(proxy_->Reload());
  EXPECT_TRUE(Eventually([&] {
    WebSocketClient client(port());
    client->SendText("\"b\"");
    return client->Read().payload == "\"b\"";
  }));
  Refuses("4", "does not match");
  // A socket keeps the schema that it began with.
  old->SendText("5");
  EXPECT_EQ(old->Read().payload, "5");
  old->SendText("\"c\"");
  EXPECT_CLOSED_WITH(old.end(), 1008);
}

}  // namespace
}  // namespace framewall::test
