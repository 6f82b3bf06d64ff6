#include "backend/llm/answer_cache.h"

#include <gtest/gtest.h>

namespace framewall::backend::llm {
namespace {

CompletionRequest Request(const std::string& body) {
  CompletionRequest request{.model = "m", .turns = {{.role = "user", .text = "Hi"}}};
  request.temperature = 0;
  request.payer.user = "anna";
  request.dialect = Dialect::kOpenAi;
  request.body = body;
  return request;
}

TEST(AnswerCache, KeysFollowWhatIsAsked) {
  const std::string key = AnswerCache::KeyOf(Request(R"({"a":1,"b":{"c":2,"d":3}})"));
  EXPECT_FALSE(key.empty());
  EXPECT_EQ(key, AnswerCache::KeyOf(Request(R"({"b": {"d":3,"c":2},"a":1})")));
  EXPECT_EQ(key, AnswerCache::KeyOf(
                     Request(R"({"a":1,"b":{"c":2,"d":3},"stream":true,"stream_options":{}})")));
  EXPECT_NE(key, AnswerCache::KeyOf(Request(R"({"a":1,"b":{"c":2,"d":4}})")));
  EXPECT_NE(key, AnswerCache::KeyOf(Request(R"({"a":1,"b":{"c":2,"d":"3"}})")));
  CompletionRequest other = Request(R"({"a":1,"b":{"c":2,"d":3}})");
  other.payer.user = "ben";
  EXPECT_NE(key, AnswerCache::KeyOf(other));
  other = Request(R"({"a":1,"b":{"c":2,"d":3}})");
  other.model = "n";
  EXPECT_NE(key, AnswerCache::KeyOf(other));
}

TEST(AnswerCache, LeavesOutWhatMayDiffer) {
  CompletionRequest request = Request("{}");
  request.temperature = 0.1;
  EXPECT_EQ(AnswerCache::KeyOf(request), "");
  request.seed = 5;
  EXPECT_NE(AnswerCache::KeyOf(request), "");
  request.tools.push_back({.name = "f", .description = "", .parameters = ""});
  EXPECT_EQ(AnswerCache::KeyOf(request), "");
  request = Request("{}");
  request.turns.push_back({.role = "tool", .text = "3"});
  EXPECT_EQ(AnswerCache::KeyOf(request), "");
}

TEST(AnswerCache, ForgetsTheLongestUnused) {
  AnswerCache cache(2000);
  const std::string text(500, 'x');
  cache.Keep("a", {{text}, {}});
  cache.Keep("b", {{text}, {}});
  EXPECT_NE(cache.Find("a"), nullptr);
  cache.Keep("c", {{text}, {}});
  EXPECT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_NE(cache.Find("c"), nullptr);
  EXPECT_LE(cache.octets(), 2000u);
  cache.Keep("d", {{std::string(2000, 'x')}, {}});  // alone too much
  EXPECT_EQ(cache.Find("d"), nullptr);
  EXPECT_NE(cache.Find("c"), nullptr);
  cache.Keep("c", {{"short"}, {}});
  EXPECT_EQ(cache.Find("c")->pieces[0], "short");
}

}  // namespace
}  // namespace framewall::backend::llm
