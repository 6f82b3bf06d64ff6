// Messages under rules/framewall.conf and CRS: what an attack may be wrapped in, and what passes.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"
#include "tests/support/certificate.h"

namespace framewall::test {
namespace {

constexpr char kScript[] = "<script>alert(document.cookie)</script>";
constexpr char kInjection[] = "1' UNION SELECT login, password FROM users -- ";

std::string RealRules() {
  return "modsecurity on; modsecurity_rules 'SecAuditLog %%DIR%%/audit.log';\n"
         "modsecurity_rules_file " FW_SOURCE_DIR
         "/rules/framewall.conf;\n"
         "modsecurity_rules 'SecAuditLogParts ABCFHZ';\n";
}

std::vector<std::string> LinesWith(const std::string& text,
                                   const std::vector<std::string>& needles) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    bool has_all = true;
    for (const std::string& needle : needles) has_all = has_all && line.find(needle) != line.npos;
    if (has_all) found.push_back(line);
  }
  return found;
}

// One proxy with all rules for all of these: a path of its own tells each test's lines.
class SocketUnderCrs : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    upstream_ = std::make_unique<WebSocketUpstream>();
    proxy_ = std::make_unique<ProxyProcess>(SocketServer(
        *upstream_, "websocket_deflate_context_takeover on; websocket_message_rate off;",
        RealRules()));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  static void TearDownTestSuite() {
    proxy_.reset();
    upstream_.reset();
  }

  using Send = std::function<void(WebSocketEnd&)>;

  // A clean message passes; what `send` sends closes and leaves its lines. `in_record` is what the
  // audit record must show of it.
  void ExpectRefused(const Send& send, const std::string& in_record,
                     const std::string& headers = "") {
    const std::string path =
        std::string("/") + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    WebSocketClientOptions options = To(path);
    options.headers = headers;
    WebSocketClient client(proxy_->port(0), options);
    ASSERT_EQ(client.status(), 101) << proxy_->Output();
    client->SendText("hello");
    EXPECT_EQ(client->Read().payload, "hello");
    const size_t before = upstream_->events().size();
    send(client.end());
    const WebSocketEvent closed = client->ReadToClose();
    EXPECT_EQ(closed.kind, Kind::kClose);
    EXPECT_EQ(closed.code, 1008);
    EXPECT_EQ(closed.payload, "message refused");
    client->SendClose(1008);
    EXPECT_EQ(client->Read().kind, Kind::kEnd);
    client.raw().Close();
    ASSERT_TRUE(Eventually([&] {
      const auto events = upstream_->events();
      return events.size() > before && events.back().kind == Kind::kClose;
    }));
    EXPECT_EQ(upstream_->events().back().code, 1008);
    for (const std::string& message : upstream_->messages()) {
      EXPECT_EQ(message.find("UNION SELECT"), std::string::npos) << message;
      EXPECT_EQ(message.find("script"), std::string::npos) << message;
    }
    ExpectLines(path, in_record);
  }

  static void ExpectLines(const std::string& path, const std::string& in_record) {
    ASSERT_TRUE(proxy_->WaitForLog("\"GET " + path + " HTTP/1.1\" 101", "access.log"));
    const std::string uri = "[uri \"" + path + "\"]";
    const auto errors = LinesWith(proxy_->Log(), {"[error]", uri});
    ASSERT_EQ(errors.size(), 1u) << proxy_->Log();
    EXPECT_NE(errors[0].find("ModSecurity: Access denied with code 403 (phase 2)."),
              std::string::npos)
        << errors[0];
    EXPECT_NE(errors[0].find("[id \"949110\"]"), std::string::npos) << errors[0];
    EXPECT_NE(errors[0].find("client: 127.0.0.1"), std::string::npos) << errors[0];
    EXPECT_NE(errors[0].find("request: \"GET " + path + " HTTP/1.1\""), std::string::npos)
        << errors[0];
    const auto records = LinesWith(proxy_->Log("audit.log"), {"\"uri\":\"" + path + "\""});
    ASSERT_EQ(records.size(), 1u) << proxy_->Log("audit.log");
    EXPECT_NE(records[0].find(in_record), std::string::npos) << records[0];
    const auto sessions = LinesWith(proxy_->Log("access.log"), {"GET " + path + " "});
    ASSERT_EQ(sessions.size(), 1u);
    EXPECT_NE(sessions[0].find("101 received="), std::string::npos) << sessions[0];
    EXPECT_NE(sessions[0].find(" refused=1 code=1008 by=gateway reason=\"message refused\""),
              std::string::npos)
        << sessions[0];
  }

  static std::unique_ptr<WebSocketUpstream> upstream_;
  static std::unique_ptr<ProxyProcess> proxy_;
};
std::unique_ptr<WebSocketUpstream> SocketUnderCrs::upstream_;
std::unique_ptr<ProxyProcess> SocketUnderCrs::proxy_;

