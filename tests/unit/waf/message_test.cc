#include "waf/message.h"

#include <algorithm>
#include <ctime>
#include <limits>

#include "tests/unit/waf/waf_testing.h"

namespace framewall::waf {
namespace {

using namespace std::string_literals;
using std::chrono::microseconds;
using Ids = std::vector<std::int64_t>;

struct Outcome {
  Decision decision;
  Ids ids;  // of all rules that were heard of
  std::vector<std::string> lines;
  bool cut = false;

  bool Heard(std::int64_t id) const { return std::find(ids.begin(), ids.end(), id) != ids.end(); }
};

const std::vector<HeaderView>& Handshake() {
  static const std::vector<HeaderView> headers = {
      {"Host", "chat.example.test"},   {"Connection", "keep-alive, Upgrade"},
      {"Upgrade", "websocket"},        {"Origin", "https://chat.example.test"},
      {"Cookie", "session=1"},         {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Protocol", "chat.v2"},
      {"Content-Length", "0"},         {"Content-Type", "text/odd"},
  };
  return headers;
}

MessageView Text(std::string_view payload) {
  MessageView message;
  message.payload = payload;
  message.number = 1;
  return message;
}
MessageView Binary(std::string_view payload) {
  MessageView message = Text(payload);
  message.kind = MessageKind::kBinary;
  return message;
}
MessageView Upstream(std::string_view payload) {
  MessageView message = Text(payload);
  message.direction = MessageDirection::kUpstreamToClient;
  return message;
}

struct Socket {
  std::string target = "/ws?room=7";
  std::string method = "GET";
  std::string subprotocol;
  MessageFormat format = MessageFormat::kAuto;

  SocketView view() const {
    return {{method, target, "1.1", "192.0.2.7", 4711, "192.0.2.1", 80, "chat.example.test",
             Handshake()},
            subprotocol,
            format};
  }
};

Outcome Inspect(const std::shared_ptr<const RuleSet>& rules, const MessageView& message,
                const Socket& socket = {}, const MessageLimits& limits = {}) {
  Outcome outcome;
  Heard heard;
  MessageInspection inspection(TestEngine(), rules, "message-1", &heard);
  outcome.decision = inspection.Inspect(socket.view(), message, limits);
  outcome.cut = inspection.cut();
  inspection.Log();
  inspection.Log();
  outcome.ids = heard.ids;
  outcome.lines = heard.lines;
  if (outcome.decision.interrupts()) outcome.ids.push_back(outcome.decision.rule_id);
  EXPECT_TRUE(heard.failures.empty());
  return outcome;
}

// Is `condition` ("REQUEST_METHOD \"@streq POST\"") true of a message, in phase 2 (4 for the
// upstream's)?
bool Holds(const std::string& condition, const MessageView& message, const Socket& socket = {},
           const std::string& settings = "") {
  const bool up = message.direction == MessageDirection::kUpstreamToClient;
  const auto rules =
      Rules("SecRequestBodyAccess On\nSecResponseBodyAccess On\n" + settings + "SecRule " +
            condition + " \"id:1,phase:" + (up ? "4" : "2") + ",deny,t:none\"\n");
  return Inspect(rules, message, socket).decision.rule_id == 1;
}

TEST(Message, IsAPostToTheHandshakesUri) {
  const MessageView hello = Text("hello");
  EXPECT_TRUE(Holds("REQUEST_METHOD \"@streq POST\"", hello));
  EXPECT_TRUE(Holds("REQUEST_URI \"@streq /ws?room=7\"", hello));
  EXPECT_TRUE(Holds("REQUEST_FILENAME \"@streq /ws\"", hello));
  EXPECT_TRUE(Holds("ARGS_GET:room \"@streq 7\"", hello));
  EXPECT_TRUE(Holds("REMOTE_ADDR \"@ipMatch 192.0.2.7\"", hello));
  EXPECT_TRUE(Holds("REQUEST_HEADERS:Origin \"@streq https://chat.example.test\"", hello));
  EXPECT_TRUE(Holds("REQUEST_COOKIES:session \"@streq 1\"", hello));
  EXPECT_TRUE(Holds("UNIQUE_ID \"@streq message-1\"", hello));
}

TEST(Message, ShowsNoHeaderOfTheHopOrOfTheUpgrade) {
  for (const char* name : {"Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                           "Sec-WebSocket-Protocol"}) {
    EXPECT_TRUE(Holds("&REQUEST_HEADERS:"s + name + " \"@eq 0\"", Text("hello"))) << name;
    EXPECT_TRUE(Holds("&REQUEST_HEADERS:"s + name + " \"@eq 0\"", Upstream("hello"))) << name;
  }
}

TEST(Message, HasALengthAndATypeOfItsOwn) {
  const auto headers = [](const std::string& length, const std::string& type,
                          const MessageView& message, const Socket& socket = {}) {
    return Holds("&REQUEST_HEADERS:Content-Length \"@eq 1\"", message, socket) &&
           Holds("REQUEST_HEADERS:Content-Length \"@streq " + length + "\"", message, socket) &&
           (type.empty()
                ? Holds("&REQUEST_HEADERS:Content-Type \"@eq 0\"", message, socket)
                : Holds("REQUEST_HEADERS:Content-Type \"@streq " + type + "\"", message, socket));
  };
  EXPECT_TRUE(headers("0", "", Text("hello")));
  EXPECT_TRUE(headers("0", "", Binary("\xff\x01")));
  EXPECT_TRUE(headers("7", "application/json", Text("{\"a\":1}")));
  EXPECT_TRUE(headers("7", "application/json", Text("42[\"e\"]")));
  EXPECT_TRUE(headers("3", "application/x-www-form-urlencoded", Text("a=1")));
  Socket xml;
  xml.format = MessageFormat::kXml;
  EXPECT_TRUE(headers("4", "text/xml", Text("<a/>"), xml));
}

TEST(Message, ValuesAreArgumentsAndTheWholeIsTheBody) {
  const MessageView json = Text(R"({"text":"\u0027 or 1"})");
  EXPECT_TRUE(Holds("ARGS:json.text \"@streq ' or 1\"", json));
  EXPECT_TRUE(Holds("ARGS_NAMES \"@streq json.text\"", json));
  EXPECT_TRUE(Holds(R"(REQUEST_BODY "@contains \u0027")", json));
  EXPECT_TRUE(Holds("REQBODY_PROCESSOR \"@streq JSON\"", json));
  EXPECT_TRUE(Holds("REQBODY_ERROR \"@eq 0\"", json));
  EXPECT_TRUE(Holds("ARGS_POST:message \"@streq hello\"", Text("hello")));
  EXPECT_TRUE(Holds("ARGS:message \"@streq hello\"", Text("hello")));
  EXPECT_TRUE(Holds("REQUEST_BODY \"@streq hello\"", Text("hello")));
  EXPECT_TRUE(Holds("REQUEST_BODY_LENGTH \"@eq 5\"", Text("hello")));
  EXPECT_TRUE(Holds("ARGS_POST:a \"@streq ' 1\"", Text("a=%27+1")));
  EXPECT_TRUE(Holds("REQBODY_PROCESSOR \"@streq URLENCODED\"", Text("a=%27+1")));
  // Once, not once by us and once by the library: with room there are two.
  const std::string json_rule =
      "SecRule REQUEST_HEADERS:Content-Type \"^application/json\" "
      "\"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n";
  EXPECT_TRUE(Holds("&ARGS \"@eq 2\"", json, {}, json_rule));
  EXPECT_TRUE(Holds("&ARGS \"@eq 3\"", Text("a=1&b=2"), {}, json_rule));
}

TEST(Message, BinaryIsSeenRawInTheBodyAndInAVariable) {
  const MessageView packed = Binary(
      "\x81\xa1q\xa6"
      "1'or'1");
  EXPECT_TRUE(Holds("ARGS \"@streq 1'or'1\"", packed));
  EXPECT_TRUE(Holds("REQUEST_BODY \"@beginsWith \x81\xa1q\"", packed));
  EXPECT_TRUE(Holds("TX:ws_binary \"@beginsWith \x81\xa1q\"", packed));
  EXPECT_TRUE(Holds("&TX:ws_binary \"@eq 0\"", Binary("text")));
}

TEST(Message, VariablesSayWhatItIs) {
  Socket socket;
  socket.subprotocol = "chat.v2";
  MessageView message = Text("{\"a\":1}");
  message.number = 17;
  message.wire_size = 5;
  for (const char* condition :
       {"TX:ws_direction \"@streq client\"", "TX:ws_opcode \"@streq text\"",
        "TX:ws_format \"@streq json\"", "TX:ws_size \"@eq 7\"", "TX:ws_wire_size \"@eq 5\"",
        "TX:ws_number \"@eq 17\"", "TX:ws_subprotocol \"@streq chat.v2\"", "TX:ws_cut \"@eq 0\"",
        "TX:WS_Direction \"@streq client\""}) {
    EXPECT_TRUE(Holds(condition, message, socket)) << condition;
  }
  EXPECT_TRUE(Holds("TX:ws_direction \"@streq upstream\"", Upstream("x")));
  EXPECT_TRUE(Holds("TX:ws_opcode \"@streq binary\"", Binary("x")));
  EXPECT_TRUE(Holds("TX:ws_subprotocol \"@rx ^$\"", Text("x")));
  MessageView reason = Text("bye");
  reason.kind = MessageKind::kCloseReason;
  EXPECT_TRUE(Holds("TX:ws_opcode \"@streq close\"", reason));
  EXPECT_TRUE(Holds("ARGS:message \"@streq bye\"", reason));
  for (const auto& [payload, format] : std::vector<std::pair<std::string, std::string>>{
           {"hello", "text"}, {"42[1]", "socketio"}, {"a=1", "form"}, {"\xff", "binary"}}) {
    EXPECT_TRUE(Holds("TX:ws_format \"@streq " + format + "\"", Binary(payload))) << format;
  }
}

TEST(Message, RequestsHaveNoneOfTheVariables) {
  const auto rules = Rules("SecRule TX:/^ws_/ \"@rx .*\" \"id:1,phase:1,deny\"\n");
  Transaction transaction(TestEngine(), rules, "id", nullptr);
  EXPECT_FALSE(transaction.ProcessRequestHead(Get("/?ws_direction=client").view()).interrupts());
  EXPECT_EQ(Inspect(rules, Text("x")).decision.rule_id, 1);
}

TEST(Message, PhasesRunInTheirOrder) {
  const auto rules = Rules(
      "SecResponseBodyAccess On\n"
      "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.limit=5\"\n"
      "SecRule ARGS:message \"@rx ^bad\" \"id:2,phase:2,pass,nolog,setvar:tx.score=+5\"\n"
      "SecRule TX:score \"@ge %{tx.limit}\" \"id:3,phase:2,deny,status:418\"\n"
      "SecRule RESPONSE_BODY \"@rx leak\" \"id:4,phase:4,pass,nolog,setvar:tx.score=+5\"\n"
      "SecRule TX:score \"@ge %{tx.limit}\" \"id:5,phase:4,deny\"\n"
      "SecAction \"id:6,phase:5,pass,log,msg:'five'\"\n");
  const Outcome bad = Inspect(rules, Text("bad"));
  EXPECT_EQ(bad.decision.rule_id, 3);
  EXPECT_EQ(bad.decision.action, Action::kDeny);
  EXPECT_EQ(bad.decision.status, 418);
  EXPECT_NE(bad.decision.log_line.find("[client 192.0.2.7] ModSecurity: Access denied"),
            std::string::npos)
      << bad.decision.log_line;
  EXPECT_NE(bad.decision.log_line.find("[uri \"/ws\"]"), std::string::npos);
  EXPECT_TRUE(bad.Heard(6));
  const Outcome leak = Inspect(rules, Upstream("a leak"));
  EXPECT_EQ(leak.decision.rule_id, 5);
  EXPECT_EQ(leak.decision.phase, 4);
  const Outcome good = Inspect(rules, Text("good"));
  EXPECT_FALSE(good.decision.interrupts());
  EXPECT_EQ(good.ids, Ids{6});  // once, though Log was called twice
  EXPECT_FALSE(Inspect(rules, Upstream("bad")).decision.interrupts());
  EXPECT_FALSE(Inspect(rules, Text("a leak")).decision.interrupts());
}

TEST(Message, RulesForMessagesAloneAsRulesReadmeHasThem) {
  const auto rules = Rules(R"(
SecResponseBodyAccess On
SecRule REQUEST_FILENAME "@streq /feed" "id:200,phase:1,deny,log,msg:'Binary on /feed',chain"
    SecRule TX:ws_direction "@streq client" "chain"
        SecRule TX:ws_opcode "@streq binary" "t:none"
SecRule TX:ws_number "@eq 1" "id:201,phase:2,deny,log,msg:'Not logged in',chain"
    SecRule TX:ws_direction "@streq client" "chain"
        SecRule ARGS:json.type "!@streq login" "t:none"
SecRule RESPONSE_BODY "@rx \bfw_live_[0-9a-f]{32}\b" "id:202,phase:4,deny,log,msg:'Token leaves'"
)");
  Socket feed;
  feed.target = "/feed?from=1";
  MessageView second = Binary("{}");
  second.number = 2;
  EXPECT_EQ(Inspect(rules, second, feed).decision.rule_id, 200);
  EXPECT_EQ(Inspect(rules, second).decision.rule_id, 0);
  EXPECT_EQ(Inspect(rules, Upstream("x"), feed).decision.rule_id, 0);
  EXPECT_EQ(Inspect(rules, Text(R"({"type":"chat"})")).decision.rule_id, 201);
  EXPECT_EQ(Inspect(rules, Text(R"({"type":"login"})")).decision.rule_id, 0);
  EXPECT_EQ(Inspect(rules, Upstream("fw_live_" + std::string(32, 'a'))).decision.rule_id, 202);
}

TEST(Message, RulesChooseTheVerdict) {
  const auto decide = [](const std::string& actions) {
    return Inspect(Rules("SecRule ARGS:message \"@streq x\" \"id:1,phase:2," + actions + "\"\n"),
                   Text("x"))
        .decision;
  };
  EXPECT_EQ(decide("deny").action, Action::kDeny);
  EXPECT_EQ(decide("drop").action, Action::kDrop);
  EXPECT_FALSE(decide("pass,log").interrupts());
  EXPECT_EQ(decide("allow").action, Action::kAllow);
}

TEST(Message, DetectionOnlyHearsAndDoesNotInterrupt) {
  const auto rules = Rules(
      "SecRuleEngine DetectionOnly\n"
      "SecRule ARGS \"@rx bad\" \"id:1,phase:2,deny,log\"\n");
  MessageLimits limits;
  limits.arguments = 1;
  const Outcome outcome = Inspect(rules, Text(R"({"a":"x","b":"bad"})"), {}, limits);
  EXPECT_FALSE(outcome.decision.interrupts());
  EXPECT_TRUE(outcome.cut);
  EXPECT_EQ(outcome.ids, Ids{1});
}

TEST(Message, SettingsForRequestBodiesLetNothingPass) {
  const MessageView bad = Text(R"({"a":"1","b":"2","c":"bad"})");
  for (const char* settings :
       {"SecRequestBodyAccess Off\n", "SecRequestBodyLimit 3\nSecRequestBodyLimitAction Reject\n",
        "SecRequestBodyLimit 3\nSecRequestBodyLimitAction ProcessPartial\n",
        "SecRequestBodyNoFilesLimit 3\n", "SecArgumentsLimit 1\n",
        "SecRequestBodyJsonDepthLimit 0\n"}) {
    const auto rules = Rules(settings + "SecRule ARGS \"@streq bad\" \"id:1,phase:2,deny\"\n"s +
                             "SecRule REQBODY_ERROR \"!@eq 0\" \"id:2,phase:2,deny\"\n"
                             "SecRule ARGS \"@streq 42\" \"id:3,phase:2,deny\"\n");
    EXPECT_EQ(Inspect(rules, bad).decision.rule_id, 1) << settings;
    EXPECT_EQ(Inspect(rules, Text("bad")).decision.rule_id, 1) << settings;
    EXPECT_EQ(Inspect(rules, Text("a=1&b=2&c=bad")).decision.rule_id, 1) << settings;
    EXPECT_EQ(Inspect(rules, Text("fine")).decision.rule_id, 0) << settings;
  }
}

TEST(Message, ExclusionsByPathHold) {
  const auto rules = Rules(
      "SecRule REQUEST_URI \"@beginsWith /ws/raw\" \"id:1,phase:1,pass,nolog,"
      "ctl:requestBodyAccess=Off\"\n"
      "SecRule REQUEST_URI \"@beginsWith /ws/off\" \"id:2,phase:1,pass,nolog,ctl:ruleEngine=Off\"\n"
      "SecRule REQUEST_URI \"@beginsWith /ws/code\" \"id:3,phase:1,pass,nolog,"
      "ctl:ruleRemoveTargetById=9;ARGS:json.code\"\n"
      "SecRule REQUEST_URI \"@beginsWith /ws/xml\" \"id:4,phase:1,pass,nolog,"
      "ctl:ruleRemoveById=9\"\n"
      "SecRule ARGS \"@rx bad\" \"id:9,phase:2,deny\"\n");
  const auto refused = [&](std::string target, std::string_view payload) {
    Socket socket;
    socket.target = std::move(target);
    return Inspect(rules, Text(payload), socket).decision.rule_id == 9;
  };
  EXPECT_TRUE(refused("/ws", "bad"));
  EXPECT_FALSE(refused("/ws/raw", "bad"));
  EXPECT_FALSE(refused("/ws/off", "bad"));
  EXPECT_FALSE(refused("/ws/code", R"({"code":"bad"})"));
  EXPECT_TRUE(refused("/ws/code", R"({"text":"bad"})"));
  EXPECT_FALSE(refused("/ws/xml", "bad"));
}

TEST(Message, XmlWhereItIsSaidSo) {
  Socket socket;
  socket.format = MessageFormat::kXml;
  const std::string settings = "SecRequestBodyNoFilesLimit 3\n";
  const MessageView good = Text("<a><b>bad &amp; worse</b></a>");
  EXPECT_TRUE(Holds("XML:/* \"@streq bad & worse\"", good, socket, settings));
  EXPECT_TRUE(Holds("REQBODY_PROCESSOR \"@streq XML\"", good, socket));
  EXPECT_TRUE(Holds("&ARGS \"@eq 1\"", good, socket));  // room alone
  // Elsewhere it is text.
  EXPECT_TRUE(Holds("ARGS:message \"@beginsWith <a>\"", good));
  // A site may say so by its own rule.
  EXPECT_TRUE(Holds("XML:/* \"@streq bad & worse\"", good, {},
                    "SecAction \"id:7,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n"));
}

TEST(Message, XmlThatIsNoneIsWhateverElseItIs) {
  Socket socket;
  socket.format = MessageFormat::kXml;
  for (const char* payload : {"<a><b>bad", "bad"}) {
    EXPECT_TRUE(Holds("ARGS:message \"@contains bad\"", Text(payload), socket)) << payload;
    EXPECT_TRUE(Holds("REQBODY_ERROR \"@eq 0\"", Text(payload), socket)) << payload;
    EXPECT_TRUE(Holds("TX:ws_format \"@streq text\"", Text(payload), socket)) << payload;
  }
  EXPECT_TRUE(Holds("ARGS:json.a \"@streq bad\"", Text(R"({"a":"bad"})"), socket));
  EXPECT_TRUE(Holds("REQBODY_PROCESSOR \"@streq JSON\"", Text(R"({"a":"bad"})"), socket));
  const std::string by_rule =
      "SecAction \"id:7,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n";
  EXPECT_TRUE(Holds("ARGS:json.a \"@streq bad\"", Text(R"({"a":"bad"})"), {}, by_rule));
  EXPECT_TRUE(Holds("ARGS:message \"@streq bad\"", Text("bad"), {}, by_rule));
}

TEST(Message, OfTheUpstreamIsTheBodyOfAResponse) {
  EXPECT_TRUE(Holds("RESPONSE_BODY \"@streq hello\"", Upstream("hello")));
  EXPECT_TRUE(Holds("RESPONSE_STATUS \"@eq 200\"", Upstream("hello")));
  EXPECT_TRUE(Holds("RESPONSE_CONTENT_TYPE \"@streq text/plain\"", Upstream("hello")));
  EXPECT_TRUE(Holds("RESPONSE_CONTENT_TYPE \"@streq application/json\"", Upstream("[1]")));
  EXPECT_TRUE(Holds("RESPONSE_CONTENT_LENGTH \"@eq 5\"", Upstream("hello")));
  EXPECT_TRUE(Holds("REQUEST_METHOD \"@streq GET\"", Upstream("hello")));
  EXPECT_TRUE(Holds("REQUEST_URI \"@streq /ws?room=7\"", Upstream("hello")));
  Socket http2;
  http2.method = "CONNECT";
  EXPECT_TRUE(Holds("REQUEST_METHOD \"@streq GET\"", Upstream("hello"), http2));
  // Types and limits of SecLang do not let it pass; no access does.
  EXPECT_TRUE(Holds("RESPONSE_BODY \"@streq hello\"", Upstream("hello"), {},
                    "SecResponseBodyMimeType text/html\nSecResponseBodyLimit 2\n"
                    "SecResponseBodyLimitAction Reject\n"));
  EXPECT_FALSE(Holds("RESPONSE_BODY \"@streq hello\"", Upstream("hello"), {},
                     "SecResponseBodyAccess Off\n"));
}

TEST(Message, OfTheUpstreamInBinaryShowsItsTexts) {
  MessageView packed = Upstream("\x92\xa9password!\xaa<?<?<?<?<?");
  packed.kind = MessageKind::kBinary;
  EXPECT_TRUE(Holds("RESPONSE_BODY \"@contains password!\"", packed));
  MessageView noise = Upstream("\xff\xfe<?\x80\x81\xff");
  noise.kind = MessageKind::kBinary;
  EXPECT_FALSE(Holds("RESPONSE_BODY \"@contains <?\"", noise));
  EXPECT_TRUE(Holds("TX:ws_binary \"@contains <?\"", noise));
}

TEST(Message, WhichDirectionsAreInspected) {
  const auto inspects = [](const std::string& text, MessageDirection direction) {
    return InspectsMessages(*Rules(text), direction);
  };
  constexpr auto kClient = MessageDirection::kClientToUpstream;
  constexpr auto kUpstream = MessageDirection::kUpstreamToClient;
  EXPECT_TRUE(inspects("", kClient));
  EXPECT_FALSE(inspects("", kUpstream));
  EXPECT_TRUE(inspects("SecResponseBodyAccess On\n", kUpstream));
  EXPECT_TRUE(inspects("SecRequestBodyAccess Off\n", kClient));
  EXPECT_FALSE(inspects("SecRuleEngine Off\n", kClient));
  EXPECT_FALSE(inspects("SecRuleEngine Off\nSecResponseBodyAccess On\n", kUpstream));
  EXPECT_TRUE(inspects("SecRuleEngine DetectionOnly\n", kClient));
}

// --- limits

const char* const kBad = "SecRule ARGS|REQUEST_BODY \"@rx bad\" \"id:1,phase:2,deny\"\n";

TEST(MessageLimits, TooManyValuesAreRefusedBeforeAnyRule) {
  const auto rules = Rules("SecAction \"id:2,phase:1,pass,log,msg:'one'\"\n"s + kBad);
  MessageLimits limits;
  limits.arguments = 2;
  EXPECT_EQ(Inspect(rules, Text("[1,2]"), {}, limits).ids, Ids{2});
  const Outcome outcome = Inspect(rules, Text("[1,2,3]"), {}, limits);
  EXPECT_TRUE(outcome.decision.interrupts());
  EXPECT_EQ(outcome.decision.rule_id, 0);
  EXPECT_EQ(outcome.decision.status, 413);
  EXPECT_EQ(outcome.ids, Ids{0});
  EXPECT_EQ(outcome.decision.log_line,
            "[client 192.0.2.7] ModSecurity: Access denied with code 413 (phase 2). WebSocket "
            "message of 7 octets takes too long to inspect, or has too many values [hostname "
            "\"192.0.2.1\"] [uri \"/ws\"] [unique_id \"message-1\"]");
}

TEST(MessageLimits, TheBudgetHoldsForBytesNamesAndValues) {
  const auto rules = Rules("SecResponseBodyAccess On\n"s + kBad);
  MessageLimits limits;
  limits.budget = std::chrono::milliseconds(20);
  const std::string text(100000, 'x');
  const std::string names =
      "{\"" + std::string(3000, 'k') + "\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}";
  std::string values = "[1";
  for (int i = 0; i < 300; ++i) values += ",1";
  values += "]";
  for (const std::string& payload : {text, names, values}) {
    EXPECT_EQ(Inspect(rules, Text(payload), {}, limits).decision.status, 413) << payload.size();
    limits.over = MessageLimits::Over::kInspectBeginning;
    const Outcome outcome = Inspect(rules, Text(payload), {}, limits);
    EXPECT_FALSE(outcome.decision.interrupts());
    EXPECT_TRUE(outcome.cut);
    limits.over = MessageLimits::Over::kRefuse;
  }
  EXPECT_FALSE(Inspect(rules, Text(text.substr(0, 5000)), {}, limits).decision.interrupts());
  EXPECT_EQ(Inspect(rules, Upstream(text + text + text + text), {}, limits).decision.status, 413);
  EXPECT_FALSE(Inspect(rules, Upstream(text.substr(0, 5000)), {}, limits).decision.interrupts());
}

TEST(MessageLimits, TheEstimateCoversWhatIsLetThrough) {
  constexpr auto kClient = MessageDirection::kClientToUpstream;
  EXPECT_GT(EstimateCost(kClient, 0), microseconds(500));
  EXPECT_GT(EstimateCost(kClient, 1000, 10, 1000), EstimateCost(kClient, 1000, 10, 500));
  EXPECT_GT(EstimateCost(kClient, 1000, 11, 1000), EstimateCost(kClient, 1000, 10, 1000));
  EXPECT_LT(EstimateCost(MessageDirection::kUpstreamToClient, 0), EstimateCost(kClient, 0));
}

// 1000 rules, each of which takes its time over a long value.
std::shared_ptr<const RuleSet> SlowRules(const std::string& text) {
  std::string rules = text;
  for (int id = 1000; id < 2000; ++id) {
    rules += "SecRule ARGS \"@rx c" + std::to_string(id) + "\" \"id:" + std::to_string(id) +
             ",phase:2,pass,nolog,t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:cssDecode\"\n";
  }
  return Rules(rules + "SecAction \"id:5,phase:5,pass,log,msg:'five'\"\n");
}

TEST(MessageLimits, TheClockStopsWhatTakesLongerThanEstimated) {
  const auto rules = SlowRules("");
  std::string payload;
  while (payload.size() < 20000) payload += "ab";
  MessageLimits limits;
  limits.budget = std::chrono::milliseconds(25);
  for (const auto over : {MessageLimits::Over::kRefuse, MessageLimits::Over::kInspectBeginning}) {
    limits.over = over;
    const std::clock_t begin = std::clock();
    const Outcome outcome = Inspect(rules, Text(payload), {}, limits);
    EXPECT_LT(std::clock() - begin, CLOCKS_PER_SEC);
    EXPECT_EQ(outcome.decision.status, 413);
    EXPECT_EQ(outcome.decision.rule_id, 0);
    EXPECT_EQ(outcome.decision.message, "inspection takes too long");
    EXPECT_NE(outcome.decision.log_line.find("[client 192.0.2.7] ModSecurity: Access denied with "
                                             "code 413 (phase 2). inspection takes too long"),
              std::string::npos);
    EXPECT_TRUE(outcome.cut);
    EXPECT_TRUE(outcome.Heard(5));
  }
  limits.budget = std::chrono::seconds(100);
  EXPECT_FALSE(Inspect(rules, Text("abab"), {}, limits).decision.interrupts());
}

TEST(MessageLimits, TheClockOnlyDetectsWhereRulesDo) {
  const auto rules = SlowRules("SecRuleEngine DetectionOnly\n");
  std::string payload;
  while (payload.size() < 20000) payload += "ab";
  MessageLimits limits;
  limits.budget = std::chrono::milliseconds(25);
  const Outcome outcome = Inspect(rules, Text(payload), {}, limits);
  EXPECT_FALSE(outcome.decision.interrupts());
  EXPECT_TRUE(outcome.cut);
  EXPECT_TRUE(outcome.Heard(5));
}

TEST(MessageLimits, TheClockIsNotLookedAtBetweenASkipAndItsRules) {
  std::string text = "SecAction \"id:1,phase:2,pass,nolog,skip:40\"\n";
  for (int id = 100; id < 140; ++id) {
    text += "SecAction \"id:" + std::to_string(id) + ",phase:2,deny\"\n";
  }
  text += "SecAction \"id:2,phase:2,pass,log,msg:'two'\"\n";
  EXPECT_EQ(Inspect(Rules(text), Text("x")).ids, Ids{2});
}

TEST(MessageLimits, TheBeginningIsValuesAndThenText) {
  MessageLimits limits;
  limits.arguments = 2;
  limits.over = MessageLimits::Over::kInspectBeginning;
  const auto rules = Rules(
      "SecRule ARGS:json.a \"@streq 1\" \"id:1,phase:2,pass,log\"\n"
      "SecRule ARGS:message \"@rx ^,\\\"c\\\":\\\"bad\" \"id:2,phase:2,deny,t:none\"\n"
      "SecRule TX:ws_cut|INBOUND_DATA_ERROR \"@eq 1\" \"id:3,phase:5,pass,log\"\n");
  const Outcome outcome = Inspect(rules, Text(R"({"a":1,"b":2,"c":"bad"})"), {}, limits);
  EXPECT_EQ(outcome.ids, (Ids{1, 3, 2}));
  EXPECT_TRUE(outcome.cut);
}

TEST(MessageLimits, AMessageCutByTheCallerIsJudgedAsFarAsItGoes) {
  const auto rules = Rules(
      "SecRule ARGS:json.b \"@streq ba\" \"id:1,phase:2,deny\"\n"
      "SecRule TX:ws_cut \"@eq 1\" \"id:2,phase:2,pass,log\"\n");
  MessageView message = Text(R"({"a":1,"b":"ba)");
  EXPECT_EQ(Inspect(rules, message).ids, Ids{});
  message.size = 1000;
  const Outcome outcome = Inspect(rules, message);
  EXPECT_EQ(outcome.decision.rule_id, 1);
  EXPECT_TRUE(outcome.cut);
  EXPECT_TRUE(Holds("TX:ws_size \"@eq 1000\"", message));
  EXPECT_TRUE(Holds("REQUEST_HEADERS:Content-Length \"@eq 1000\"", message));
}

TEST(MessageLimits, NoMessageIsQuadraticInItsValues) {
  // Every value is excused from rule 2; 50 more rules look at each.
  std::string text =
      "SecRule ARGS:/^json/ \"@rx .\" \"id:1,phase:2,pass,nolog,ver:'framewall/excuses=2'\"\n"
      "SecRule ARGS \"@rx bad\" \"id:2,phase:2,deny\"\n";
  for (int id = 10; id < 60; ++id) {
    text += "SecRule ARGS \"@rx bad" + std::to_string(id) + "\" \"id:" + std::to_string(id) +
            ",phase:2,deny\"\n";
  }
  const auto rules = Rules(text);
  MessageLimits limits;
  limits.arguments = 2000;
  limits.budget = std::chrono::seconds(100);
  const auto time_of = [&](int count) {
    std::string payload = "[1";
    for (int i = 1; i < count; ++i) payload += ",1";
    payload += "]";
    std::clock_t best = std::numeric_limits<std::clock_t>::max();
    for (int i = 0; i < 3; ++i) {
      const std::clock_t begin = std::clock();
      EXPECT_FALSE(Inspect(rules, Text(payload), {}, limits).decision.interrupts());
      best = std::min(best, std::clock() - begin);
    }
    return static_cast<double>(best);
  };
  // Eight times as many: 8 where it is linear, 64 where it is not.
  EXPECT_LT(time_of(1600), 25 * time_of(200));
}

// --- audit records

class MessageAudit : public ::testing::Test {
 protected:
  std::shared_ptr<const RuleSet> Load(const std::string& text) {
    return Rules(
        "SecAuditEngine RelevantOnly\nSecAuditLogRelevantStatus \"^(?:5|4)\"\n"
        "SecAuditLogFormat JSON\nSecAuditLogParts ABHZ\nSecResponseBodyAccess On\n"
        "SecAuditLog " +
        directory_.path("audit.log") + "\n" + text);
  }
  // Counts the records and returns all of them.
  std::string Records(std::size_t count) {
    const std::string records = directory_.Read("audit.log");
    EXPECT_EQ(static_cast<std::size_t>(std::count(records.begin(), records.end(), '\n')), count)
        << records;
    return records;
  }

  TemporaryDirectory directory_;
};

TEST_F(MessageAudit, ARefusedMessageLeavesOneRecordWithTheMessage) {
  const auto rules = Load("SecRule ARGS \"@rx bad\" \"id:1,phase:2,deny,log,msg:'found'\"\n");
  Inspect(rules, Text("good"));
  Records(0);
  Inspect(rules, Text(R"({"text":"bad привет"})"));
  const std::string record = Records(1);
  EXPECT_NE(record.find(R"("body":"{\"text\":\"bad привет\"}")"), std::string::npos) << record;
  EXPECT_NE(record.find(R"("ruleId":"1")"), std::string::npos) << record;
  EXPECT_NE(record.find(R"("uri":"/ws?room=7")"), std::string::npos) << record;
  EXPECT_NE(record.find(R"("http_code":403)"), std::string::npos) << record;
}

TEST_F(MessageAudit, InPhaseOneToo) {
  Inspect(Load("SecAction \"id:1,phase:1,deny,log\"\n"), Text("bad"));
  EXPECT_NE(Records(1).find(R"("body":"bad")"), std::string::npos);
}

TEST_F(MessageAudit, OfTheUpstreamIsInTheResponse) {
  Inspect(Load("SecRule RESPONSE_BODY \"@rx bad\" \"id:1,phase:4,deny,log\"\n"),
          Upstream("bad news"));
  EXPECT_NE(Records(1).find(R"("response":{"body":"bad news")"), std::string::npos);
}

TEST_F(MessageAudit, OctetsThatAreNoTextAreWrittenAsText) {
  Inspect(Load("SecRule REQUEST_BODY \"@rx bad\" \"id:1,phase:2,deny,log\"\n"),
          Binary("\xff\0bad\\\x01"s));
  EXPECT_NE(Records(1).find(R"("body":"\\xff\\x00bad\\x5c\\x01")"), std::string::npos);
}

TEST_F(MessageAudit, ARuleMayKeepTheMessageOut) {
  Inspect(Load("SecAction \"id:2,phase:1,pass,nolog,ctl:auditLogParts=-C\"\n"
               "SecRule ARGS \"@rx bad\" \"id:1,phase:2,deny,log\"\n"),
          Text("bad"));
  EXPECT_EQ(Records(1).find("\"request\":{\"method\":\"POST\",\"http_version\":1.1,\"uri\":"
                            "\"/ws?room=7\",\"body\""),
            std::string::npos);
}

TEST_F(MessageAudit, ARefusalOfOursLeavesARecordToo) {
  MessageLimits limits;
  limits.arguments = 1;
  Inspect(Load(""), Text("[1,2]"), {}, limits);
  const std::string record = Records(1);
  EXPECT_NE(record.find(R"("body":"[1,2]")"), std::string::npos) << record;
  EXPECT_NE(record.find(R"("http_code":413)"), std::string::npos) << record;
}

}  // namespace
}  // namespace framewall::waf
