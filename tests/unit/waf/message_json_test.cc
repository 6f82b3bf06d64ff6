#include "waf/message_json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "waf/library.h"

namespace framewall::waf {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class Collector : public JsonLeaves {
 public:
  explicit Collector(std::size_t limit = 100000) : limit_(limit) {}
  bool OnLeaf(std::string_view name, std::string_view value, LeafKind kind) override {
    if (pairs.size() == limit_) return false;
    pairs.emplace_back(name, value);
    kinds.push_back(kind);
    return true;
  }
  Pairs pairs;
  std::vector<LeafKind> kinds;

 private:
  std::size_t limit_;
};

// The leaves of a text that is JSON.
Pairs Leaves(std::string_view text) {
  Collector collector;
  const JsonResult result = ReadJson(text, "json", false, collector);
  EXPECT_EQ(result.outcome, JsonOutcome::kRead) << text;
  return collector.pairs;
}

Pairs CutLeaves(std::string_view text) {
  Collector collector;
  const JsonResult result = ReadJson(text, "json", true, collector);
  EXPECT_EQ(result.outcome, JsonOutcome::kRead) << text;
  return collector.pairs;
}

JsonOutcome OutcomeOf(std::string_view text) {
  Collector collector;
  return ReadJson(text, "json", false, collector).outcome;
}

// What libmodsecurity makes of the same text as a request body.
Pairs ArgumentsOfLibrary(const std::string& body) {
  static auto* const library = new lib::ModSecurity();
  static auto* const rules = [] {
    auto* made = new lib::RulesSet();
    EXPECT_GE(made->load("SecRequestBodyAccess On\n"
                         "SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"),
              0);
    return made;
  }();
  lib::Transaction transaction(library, rules, nullptr);
  transaction.processConnection("192.0.2.7", 1, "192.0.2.1", 80);
  transaction.processURI("/", "POST", "1.1");
  transaction.processRequestHeaders();
  transaction.appendRequestBody(reinterpret_cast<const unsigned char*>(body.data()), body.size());
  transaction.processRequestBody();
  EXPECT_NE(transaction.m_variableReqbodyError.m_value, "1") << body;
  std::vector<const modsecurity::VariableValue*> values;
  transaction.m_variableArgs.resolve(&values);
  Pairs pairs;
  for (const auto* value : values) {
    pairs.emplace_back(value->getKey(), value->getValue());
    delete value;
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

TEST(MessageJson, NamesAndValuesAreThoseOfTheLibrary) {
  for (
      const std::string text : {
          R"({"a":{"b":"c"}})",
          R"({"a":1,"b":-2.5e3,"c":true,"d":false,"e":null,"f":"x"})",
          R"(["event",{"a":1,"b":[2,3]},"last"])",
          R"([[1,2],[3,[4,5]],6])",
          R"([{"a":1},{"a":2},[],{"b":[{"c":3}]}])",
          R"({"":1,"a":{"":2},"b":[{"":3}]})",
          R"({"a":[1,{"b":2},3],"c":4})",
          R"({"a":{"b":{"c":[[["x"]]]}},"d":[[],[1]]})",
          R"({"text":"\u043f\u0440\u0438\u0432\u0435\u0442 \"\\\/\b\f\n\r\t","k\u0065y":"\ud83d\ude00"})",
          R"({"dup":1,"dup":2})",
          R"("alone")",
          R"(12)",
          R"(  { "a" : [ 1 , 2 ] }  )",
      }) {
    Pairs ours = Leaves(text);
    std::sort(ours.begin(), ours.end());
    EXPECT_EQ(ours, ArgumentsOfLibrary(text)) << text;
  }
}

TEST(MessageJson, NamesInFull) {
  EXPECT_EQ(Leaves(R"({"a":{"b":1},"c":["x",{"d":2},[3]]})"),
            (Pairs{{"json.a.b", "1"},
                   {"json.c.array_0", "x"},
                   {"json.c.array_1.d", "2"},
                   {"json.c.array_2.array_0", "3"}}));
}

TEST(MessageJson, EscapesAreDecodedInKeysToo) {
  EXPECT_EQ(Leaves(R"({"\u003cscript\u003e":"\u0027 or 1"})"),
            (Pairs{{"json.<script>", "' or 1"}}));
}

TEST(MessageJson, KeyOfAnEmptyContainerIsSeen) {
  EXPECT_EQ(Leaves(R"({"a":{},"b":[],"c":[[]],"d":{"e":{}}})"),
            (Pairs{{"json.a", ""}, {"json.b", ""}, {"json.c", ""}, {"json.d.e", ""}}));
  EXPECT_EQ(Leaves("[[],{}]"), Pairs{});
  EXPECT_EQ(Leaves("{}"), Pairs{});
}

TEST(MessageJson, SeveralValuesOneAfterAnother) {
  EXPECT_EQ(Leaves("{\"a\":1}\n{\"a\":2}"), (Pairs{{"json.a", "1"}, {"json.a", "2"}}));
  EXPECT_EQ(Leaves("{\"a\":1}\x1e{\"b\":2}\x1e"), (Pairs{{"json.a", "1"}, {"json.b", "2"}}));
  EXPECT_EQ(Leaves("\x1e{\"a\":1}\n\x1e{\"b\":2}\n"), (Pairs{{"json.a", "1"}, {"json.b", "2"}}));
  EXPECT_EQ(Leaves("1\x1e"
                   "2"),
            (Pairs{{"json", "1"}, {"json", "2"}}));
}

TEST(MessageJson, WhatIsNoJsonIsSaidSo) {
  for (const char* text :
       {"", " ", "{", "[1,", "{\"a\"}", "{a:1}", "[1] x", "{\"a\":1}}", "\"x", "hello", "['a']",
        "{\"a\":\"\\x\"}", "[1,]", "{\"a\":\"b\x1e c\"}", "[\"\xff\"]", "// a\n1"}) {
    EXPECT_EQ(OutcomeOf(text), JsonOutcome::kBroken) << text;
  }
}

TEST(MessageJson, AnyDepthIsReadAndNamesStopGrowing) {
  const auto nested = [](std::size_t depth, std::string_view leaf) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
    text += leaf;
    return text + std::string(depth, '}');
  };
  EXPECT_EQ(Leaves(nested(3, "1")), (Pairs{{"json.a.a.a", "1"}}));
  for (const std::size_t depth : {kNamedDepth, kNamedDepth + 1, std::size_t{20000}}) {
    std::string name = "json";
    for (std::size_t i = 0; i < std::min(depth, kNamedDepth); ++i) name += ".a";
    const Pairs leaves = Leaves(nested(depth, "\"deep\""));
    ASSERT_EQ(leaves.size(), 1U);
    EXPECT_EQ(leaves[0].first, name) << depth;
    EXPECT_EQ(leaves[0].second, "deep");
  }
}

