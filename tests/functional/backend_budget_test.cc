// What models cost through framewall-backend: usage is what was streamed, budgets end streams and
// outlive a restart, and whoever goes away stops the provider.
#include "tests/functional/budget_testing.h"

namespace framewall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string SettingsOf(const WordServer& server, const std::string& kind,
                       const std::string& limits = "") {
  return std::string(kOpenRegistration) + "llm:\n" + limits + "  providers:\n" + server.Settings() +
         "  models:\n" + WordServer::Models(kind);
}

// MODEL=requests,prompt,completion of the usage so far, by model.
std::string UsageText(const BackendProcess& backend, const Person& person) {
  const HttpMessage usage = backend.Get("/api/v1/usage", person.field());
  std::string text;
  for (int i = 0;; ++i) {
    const std::string item = "/items/" + std::to_string(i);
    const std::string model = JsonAt(usage, item + "/model");
    if (model.empty()) return text;
    text += model + "=" + JsonAt(usage, item + "/requests") + "," +
            JsonAt(usage, item + "/prompt_tokens") + "," +
            JsonAt(usage, item + "/completion_tokens") + " ";
  }
}

class BackendBudget : public testing::TestWithParam<const char*> {};

TEST_P(BackendBudget, UsageIsWhatWasStreamed) {
  const std::string kind = GetParam();
  WordServer server(kind);
  BackendProcess backend(SettingsOf(server, kind, "  user_limits: {tokens_per_day: 64}\n"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const Person anna = NewPerson(backend, "anna");
  // "Hi" is 5 tokens, 3 words are 3.
  const HttpMessage whole = Chat(backend, anna.field(), kind + "/short");
  EXPECT_EQ(whole.status(), 200) << whole.raw;
  EXPECT_EQ(JsonAt(whole, "/usage/prompt_tokens"), "5");
  EXPECT_EQ(JsonAt(whole, "/usage/completion_tokens"), "3");
  EXPECT_EQ(JsonAt(whole, "/usage/total_tokens"), "8");
  const HttpMessage streamed = Chat(backend, anna.field(), kind + "/short", true);
  EXPECT_EQ(WordsIn(streamed), 3) << streamed.raw;
  EXPECT_TRUE(streamed.body.ends_with("data: [DONE]\n\n")) << streamed.raw;
  const HttpMessage counted = Chat(backend, anna.field(), kind + "/counted");
  EXPECT_EQ(JsonAt(counted, "/usage/total_tokens"), "16") << counted.raw;
  // Left after three words.
  RawClient gone = BeginChat(backend, anna.field(), kind + "/stuck", true);
  std::string read;
  while (CountOf(read, R"("content":"word")") < 3) {
    const std::string more = gone.wire().ReadSome();
    ASSERT_FALSE(more.empty()) << read;
    read += more;
  }
  gone.Close();
  ASSERT_TRUE(Eventually([&] {
    return UsageText(backend, anna).find("/stuck=1,") != std::string::npos;
  })) << UsageText(backend, anna);
  // A budget of 64 less 8, 8, 16 and 8: 24, of which the prompt takes 5.
  const HttpMessage cut = Chat(backend, anna.field(), kind + "/long", true);
  EXPECT_EQ(cut.status(), 200) << cut.raw;
  EXPECT_EQ(WordsIn(cut), 20) << cut.raw;  // the last one goes over it
  EXPECT_EQ(CountOf(cut.body, R"("code":"token_budget_exceeded")"), 1) << cut.raw;
  EXPECT_EQ(CountOf(cut.body, "[DONE]"), 0) << cut.raw;
  const HttpMessage after = Chat(backend, anna.field(), kind + "/short");
  EXPECT_EQ(after.status(), 429) << after.raw;
  EXPECT_EQ(JsonAt(after, "/error/code"), "token_budget_exceeded");
  EXPECT_EQ(after.Header("x-should-retry"), "false");
  EXPECT_NE(after.Header("retry-after"), "");
  const std::string expected = kind + "/counted=1,7,9 " + kind + "/long=1,5,20 " + kind +
                               "/short=2,10,6 " + kind + "/stuck=1,5,3 ";
  EXPECT_TRUE(Eventually([&] { return UsageText(backend, anna) == expected; }))
      << UsageText(backend, anna);
  // Others have their own.
  EXPECT_EQ(Chat(backend, NewPerson(backend, "ben").field(), kind + "/short").status(), 200);
}

TEST_P(BackendBudget, WhoGoesAwayStopsTheProvider) {
  const std::string kind = GetParam();
  WordServer server(kind);
  BackendProcess backend(SettingsOf(server, kind));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const Person anna = NewPerson(backend, "anna");
  int asked = 0;
  for (const bool stream : {false, true}) {
    for (const char* model : {"silent", "stuck"}) {
      RawClient client = BeginChat(backend, anna.field(), kind + "/" + model, stream);
      ++asked;
      ASSERT_TRUE(Eventually([&] { return server.asked() == asked; })) << model;
      if (stream && std::string_view(model) == "stuck") client.ReadUntil("word");
      EXPECT_EQ(server.left(), asked - 1);
      const auto gone = steady_clock::now();
      client.Close();
      ASSERT_TRUE(Eventually([&] { return server.left() == asked; })) << model;
      EXPECT_LT(server.left_at() - gone, milliseconds(1000)) << model;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, BackendBudget, testing::ValuesIn(kProviderKinds),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(BackendBudgets, AMinuteEndsAStreamAndComesBack) {
  WordServer server("openai");
  BackendProcess backend(SettingsOf(server, "openai", "  user_limits: {tokens_per_minute: 60}\n"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const Person anna = NewPerson(backend, "anna");
  const HttpMessage cut = Chat(backend, anna.field(), "openai/long", true);
  // 55 and what came back while they came: one a second.
  EXPECT_GE(WordsIn(cut), 56) << cut.raw;
  EXPECT_LE(WordsIn(cut), 75) << cut.raw;
  EXPECT_EQ(CountOf(cut.body, "token_budget_exceeded"), 1) << cut.raw;
  const HttpMessage after = Chat(backend, anna.field(), "openai/short");
  ASSERT_EQ(after.status(), 429) << after.raw;
  EXPECT_EQ(JsonAt(after, "/error/code"), "tokens_per_minute");
  EXPECT_EQ(after.Header("x-should-retry"), "");
  const int wait = std::stoi(after.Header("retry-after"));
  EXPECT_GE(wait, 10);  // five and a tenth of it for the answer
  EXPECT_LE(wait, 13);
  std::this_thread::sleep_for(std::chrono::seconds(wait));
  EXPECT_EQ(Chat(backend, anna.field(), "openai/short").status(), 200);
}

TEST(BackendBudgets, ARestartGivesNobodyANewDay) {
  WordServer server("openai");
  BackendProcess backend(
      SettingsOf(server, "openai", "  user_limits: {tokens_per_day: 60, requests_per_day: 4}\n"));
  ASSERT_TRUE(backend.Start()) << backend.Output();
  const Person anna = NewPerson(backend, "anna");
  const Person ben = NewPerson(backend, "ben");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Chat(backend, anna.field(), "openai/counted").status(), 200);
  }
  EXPECT_EQ(Chat(backend, ben.field(), "openai/short").status(), 200);
  ASSERT_TRUE(Eventually([&] { return UsageText(backend, anna) == "openai/counted=3,21,27 "; }));
  ASSERT_TRUE(Eventually([&] { return UsageText(backend, ben) == "openai/short=1,5,3 "; }));
  backend.Kill();
  ASSERT_TRUE(backend.Start()) << backend.Output();
  // 60 − 48: a prompt of 13 does not fit, one of 5 does.
  const HttpMessage large =
      Chat(backend, anna.field(), "openai/short", false, std::string(36, 'x'));
  EXPECT_EQ(large.status(), 429) << large.raw;
  EXPECT_EQ(JsonAt(large, "/error/code"), "token_budget_exceeded");
  EXPECT_EQ(Chat(backend, anna.field(), "openai/short").status(), 200);
  const HttpMessage fifth = Chat(backend, anna.field(), "openai/short", false, "");
  EXPECT_EQ(JsonAt(fifth, "/error/code"), "requests_per_day") << fifth.raw;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Chat(backend, ben.field(), "openai/short").status(), 200) << i;
  }
  EXPECT_EQ(Chat(backend, ben.field(), "openai/short").status(), 429);
}

}  // namespace
}  // namespace framewall::test
