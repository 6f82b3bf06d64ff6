// The vendors' own clients through conf/framewall.conf with CRS blocking, over HTTPS.
#include "tests/functional/gateway_testing.h"
#include "tests/functional/llm_testing.h"

namespace framewall::test {
namespace {

class BackendLlmGateway : public testing::Test {
 protected:
  void Start(const StandIn& stand_in) {
    backend_ = std::make_unique<BackendProcess>(LlmSettings(stand_in));
    backend_->directory().Write("provider.key", "secret-key");
    backend_->directory().Write("ca.pem", Certificate::SelfSigned("localhost").CertificatePem());
    ASSERT_TRUE(backend_->Start()) << backend_->Output();
    key_ = MakeLlmKey(*backend_, MakeAccount(*backend_, "anna"));
    proxy_ = std::make_unique<ProxyProcess>(
        GatewayConf("127.0.0.1:" + std::to_string(backend_->port(0)), FW_SOURCE_DIR "/backend/page",
                    // Clients in a hurry, all from one address and account.
                    {{"zone=models:10m rate=60r/m;", "zone=models:10m rate=1000r/s;"},
                     {"zone=address:10m rate=50r/s;", "zone=address:10m rate=1000r/s;"}}));
    WriteCertificate(proxy_->directory());
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  std::string address() const { return "https://localhost:" + std::to_string(proxy_->port(1)); }
  std::vector<std::string> Trust() const {
    return {"NODE_EXTRA_CA_CERTS=" + proxy_->directory().File("certificate.pem")};
  }

  std::unique_ptr<BackendProcess> backend_;
  std::unique_ptr<ProxyProcess> proxy_;
  std::string key_;
};

TEST_F(BackendLlmGateway, SatisfiesTheOpenAiClient) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  RunLlmClient("openai_client.mjs", {address(), key_, stand_in.address()}, Trust());
}

TEST_F(BackendLlmGateway, SatisfiesTheOllamaClient) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  RunLlmClient("ollama_client.mjs", {address(), key_, stand_in.address()}, Trust());
}

// The backend closes behind every stream; whoever asks next must not meet that.
TEST_F(BackendLlmGateway, AFailureInBandEndsOneAnswerAndNoOther) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  RawClient client(proxy_->port(0));
  for (int i = 0; i < 60; ++i) {
    const bool broken = i % 2 == 0;
    const std::string body = std::string(R"({"model":"openai/)") + (broken ? "error" : "ok") +
                             R"(","stream":true,"messages":[{"role":"user","content":"Hi"}]})";
    client.Send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
        key_ + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const HttpMessage answer = client.ReadResponse();
    ASSERT_EQ(answer.status(), 200) << i << ": " << answer.raw << proxy_->Output();
    ASSERT_TRUE(answer.complete) << i << ": " << answer.raw;
    EXPECT_EQ(answer.body.find(R"(data: {"error":{"message":)") != answer.body.npos, broken);
    EXPECT_EQ(answer.body.ends_with("data: [DONE]\n\n"), !broken) << answer.body;
    // The client's connection is the gateway's business.
    EXPECT_NE(answer.Header("connection"), "close");
  }
}

TEST_F(BackendLlmGateway, PassesPromptsAndNoAttacks) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  RunLlmClient("prompts.mjs", {address(), key_, FW_SOURCE_DIR "/tests/rules/prompts.yaml"},
               Trust());
  // Neither prompts nor keys are in any log.
  const std::string logs = AllLogs(proxy_->directory()) + backend_->Output();
  for (const char* prompt : {"render_template_string", "nmae", "secret-key"}) {
    EXPECT_EQ(logs.find(prompt), std::string::npos) << prompt;
  }
  EXPECT_EQ(logs.find(key_), std::string::npos);
}

}  // namespace
}  // namespace framewall::test