TEST(MessageJson, StopsWhereTheListenerSays) {
  const std::string text = R"({"a":1,"b":["x","y"],"c":2})";
  for (std::size_t limit = 0; limit < 4; ++limit) {
    Collector collector(limit);
    const JsonResult result = ReadJson(text, "json", false, collector);
    EXPECT_EQ(result.outcome, JsonOutcome::kStopped);
    EXPECT_EQ(collector.pairs.size(), limit);
    // What was not taken is all behind what was, the key with it.
    const std::string rests[] = {text, R"(,"b":["x","y"],"c":2})", R"(,"y"],"c":2})", R"(,"c":2})"};
    EXPECT_EQ(text.substr(result.taken), rests[limit]);
  }
}

TEST(MessageJson, CutTextIsReadAsFarAsItGoes) {
  EXPECT_EQ(CutLeaves(R"({"a":1,"b":"hel)"), (Pairs{{"json.a", "1"}, {"json.b", "hel"}}));
  EXPECT_EQ(CutLeaves(R"({"a":1,"b":)"), (Pairs{{"json.a", "1"}, {"json.b", ""}}));
  EXPECT_EQ(CutLeaves(R"({"a":1,"b")"), (Pairs{{"json.a", "1"}, {"json.b", ""}}));
  EXPECT_EQ(CutLeaves(R"({"a":1,"<scr)"), (Pairs{{"json.a", "1"}, {"json.<scr", ""}}));
  EXPECT_EQ(CutLeaves(R"({"a":1,)"), (Pairs{{"json.a", "1"}}));
  EXPECT_EQ(CutLeaves(R"({"a":12)"), (Pairs{{"json.a", "12"}}));
  EXPECT_EQ(CutLeaves(R"([1,tru)"), (Pairs{{"json.array_0", "1"}, {"json.array_1", "tru"}}));
  EXPECT_EQ(CutLeaves(R"({"a":[{"b":"c"},"d)"),
            (Pairs{{"json.a.array_0.b", "c"}, {"json.a.array_1", "d"}}));
  EXPECT_EQ(CutLeaves(R"({"a":1})"), (Pairs{{"json.a", "1"}}));
}

TEST(MessageJson, CutEscapeAndCutSequenceAreLeftOut) {
  EXPECT_EQ(CutLeaves(R"(["\u0027 or \)"), (Pairs{{"json.array_0", "' or "}}));
  EXPECT_EQ(CutLeaves(R"(["\u0027 or \u00)"), (Pairs{{"json.array_0", "' or "}}));
  EXPECT_EQ(CutLeaves("[\"\xd0\xbf\xd0"), (Pairs{{"json.array_0", "\xd0\xbf"}}));
  EXPECT_EQ(CutLeaves(R"(["a\\)"), (Pairs{{"json.array_0", "a\\"}}));
}

// Whatever is cut off, the leaves of the beginning are there.
TEST(MessageJson, EveryCutOfATextKeepsWhatWasWhole) {
  const std::string text = R"({"a":"x\u0027","b":[1,true,{"c":"\u043f"}],"d":null})";
  const Pairs whole = Leaves(text);
  for (std::size_t size = 1; size < text.size(); ++size) {
    Collector collector;
    const auto result = ReadJson(std::string_view(text).substr(0, size), "json", true, collector);
    ASSERT_EQ(result.outcome, JsonOutcome::kRead) << size;
    ASSERT_LE(collector.pairs.size(), whole.size());
    for (std::size_t i = 0; i + 1 < collector.pairs.size(); ++i) {
      EXPECT_EQ(collector.pairs[i], whole[i]) << size;
    }
  }
}

}  // namespace
}  // namespace framewall::waf
