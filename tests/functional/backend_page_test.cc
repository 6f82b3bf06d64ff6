// The page in Chromium, through conf/framewall.conf with CRS on, before the real backend: what
// people do is in clients/page.js.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "tests/functional/gateway_testing.h"
#include "tests/support/backend_process.h"
#include "tests/support/script.h"

namespace framewall::test {
namespace {

// Sanitizers make a gateway with CRS many times slower.
constexpr std::chrono::seconds kPatience(300);

class BackendPage : public ::testing::Test {
 protected:
  explicit BackendPage(bool is_https = false)
      : is_https_(is_https),
        proxy_(GatewayConf(
            backend_.address(), FW_SOURCE_DIR "/backend/page",
            {{"http://localhost:8080 1;",
              is_https ? "https://localhost:%%PORT_1%% 1;" : "http://localhost:%%PORT_0%% 1;"}})) {
    WriteCertificate(proxy_.directory());
  }

  std::string Url() const {
    return is_https_ ? "https://localhost:" + std::to_string(proxy_.port(1))
                     : "http://localhost:" + std::to_string(proxy_.port(0));
  }

  void Start(const std::string& more_of_accounts = "", const std::string& more = "") {
    // The workers of a gateway that is started by root are others.
    backend_.SetSettings("server: {socket_mode: \"0666\", public_url: \"" + Url() +
                         "\"}\naccounts: {registration_open: true" + more_of_accounts + "}\n" +
                         more);
    ASSERT_TRUE(backend_.Start()) << backend_.Output();
    ASSERT_TRUE(proxy_.Start()) << proxy_.Output();
  }

  // Does what `scenario` says; the backend is stopped and started where it asks for it.
  void Play(const std::string& scenario) {
    const std::string folder = proxy_.directory().path();
    Script script("/usr/bin/node", {FW_SOURCE_DIR "/tests/functional/clients/page.js", scenario,
                                    Url() + "/", backend_.socket_path(), folder});
    std::string said = script.Read(false, kPatience);
    if (said == "restart\n") {
      EXPECT_EQ(backend_.Kill(), 128 + SIGKILL);
      ASSERT_TRUE(backend_.Start()) << backend_.Output();
      proxy_.directory().Write("restarted", "");
      said = script.Read(false, kPatience);
    }
    if (said != "ok\n") said += script.Read(true, std::chrono::seconds(30));
    EXPECT_EQ(said, "ok\n") << "./dev deps test installs chromium and node\n"
                            << proxy_.Log() << backend_.Output();
  }

  const bool is_https_;
  BackendProcess backend_;
  ProxyProcess proxy_;
};

class BackendPageOverTls : public BackendPage {
 protected:
  BackendPageOverTls() : BackendPage(true) {}
};

TEST_F(BackendPage, LogsInAndOutInAllTabs) {
  Start();
  Play("log_in");
}

TEST_F(BackendPageOverTls, LogsInAndOutInAllTabs) {
  Start();
  Play("log_in");
}

TEST_F(BackendPage, WantsAPasswordOfOnesOwn) {
  Start();
  proxy_.directory().Write("admin_password", backend_.directory().Read("data/admin-password"));
  Play("first_password");
}

TEST_F(BackendPage, TellsTheSitesAddressToWhoCameByAnother) {
  Start();
  Play("other_address");
}

TEST_F(BackendPage, RegistersInRussian) {
  Start();
  Play("registers_in_russian");
}

TEST_F(BackendPage, TwoPeopleTalk) {
  Start();
  Play("two_people");
}

TEST_F(BackendPage, HistoryComesOnScrollAndStaysInPlace) {
  Start();
  Play("history");
}

TEST_F(BackendPage, AnAssistantStreamsAndIsStopped) {
  Start();
  Play("assistant");
}

TEST_F(BackendPage, AnAnswerThatFailsIsTold) {
  // Nobody listens there.
  Start("",
        "llm: {providers: [{name: away, kind: openai, url: \"http://127.0.0.1:1/v1\"}],"
        " models: [{name: big, provider: away}]}\n");
  Play("dead_model");
}

TEST_F(BackendPage, ARefusedMessageIsToldKeptAndNotSentAgain) {
  Start();
  Play("refused");
}

TEST_F(BackendPage, NothingIsLostOrDoubledWhenTheBackendIsKilled) {
  Start();
  Play("restart");
}

TEST_F(BackendPage, TheSocketStaysWithFreshTokens) {
  Start(", access_token_seconds: 10");
  Play("fresh_tokens");
}

TEST_F(BackendPage, SaysWhatToBeginWith) {
  Start();
  Play("newcomer");
}

TEST_F(BackendPage, ServesKeyboardsScreenReadersAndPhones) {
  Start();
  Play("for_everybody");
}

}  // namespace
}  // namespace framewall::test