TEST_F(SocketUnderCrs, AttackAsJsonValue) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendText(std::string(R"({"user":"ann","text":")") + kInjection + "\"}");
      },
      "UNION SELECT login");
}

TEST_F(SocketUnderCrs, AttackAsJsonKey) {
  ExpectRefused(
      [](WebSocketEnd& end) { end.SendText(std::string("{\"a\":{\"") + kScript + "\":1}}"); },
      "alert(document.cookie)");
}

TEST_F(SocketUnderCrs, AttackAsPlainText) {
  ExpectRefused([](WebSocketEnd& end) { end.SendText(kScript); }, "alert(document.cookie)");
}

TEST_F(SocketUnderCrs, AttackAsFormField) {
  ExpectRefused([](WebSocketEnd& end) { end.SendText("a=1&b=%3Cscript%3Ealert(1)%3C/script%3E"); },
                "b=%3Cscript%3E");
}

TEST_F(SocketUnderCrs, AttackInSocketIoPacket) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendText(std::string("42[\"chat message\",{\"text\":\"") + kScript + "\"}]");
      },
      "chat message");
}

TEST_F(SocketUnderCrs, AttackInSocketIoPacketWithNamespaceAndAcknowledgement) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendText(std::string("42/admin,17[\"chat message\",\"") + kInjection + "\"]");
      },
      "UNION SELECT login");
}

TEST_F(SocketUnderCrs, AttackInJsonInsideAJsonString) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendText(
            R"({"data":"{\"text\":\"\\u003cscript\\u003ealert(1)\\u003c/script\\u003e\"}"})");
      },
      "script");
}

TEST_F(SocketUnderCrs, AttackInEscapes) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendText(R"({"text":"\u003cscript\u003e\u0061lert(1)\u003c\/script\u003e"})");
      },
      "u003cscript");
}

TEST_F(SocketUnderCrs, AttackInMessagePackString) {
  const std::string text = kScript;
  ExpectRefused(
      [&](WebSocketEnd& end) {
        // {"id": 7, "text": kScript, "at": a float}
        end.SendBinary(std::string("\x83\xa2id\x07\xa4text\xd9", 11) +
                       static_cast<char>(text.size()) + text +
                       std::string("\xa2"
                                   "at\xcb\x41\xd9\x95\x3f\x80\x00\x00\x01",
                                   12));
      },
      "alert(document.cookie)");
}

TEST_F(SocketUnderCrs, AttackInBase64) {
  // kScript
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendText(R"({"blob":"PHNjcmlwdD5hbGVydChkb2N1bWVudC5jb29raWUpPC9zY3JpcHQ+"})");
      },
      "PHNjcmlwdD5hbGVydChkb2N1bWVud");
}

TEST_F(SocketUnderCrs, AttackInFragments) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        // Each piece for itself is harmless; control frames stand between.
        end.SendFrame(kOpText, "{\"text\":\"<scr", false);
        end.SendFrame(kOpPing, "1");
        end.SendFrame(kOpContinuation, "ipt>ale", false);
        end.SendFrame(kOpContinuation, "", false);
        end.SendFrame(kOpPing, "2");
        end.SendFrame(kOpContinuation, "rt(document.cookie)</script>\"}");
      },
      "alert(document.cookie)");
}

TEST_F(SocketUnderCrs, AttackByteByByte) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        end.SendSlowly(end.Frame(kOpText, std::string("{\"text\":\"") + kScript + "\"}"));
      },
      "alert(document.cookie)");
}

TEST_F(SocketUnderCrs, AttackInFragmentsOfOneOctetByteByByte) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        const std::string text = kScript;
        std::string frames;
        for (size_t i = 0; i < text.size(); ++i) {
          frames += end.Frame(i == 0 ? kOpText : kOpContinuation, text.substr(i, 1),
                              i + 1 == text.size());
        }
        end.SendSlowly(frames);
      },
      "alert(document.cookie)");
}

