// Models through framewall-backend, as the vendors' own clients see them. The stand-ins behind it
// satisfy the vendors' clients first.
#include "tests/functional/llm_testing.h"
#include "tests/support/certificate.h"

namespace framewall::test {
namespace {

TEST(LlmStandIns, SatisfyTheVendorsClients) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  RunLlmClient("vendors.mjs", {stand_in.address()});
}

TEST_F(BackendLlm, SatisfiesTheOpenAiClient) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  RunLlmClient("openai_client.mjs", {address(), key_, stand_in.address()});
  EXPECT_EQ(backend_->Output().find("secret-key"), std::string::npos);
  EXPECT_EQ(backend_->Output().find(key_), std::string::npos);
  EXPECT_EQ(backend_->Output().find("Hello from"), std::string::npos);
}

TEST_F(BackendLlm, SatisfiesTheOllamaClient) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  RunLlmClient("ollama_client.mjs", {address(), key_, stand_in.address()});
}

TEST_F(BackendLlm, EchoNeedsNoServer) {
  backend_ = std::make_unique<BackendProcess>(
      "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\n");
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  token_ = MakeAccount(*backend_, "anna");
  const HttpMessage whole = Chat(token_, "echo");
  EXPECT_EQ(whole.status(), 200) << whole.raw;
  EXPECT_NE(whole.body.find("This is an echo, no model: Hi"), std::string::npos) << whole.body;
  const HttpMessage streamed = Chat(token_, "echo", R"("stream":true,)");
  EXPECT_EQ(streamed.Header("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_TRUE(streamed.body.ends_with("data: [DONE]\n\n")) << streamed.body;
  EXPECT_TRUE(streamed.complete);
  const HttpMessage none = Chat("fw_nobody", "echo");
  EXPECT_EQ(none.status(), 401);
  EXPECT_NE(none.body.find(R"("error":{"message":)"), std::string::npos) << none.body;
}

TEST_F(BackendLlm, VerifiesAProvidersCertificate) {
  FW_NEEDS_LLM_CLIENTS();
  TempDir files;
  Certificate::SelfSigned("localhost", {"localhost"}).Write(files, "model");
  Certificate::SelfSigned("localhost", {"localhost"}).Write(files, "other");
  StandIn stand_in({files.File("model.crt"), files.File("model.key")});
  for (const bool known : {true, false}) {
    backend_ = std::make_unique<BackendProcess>(LlmSettings(stand_in));
    backend_->directory().Write("provider.key", "secret-key");
    backend_->directory().Write("ca.pem", files.Read(known ? "model.crt" : "other.crt"));
    ASSERT_TRUE(backend_->Start()) << backend_->Output();
    token_ = MakeAccount(*backend_, "anna");
    for (const char* provider : {"openai", "ollama", "anthropic"}) {
      const HttpMessage answer = Chat(token_, std::string(provider) + "/ok");
      EXPECT_EQ(answer.status(), known ? 200 : 503) << answer.raw;
    }
  }
}

TEST_F(BackendLlm, WhatWasStreamedIsWhatIsPaid) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Chat(key_, "openai/ok", i == 1 ? R"("stream":true,)" : "").status(), 200);
  }
  std::string usage;
  EXPECT_TRUE(Eventually([&] {
    usage = backend_->Get("/api/v1/usage", Bearer(token_)).body;
    return usage.find(R"("requests":3)") != usage.npos;
  })) << usage;
  EXPECT_NE(usage.find(R"("prompt_tokens":21)"), usage.npos) << usage;
  EXPECT_NE(usage.find(R"("completion_tokens":27)"), usage.npos) << usage;
}

TEST_F(BackendLlm, HasLimitsOfUsersAndKeys) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in, "  user_limits: {tokens_per_day: 100}\n  key_limits: {requests_per_minute: 2}\n");
  EXPECT_EQ(Chat(key_, "openai/ok").status(), 200);
  EXPECT_EQ(Chat(key_, "openai/ok").status(), 200);
  const HttpMessage third = Chat(key_, "openai/ok");
  EXPECT_EQ(third.status(), 429) << third.raw;
  EXPECT_NE(third.Header("retry-after"), "");
  EXPECT_NE(third.body.find("requests_per_minute"), std::string::npos) << third.body;
  // The same user without the key: what is left of 100 tokens, and then it is cut in band.
  const HttpMessage cut = Chat(token_, "openai/long", R"("stream":true,)");
  EXPECT_EQ(cut.status(), 200);
  EXPECT_NE(cut.body.find("token_budget_exceeded"), std::string::npos) << cut.body;
  EXPECT_EQ(cut.body.find("[DONE]"), std::string::npos);
  EXPECT_TRUE(cut.complete);
  const HttpMessage after = Chat(token_, "openai/ok");
  EXPECT_EQ(after.status(), 429) << after.raw;
  EXPECT_EQ(after.Header("x-should-retry"), "false");
  EXPECT_NE(after.body.find("token_budget_exceeded"), std::string::npos) << after.body;
  // Others are not concerned.
  EXPECT_EQ(Chat(MakeAccount(*backend_, "ben"), "openai/ok").status(), 200);
}

TEST_F(BackendLlm, TakesWhatAPromptMayWeigh) {
  backend_ = std::make_unique<BackendProcess>(
      "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\n");
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  token_ = MakeAccount(*backend_, "anna");
  const size_t limit = size_t{20} * 1024 * 1024;
  for (const bool over : {false, true}) {
    std::string body = R"({"model":"echo","messages":[{"role":"user","content":"Hi"},)"
                       R"({"role":"system","content":")";
    body += std::string(limit - body.size() - 4 + (over ? 1 : 0), 'x') + "\"}]}";
    const HttpMessage answer =
        backend_->Request("POST", "/v1/chat/completions", Bearer(token_), body);
    EXPECT_EQ(answer.status(), over ? 413 : 200) << answer.raw.substr(0, 500);
    EXPECT_EQ(answer.body.find(R"({"error":{"message":)") == 0, over) << answer.body;
  }
}

}  // namespace
}  // namespace framewall::test
