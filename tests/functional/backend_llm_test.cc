// Models through framewall-backend, as the vendors' own clients see them. The stand-ins behind it
// satisfy the vendors' clients first.
#include <atomic>
#include <cstdio>

#include "tests/functional/llm_testing.h"
#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

TEST(LlmStandIns, SatisfyTheVendorsClients) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  RunLlmClient("vendors.mjs", {stand_in.address()});
}

class BackendLlm : public testing::Test {
 protected:
  void Start(const StandIn& stand_in, const std::string& rest = "") {
    backend_ = std::make_unique<BackendProcess>(LlmSettings(stand_in, rest));
    backend_->directory().Write("provider.key", "secret-key\n");
    if (!backend_->directory().Has("ca.pem")) {
      Certificate::SelfSigned("localhost", {"localhost"}).Write(backend_->directory(), "own");
      backend_->directory().Write("ca.pem", backend_->directory().Read("own.crt"));
    }
    ASSERT_TRUE(backend_->Start()) << backend_->Output();
    token_ = MakeAccount(*backend_, "anna");
    key_ = MakeLlmKey(*backend_, token_);
    ASSERT_TRUE(key_.starts_with("fw_")) << key_;
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(backend_->port(0)); }
  std::string Bearer(const std::string& text) const {
    return "Authorization: Bearer " + text + "\r\n";
  }
  HttpMessage Chat(const std::string& credentials, const std::string& model,
                   const std::string& more = "") const {
    return backend_->Request("POST", "/v1/chat/completions", Bearer(credentials),
                             R"({"model":")" + model + R"(",)" + more +
                                 R"("messages":[{"role":"user","content":"Hi"}]})");
  }

  std::unique_ptr<BackendProcess> backend_;
  std::string token_, key_;
};

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

// What a server of each kind sends for "one two three", in chunks.
std::string ProvidersAnswer(const std::string& kind) {
  std::vector<std::string> pieces;
  for (const char* word : {"one", " two", " three"}) {
    const std::string text = word;
    if (kind == "openai") {
      pieces.push_back(R"(data: {"choices":[{"delta":{"content":")" + text + "\"}}]}\n\n");
    } else if (kind == "ollama") {
      pieces.push_back(R"({"message":{"content":")" + text + "\"},\"done\":false}\n");
    } else {
      pieces.push_back(
          R"(data: {"type":"content_block_delta","delta":{"type":"text_delta","text":")" + text +
          "\"}}\n\n");
    }
  }
  pieces.push_back(kind == "openai"   ? "data: [DONE]\n\n"
                   : kind == "ollama" ? "{\"done\":true}\n"
                                      : "data: {\"type\":\"message_stop\"}\n\n");
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& piece : pieces) {
    char size[16];
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    answer += size + piece + "\r\n";
  }
  return answer + "0\r\n\r\n";
}

TEST_F(BackendLlm, IsWholeOrAnErrorWhereverTheProviderIsCut) {
  std::atomic<size_t> cut = 0;
  std::atomic<bool> reset = false;
  std::string answer;  // set while nobody asks
  FakeUpstream provider([&](FakeUpstream::Peer& peer) {
    if (!peer.ReadRequest().complete) return;
    peer.Send(answer.substr(0, cut));
    if (reset) {
      peer.Reset();
    } else {
      peer.Close();
    }
  });
  std::string settings =
      "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\nllm:\n"
      "  providers:\n";
  for (const char* kind : {"openai", "ollama", "anthropic"}) {
    settings += std::string("  - {name: ") + kind + ", kind: " + kind + ", url: \"http://" +
                provider.address() + "\", failures: 1000}\n";
  }
  settings += "  models:\n";
  for (const char* kind : {"openai", "ollama", "anthropic"}) {
    settings += std::string("  - {name: ") + kind + ", provider: " + kind + ", retries: 0}\n";
  }
  backend_ = std::make_unique<BackendProcess>(settings);
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  token_ = MakeAccount(*backend_, "anna");
  int whole = 0;
  int refused = 0;
  int broken = 0;
  for (const std::string kind : {"openai", "ollama", "anthropic"}) {
    answer = ProvidersAnswer(kind);
    for (size_t at = 0; at <= answer.size(); at += at + 40 < answer.size() ? 11 : 1) {
      for (const bool stream : {false, true}) {
        cut = at;
        reset = at % 2 == 1;
        const HttpMessage got = Chat(token_, kind, stream ? R"("stream":true,)" : "");
        ASSERT_TRUE(got.complete) << got.raw;
        if (got.status() != 200) {
          ++refused;
          EXPECT_TRUE(got.body.starts_with(R"({"error":{"message":)")) << got.body;
        } else if (got.body.find(R"({"error":{)") != got.body.npos) {
          ++broken;
          EXPECT_TRUE(stream);
          EXPECT_EQ(got.body.find("[DONE]"), got.body.npos) << got.body;
        } else {
          ++whole;
          EXPECT_NE(got.body.find(stream ? R"(" three")" : R"("one two three")"), got.body.npos)
              << kind << " cut at " << at << ": " << got.body;
          EXPECT_EQ(got.body.ends_with("data: [DONE]\n\n"), stream);
        }
      }
    }
  }
  EXPECT_GT(whole, 6);
  EXPECT_GT(refused, 30);
  EXPECT_GT(broken, 30);
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