// Earlier messages, each clean, hold the words: the attack itself is back references.
TEST_F(SocketUnderCrs, AttackCompressedWithContextOfEarlierMessages) {
  ExpectRefused(
      [this](WebSocketEnd& end) {
        ASSERT_TRUE(end.has_deflate());
        const std::vector<std::string> words = {"login, password, FROM users -- ",
                                                "the UNION of workers", "SELECT your seat"};
        for (const std::string& text : words) {
          end.SendCompressed(kOpText, text);
          ASSERT_EQ(end.Read().payload, text) << proxy_->Log();
        }
        const std::string attack = "1' UNION SELECT login, password, FROM users -- ";
        const std::string octets = end.deflater().Message(attack);
        Deflater alone(false);
        ASSERT_LT(octets.size(), alone.Message(attack).size());
        end.SendFrame(kOpText, octets, true, 4);
      },
      "UNION SELECT login", kOfferDeflate);
}

TEST_F(SocketUnderCrs, AttackCompressedAndFragmentedByteByByte) {
  ExpectRefused(
      [](WebSocketEnd& end) {
        const std::string octets =
            end.deflater().Message(std::string("{\"text\":\"") + kScript + "\"}");
        std::string frames = end.Frame(kOpText, octets.substr(0, 3), false, 4);
        frames += end.Frame(kOpPing, "");
        frames += end.Frame(kOpContinuation, octets.substr(3));
        end.SendSlowly(frames);
      },
      "alert(document.cookie)", kOfferDeflate);
}

TEST_F(SocketUnderCrs, ReasonOfACloseIsJudged) {
  WebSocketClient client(proxy_->port(0), To("/reason"));
  ASSERT_EQ(client.status(), 101);
  const size_t before = upstream_->events().size();
  client->SendClose(4000, kScript);
  client->ReadToClose();
  ASSERT_TRUE(Eventually([&] { return upstream_->events().size() > before; }));
  EXPECT_EQ(upstream_->events()[before].code, 1008);
  EXPECT_EQ(upstream_->events()[before].payload, "");
  EXPECT_TRUE(proxy_->WaitForLog("[uri \"/reason\"]"));
}

TEST_F(SocketUnderCrs, ChatInTwoLanguagesPasses) {
  const std::vector<std::string> texts = {
      "Привет! Как дела? Встретимся завтра в 18:00 у метро.",
      "Select all the photos from the union picnic and drop them in the table, please :)",
      R"({"type":"message","room":"общая","text":"Ёлки, onclick не работает — посмотришь?"})",
      R"({"type":"message","room":12,"text":"O'Reilly's book & \"the rest\" cost < 30€","tags":["a","b"]})",
      R"(42["chat message",{"from":"Зоя","text":"ок, до связи 👋"}])",
      R"(42["chat message",{"from":"Bob","text":"see https://example.com/a?b=c#d"}])",
      "2probe",
      "3",
      "{\"type\":\"ping\"}",
      "Скинь, пожалуйста, отчёт за 3-й квартал (тот, что с таблицей).",
  };
  WebSocketClient client(proxy_->port(0), To("/clean"));
  ASSERT_EQ(client.status(), 101);
  for (const std::string& text : texts) {
    client->SendText(text);
    const WebSocketEvent answer = client->Read();
    ASSERT_EQ(answer.payload, text) << proxy_->Log();
  }
  client->SendClose(1000, "до свидания");
  const WebSocketEvent closed = client->Read();
  EXPECT_EQ(closed.kind, Kind::kClose);
  EXPECT_EQ(closed.code, 1000);
  ASSERT_TRUE(proxy_->WaitForLog("GET /clean ", "access.log"));
  const auto sessions = LinesWith(proxy_->Log("access.log"), {"GET /clean "});
  EXPECT_NE(sessions.at(0).find("received=10/"), std::string::npos) << sessions[0];
  EXPECT_NE(sessions[0].find("sent=10/"), std::string::npos) << sessions[0];
  EXPECT_NE(sessions[0].find("refused=0 code=1000 by=client"), std::string::npos) << sessions[0];
  EXPECT_EQ(LinesWith(proxy_->Log("audit.log"), {"\"uri\":\"/clean\""}).size(), 0u);
}

TEST_F(SocketUnderCrs, HandshakeIsARequestUnderTheRules) {
  const size_t before = upstream_->requests().size();
  WebSocketClient client(proxy_->port(0), To("/?q=%3Cscript%3Ealert(1)%3C/script%3E"));
  EXPECT_EQ(client.status(), 403);
  EXPECT_EQ(upstream_->requests().size(), before);
}

// What an upstream may not say.
class LeakUnderCrs : public ::testing::Test {
 protected:
  void ExpectRefused(const std::string& leak, const std::string& rule) {
    WebSocketUpstream upstream([&](WebSocketEnd& end) {
      end.Read();
      end.SendText("fine");
      end.SendText(leak);
      end.SendText("more");
      EXPECT_EQ(end.ReadToClose().code, 1008);
      end.SendClose(1008);
    });
    ProxyProcess proxy(SocketServer(upstream, "", RealRules()));
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    WebSocketClient client(proxy.port(0));
    client->SendText("hello");
    EXPECT_EQ(client->Read().payload, "fine");
    const WebSocketEvent closed = client->Read();
    EXPECT_EQ(closed.kind, Kind::kClose) << closed.payload;
    EXPECT_EQ(closed.code, 1008);
    client->SendClose(1008);
    EXPECT_TRUE(proxy.WaitForLog("refused=1 code=1008 by=gateway", "access.log"));
    EXPECT_EQ(LinesWith(proxy.Log(),
                        {"[error]", "Access denied with code 403 (phase 4)", "[id \"959100\"]"})
                  .size(),
              1u)
        << proxy.Log();
    EXPECT_GE(proxy.CountInLog("[id \"" + rule + "\"]"), 1u) << proxy.Log();
    EXPECT_EQ(proxy.CountInLog("\n", "audit.log"), 1u);
  }
};

TEST_F(LeakUnderCrs, ErrorOfADatabase) {
  ExpectRefused(
      "{\"error\":\"You have an error in your SQL syntax; check the manual that corresponds to "
      "your MySQL server version for the right syntax to use near '1'\"}",
      "951230");
}

TEST_F(LeakUnderCrs, ErrorOfPhp) {
  ExpectRefused(
      "<br /><b>Fatal error</b>: Uncaught Error: Call to undefined function f() in "
      "/var/www/html/index.php:3 Stack trace: #0 {main} thrown in <b>/var/www/html/index.php</b> "
      "on line <b>3</b>",
      "953100");
}

// --- With a few rules, quick to load ---

constexpr char kFewRules[] = R"(
  SecRuleEngine On
  SecRequestBodyAccess On
  SecResponseBodyAccess On
  SecResponseBodyMimeType text/plain
  SecAuditEngine RelevantOnly
  SecAuditLogRelevantStatus ^[45]
  SecAuditLogFormat JSON
  SecAuditLogType Serial
  SecAuditLogParts ABCFHZ
  SecAuditLog %%DIR%%/audit.log
  SecRule ARGS "@contains attack" "id:1,phase:2,deny,status:403,log,auditlog"
  SecRule ARGS "@contains reset me" "id:2,phase:2,drop,log,auditlog"
  SecRule ARGS "@contains note this" "id:3,phase:2,pass,log,auditlog"
  SecRule RESPONSE_BODY "@contains secret" "id:4,phase:4,deny,status:403,log,auditlog"
)";

std::string FewRules(const std::string& more = "") {
  return std::string("modsecurity on; modsecurity_rules '") + kFewRules + more + "';\n";
}

class SocketUnderRules : public ::testing::Test {
 protected:
  void Start(const std::string& location, const std::string& more_rules = "") {
    proxy_ =
        std::make_unique<ProxyProcess>(SocketServer(upstream_, FewRules(more_rules) + location));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  uint16_t port() const { return proxy_->port(0); }
  // After the end of all that is under way.
  size_t Records() {
    proxy_->Quit();
    return proxy_->CountInLog("\n", "audit.log");
  }

  WebSocketUpstream upstream_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(SocketUnderRules, VerdictDropLeavesTheMessageOutAndGoesOn) {
  Start("websocket_verdict drop;");
  WebSocketClient client(port());
  client->SendText("one");
  client->SendText("an attack");
  client->SendText("two");
  EXPECT_EQ(client->Read().payload, "one");
  EXPECT_EQ(client->Read().payload, "two");
  client->SendClose(1000);
  client->ReadToClose();
  EXPECT_EQ(upstream_.messages(), (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(
      proxy_->WaitForLog("received=2/6 sent=2/6 refused=1 code=1000 by=client", "access.log"))
      << proxy_->Log("access.log");
  EXPECT_EQ(Records(), 1u);
  EXPECT_EQ(proxy_->CountInLog("Access denied with code 403 (phase 2)"), 1u);
}

TEST_F(SocketUnderRules, VerdictDetectOnlyLogs) {
  Start("websocket_verdict detect;");
  WebSocketClient client(port());
  for (const char* text : {"an attack", "reset me", "clean"}) {
    client->SendText(text);
    EXPECT_EQ(client->Read().payload, text);
  }
  client->SendClose(1000);
  client->ReadToClose();
  EXPECT_TRUE(proxy_->WaitForLog("received=3/22 sent=3/22 refused=0 code=1000", "access.log"))
      << proxy_->Log("access.log");
  EXPECT_EQ(Records(), 2u);
  EXPECT_EQ(proxy_->CountInLog("[id \"1\"]"), 1u) << proxy_->Log();
}

TEST_F(SocketUnderRules, DetectionOnlyOfTheEngineLogsAndPasses) {
  Start("", "SecRuleEngine DetectionOnly\n");
  WebSocketClient client(port());
  client->SendText("an attack");
  EXPECT_EQ(client->Read().payload, "an attack");
  EXPECT_TRUE(proxy_->WaitForLog("[id \"1\"]"));
}

TEST_F(SocketUnderRules, RuleThatDropsResets) {
  Start("");
  WebSocketClient client(port());
  client->SendText("reset me");
  EXPECT_EQ(client->Read().kind, Kind::kReset);
  EXPECT_TRUE(Eventually([&] { return !upstream_.events().empty(); }));
  EXPECT_EQ(upstream_.events()[0].kind, Kind::kReset);
  EXPECT_TRUE(
      proxy_->WaitForLog("refused=1 code=1006 by=gateway reason=\"reset by a rule\"", "access.log"))
      << proxy_->Log("access.log");
  EXPECT_EQ(Records(), 1u);
}

TEST_F(SocketUnderRules, RuleThatPassesLogs) {
  Start("");
  WebSocketClient client(port());
  client->SendText("note this");
  EXPECT_EQ(client->Read().payload, "note this");
  EXPECT_TRUE(proxy_->WaitForLog("[id \"3\"]"));
  client->SendClose(1000);
  client->ReadToClose();
  EXPECT_EQ(proxy_->CountInLog("Access denied"), 0u);
}

TEST_F(SocketUnderRules, InspectChoosesTheDirection) {
  struct Case {
    const char* word;
    bool client, upstream;
  };
  for (const Case& one : {Case{"both", true, true}, Case{"client", true, false},
                          Case{"upstream", false, true}, Case{"off", false, false}}) {
    SCOPED_TRACE(one.word);
    Start(std::string("websocket_inspect ") + one.word + ";");
    for (const auto& [text, refused] :
         {std::pair{"an attack", one.client}, std::pair{"a secret", one.upstream}}) {
      WebSocketClient client(port());
      client->SendText(text);
      const WebSocketEvent answer = client->Read();
      EXPECT_EQ(answer.kind, refused ? Kind::kClose : Kind::kText) << text;
      EXPECT_EQ(answer.code, refused ? 1008 : 0) << text;
    }
  }
}

TEST_F(SocketUnderRules, OverTheInspectLimitIsRefused) {
  Start("websocket_inspect_limit 1k;");
  WebSocketClient client(port());
  client->SendText(std::string(1024, 'a'));
  EXPECT_EQ(client->Read().payload.size(), 1024u);
  client->SendText(std::string(1025, 'a'));
  EXPECT_CLOSED_WITH(client.end(), 1009);
  EXPECT_EQ(upstream_.messages().size(), 1u);
  EXPECT_TRUE(
      proxy_->WaitForLog("a message of 1025 octets from the client is over "
                         "websocket_inspect_limit"));
  client->SendClose(1009);
  EXPECT_TRUE(proxy_->WaitForLog("refused=1 code=1009 by=gateway", "access.log"));
}

TEST_F(SocketUnderRules, OverTheInspectLimitOnlyTheBeginningIsJudged) {
  Start("websocket_inspect_limit 1k; websocket_inspect_over_limit partial;");
  WebSocketClient client(port());
  const std::string late = std::string(1024, 'a') + "attack";
  client->SendText(late);
  EXPECT_EQ(client->Read().payload, late);
  EXPECT_TRUE(proxy_->WaitForLog("only its beginning is inspected"));
  // JSON that ends in the middle of a value is judged as far as it goes.
  client->SendText("{\"a\":\"attack\",\"b\":\"" + std::string(2000, 'b') + "\"}");
  EXPECT_CLOSED_WITH(client.end(), 1008);
}

TEST_F(SocketUnderRules, OverTheInspectLimitPassesWhereSaid) {
  Start("websocket_inspect_limit 1k; websocket_inspect_over_limit pass;");
  WebSocketClient client(port());
  const std::string message = "attack" + std::string(1024, 'a');
  client->SendText(message);
  EXPECT_EQ(client->Read().payload, message);
  EXPECT_TRUE(proxy_->WaitForLog("is over websocket_inspect_limit, passed"));
  client->SendText("attack");
  EXPECT_CLOSED_WITH(client.end(), 1008);
}

TEST_F(SocketUnderRules, OverTheInspectLimitPassesWhereVerdictsAreOnlyLogged) {
  const std::string message = "attack" + std::string(1024, 'a');
  for (const bool engine : {false, true}) {
    Start(engine ? "websocket_inspect_limit 1k;"
                 : "websocket_inspect_limit 1k; websocket_verdict detect;",
          engine ? "SecRuleEngine DetectionOnly\n" : "");
    WebSocketClient client(port());
    client->SendText(message);
    EXPECT_EQ(client->Read().payload, message) << engine;
    EXPECT_TRUE(proxy_->WaitForLog("is over websocket_inspect_limit"));
    EXPECT_TRUE(proxy_->WaitForLog("[id \"1\"]")) << proxy_->Log();
  }
}

TEST_F(SocketUnderRules, RulesForMessagesOnly) {
  Start("",
        "SecRule TX:ws_number \"@eq 3\" \"id:10,phase:2,deny,log,chain\"\n"
        "SecRule TX:ws_direction \"@streq client\" \"chain\"\n"
        "SecRule TX:ws_opcode \"@streq text\" \"chain\"\n"
        "SecRule TX:ws_size \"@gt 4\" \"t:none\"\n");
  WebSocketClient client(port());
  for (int i = 0; i < 2; ++i) {
    client->SendText("hello");
    EXPECT_EQ(client->Read().payload, "hello");
  }
  client->SendText("hello");
  EXPECT_CLOSED_WITH(client.end(), 1008);
  WebSocketClient other(port());
  for (int i = 0; i < 3; ++i) {
    other->SendBinary("hello");
    EXPECT_EQ(other->Read().payload, "hello");
  }
  // They hold for no request of HTTP.
  EXPECT_EQ(proxy_->CountInLog("[id \"10\"]"), 1u) << proxy_->Log();
}

TEST_F(SocketUnderRules, ExclusionsByPathHoldForMessages) {
  Start("",
        "SecRule REQUEST_URI \"@beginsWith /editor\" "
        "\"id:20,phase:1,pass,nolog,ctl:ruleRemoveTargetById=1;ARGS:json.code\"\n");
  WebSocketClient client(port(), To("/editor"));
  const std::string code = R"({"code":"attack"})";
  client->SendText(code);
  EXPECT_EQ(client->Read().payload, code);
  client->SendText(R"({"text":"attack"})");
  EXPECT_CLOSED_WITH(client.end(), 1008);
  WebSocketClient other(port(), To("/chat"));
  other->SendText(code);
  EXPECT_CLOSED_WITH(other.end(), 1008);
}

TEST_F(SocketUnderRules, XmlWhereTheSubprotocolSaysSo) {
  WebSocketUpstream upstream(WebSocketUpstream::Options{
      .fake = {}, .headers = "Sec-WebSocket-Protocol: soap\r\n", .early = {}, .script = {}});
  ProxyProcess proxy(SocketServer(
      upstream, FewRules("SecRule XML:/* \"@contains at<tack\" \"id:30,phase:2,deny,log\"\n")));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClient client(proxy.port(0), With("Sec-WebSocket-Protocol: soap\r\n"));
  client->SendText("<a><b>fine</b></a>");
  EXPECT_EQ(client->Read().payload, "<a><b>fine</b></a>");
  client->SendText("<a><b>at&lt;tack</b></a>");
  EXPECT_CLOSED_WITH(client.end(), 1008);
}

TEST_F(SocketUnderRules, WhatCannotBeParsedIsJudgedAsText) {
  Start("");
  for (const std::string& text :
       {std::string("{\"text\":\"attack\""), std::string("42[\"x\",{\"text\": attack"),
        std::string("{\"a\":") + std::string(600, '[') + "attack"}) {
    WebSocketClient client(port());
    client->SendText(text);
    EXPECT_CLOSED_WITH(client.end(), 1008);
  }
  EXPECT_EQ(upstream_.messages().size(), 0u);
}

TEST_F(SocketUnderRules, OneOfManyMessagesInASegmentIsFound) {
  Start("websocket_message_rate off; websocket_client_message_rate off;");
  WebSocketClient client(port());
  std::string segment;
  for (int i = 0; i < 50; ++i) segment += client->Frame(kOpText, "m" + std::to_string(i));
  segment += client->Frame(kOpText, "attack");
  segment += client->Frame(kOpText, "after");
  client->Send(segment);
  EXPECT_CLOSED_WITH(client.end(), 1008);
  client->SendClose(1008);
  EXPECT_TRUE(proxy_->WaitForLog("received=50/", "access.log"));
  EXPECT_EQ(upstream_.messages().size(), 50u);
}

TEST_F(SocketUnderRules, MetricsCountVerdictsByRule) {
  proxy_ = std::make_unique<ProxyProcess>(
      SocketServer(upstream_, FewRules(), "location = /metrics { modsecurity off; metrics; }"));
  ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  WebSocketClient client(port(), With(kOfferDeflate));
  client->SendText("hello");
  client->Read();
  const std::string repeated(2000, 'a');
  client->SendCompressed(kOpText, repeated);
  EXPECT_EQ(client->Read().payload, repeated);
  client->SendText("attack");
  EXPECT_CLOSED_WITH(client.end(), 1008);
  const std::string metrics = Get(port(), "/metrics").body;
  for (const char* line : {"framewall_websocket_sessions_total 1\n",
                           "framewall_websocket_messages_total{from=\"client\"} 2\n",
                           "framewall_websocket_messages_total{from=\"upstream\"} 2\n",
                           "framewall_websocket_payload_bytes_total{from=\"client\"} 2005\n",
                           "framewall_websocket_messages_refused_total{from=\"client\"} 1\n",
                           "framewall_waf_verdicts_total{rule=\"1\",verdict="}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
  }
  // 2000 equal octets are few on the wire.
  const std::string wire = "framewall_websocket_wire_bytes_total{from=\"client\"} ";
  const size_t at = metrics.find(wire);
  ASSERT_NE(at, std::string::npos) << metrics;
  EXPECT_LT(std::stoi(metrics.substr(at + wire.size())), 100);
}

TEST(SocketOverTls, BothSidesAreInspected) {
  TempDir directory;
  Certificate::SelfSigned("localhost", {"localhost"}).Write(directory, "server");
  WebSocketUpstream upstream(
      WebSocketUpstream::Options{.fake = {.unix_path = {},
                                          .certificate_file = directory.File("server.crt"),
                                          .key_file = directory.File("server.key"),
                                          .client_ca_file = {}},
                                 .headers = {},
                                 .early = {},
                                 .script = {}});
  ProxyProcess proxy("events {}\nhttp {" + std::string(kSocketLog) +
                     "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate " +
                     directory.File("server.crt") + "; ssl_certificate_key " +
                     directory.File("server.key") + ";\n" + FewRules() + "location / { " +
                     SocketPass(upstream.address(), "https") + " } } }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  WebSocketClientOptions options;
  options.tls.emplace();
  options.early = ClientFrame(kOpText, "early");
  WebSocketClient client(proxy.port(0), options);
  ASSERT_EQ(client.status(), 101) << proxy.Output();
  EXPECT_EQ(client->Read().payload, "early");
  const std::string large(100000, 'x');
  client->SendText(large);
  EXPECT_EQ(client->Read().payload, large);
  client->SendSlowly(client->Frame(kOpText, "{\"a\":\"attack\"}"));
  EXPECT_CLOSED_WITH(client.end(), 1008);
  client->SendClose(1008);
  EXPECT_EQ(client->Read().kind, Kind::kEnd);
  ASSERT_TRUE(Eventually([&] { return upstream.events().size() == 3; }));
  EXPECT_EQ(upstream.events()[2].code, 1008);
}

}  // namespace
}  // namespace framewall::test
