// auth_jwt_key_request: keys that a location answers with.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "tests/functional/auth_jwt_testing.h"

namespace framewall::test {
namespace {

// Publishes a key set; what it answers may change, and how long it takes.
class KeyServer {
 public:
  KeyServer()
      : upstream_([this](FakeUpstream::Peer& peer) {
          while (peer.ReadRequest().complete) {
            ++asked_;
            while (held_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            std::string answer;
            {
              const std::lock_guard lock(mutex_);
              answer = answer_;
            }
            if (answer.empty()) return peer.Reset();
            peer.Send(answer);
          }
        }) {}
  ~KeyServer() { held_ = false; }

  // Empty: the connection breaks.
  void Answer(const std::string& answer) {
    const std::lock_guard lock(mutex_);
    answer_ = answer;
  }
  void Hold(bool hold) { held_ = hold; }
  int asked() const { return asked_; }
  std::string address() const { return upstream_.address(); }
  HttpMessage request(size_t index) const { return upstream_.requests().at(index); }

 private:
  std::mutex mutex_;
  std::string answer_;
  std::atomic<bool> held_ = false;
  std::atomic<int> asked_ = 0;
  FakeUpstream upstream_;
};

class KeyRequest : public ::testing::Test {
 protected:
  void Start(const std::string& more = "") {
    proxy_ = std::make_unique<ProxyProcess>(
        TokenServer("auth_jwt r; auth_jwt_key_request /keys; location / { proxy_pass http://" +
                    upstream_.address() + "; " + more +
                    " }\nlocation = /keys { internal; auth_jwt off; "
                    "proxy_pass http://" +
                    keys_.address() + "/jwks.json; }"));
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  int As(const std::string& token) const { return GetAs(proxy_->port(0), "/", token).status(); }

  TokenIssuer issuer_{jwt::Algorithm::kEs256};
  FakeUpstream upstream_{FakeUpstream::Always(OkResponse())};
  KeyServer keys_;
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(KeyRequest, FetchesOnceAndKeeps) {
  keys_.Answer(OkResponse(issuer_.KeySet()));
  Start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
  EXPECT_EQ(keys_.asked(), 1);
  EXPECT_EQ(keys_.request(0).start_line, "GET /jwks.json HTTP/1.0");
  // Nothing of the client's goes to the issuer, least of all his token.
  EXPECT_EQ(keys_.request(0).Header("Authorization"), "");
  // From outside the location is closed.
  EXPECT_EQ(GetAs(proxy_->port(0), "/keys", issuer_.TokenOf("ann")).status(), 404);
}

TEST_F(KeyRequest, ManyThatWaitShareOneFetch) {
  keys_.Answer(OkResponse(issuer_.KeySet()));
  keys_.Hold(true);
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy_->port(0)));
    clients.back()->Send("GET / HTTP/1.1\r\nHost: a\r\n" + Bearer(issuer_.TokenOf("ann")) + "\r\n");
  }
  ASSERT_TRUE(Eventually([&] { return keys_.asked() == 1; }));
  // One goes before the keys are there.
  clients[0]->Reset();
  keys_.Hold(false);
  for (int i = 1; i < 10; ++i)
    EXPECT_EQ(clients[static_cast<size_t>(i)]->ReadResponse().status(), 200);
  EXPECT_EQ(keys_.asked(), 1);
}

TEST_F(KeyRequest, WithoutAnyKeyTheAnswerIs503AndRemembered) {
  Start();  // the issuer breaks every connection
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 503);
  const int asked = keys_.asked();
  EXPECT_GE(asked, 1);
  keys_.Answer(OkResponse(issuer_.KeySet()));
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 503);
  EXPECT_EQ(keys_.asked(), asked);
  EXPECT_TRUE(proxy_->WaitForLog("auth_jwt_key_request \"/keys\" failed: "));
  EXPECT_TRUE(proxy_->WaitForLog("there are no keys yet, nobody may pass"));
  // Who has no token, or none that could be one, is told so all the same.
  EXPECT_EQ(GetWith(proxy_->port(0), "/").status(), 401);
  EXPECT_EQ(As("a.b.c"), 401);
  // Ten seconds later it is asked again.
  EXPECT_TRUE(Eventually([&] { return As(issuer_.TokenOf("ann")) == 200; }));
}

TEST_F(KeyRequest, AnswersThatAreNoKeys) {
  for (const std::string& answer :
       {OkResponse("{}"), OkResponse("<html>"), OkResponse("{\"keys\":[]}"),
        OkResponse(R"({"keys":[{"kty":"oct","k":"c2hvcnQ"}]})"),
        std::string("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        "HTTP/1.1 203 Odd\r\nContent-Length: " + std::to_string(issuer_.KeySet().size()) +
            "\r\n\r\n" + issuer_.KeySet(),
        OkResponse(issuer_.KeySet() + std::string(1 << 20, ' '))}) {
    keys_.Answer(answer);
    Start();
    EXPECT_EQ(As(issuer_.TokenOf("ann")), 503) << answer.substr(0, 60);
    proxy_.reset();
  }
}

TEST_F(KeyRequest, AnUnknownKidFetchesAtMostOnceInTenSeconds) {
  const TokenIssuer next(jwt::Algorithm::kEs256, "k2");
  const TokenIssuer stranger(jwt::Algorithm::kEs256, "k3");
  keys_.Answer(OkResponse(issuer_.KeySet()));
  Start("auth_jwt_key_cache 1h;");
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
  // The issuer has a new key; the first fetch was a moment ago.
  keys_.Answer(OkResponse(KeySetOf({issuer_.Jwk(), next.Jwk()})));
  EXPECT_EQ(As(next.TokenOf("ann")), 401);
  EXPECT_TRUE(proxy_->WaitForLog("no key fits ES256 with kid \"k2\""));
  EXPECT_EQ(keys_.asked(), 1);
  EXPECT_TRUE(Eventually([&] { return As(next.TokenOf("ann")) == 200; }));
  EXPECT_EQ(keys_.asked(), 2);
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(As(stranger.TokenOf("ann")), 401);
  EXPECT_EQ(keys_.asked(), 2);
}

TEST_F(KeyRequest, KnownKeysStayWhileTheIssuerIsDown) {
  keys_.Answer(OkResponse(issuer_.KeySet()));
  Start();  // auth_jwt_key_cache 0: asked again after ten seconds
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
  keys_.Answer("");
  EXPECT_TRUE(Eventually([&] {
    EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
    return proxy_->CountInLog("the keys that are known stay in use") > 0;
  }));
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
  EXPECT_EQ(As(TokenIssuer(jwt::Algorithm::kEs256, "k9").TokenOf("ann")), 401);
}

// A key that is gone is gone: tokens that were verified with it are not kept.
TEST_F(KeyRequest, AKeyThatWasTakenBackIsUsedNoMore) {
  const TokenIssuer next(jwt::Algorithm::kEs256, "k2");
  keys_.Answer(OkResponse(issuer_.KeySet()));
  Start();
  const std::string token = issuer_.TokenOf("ann");
  EXPECT_EQ(As(token), 200);
  keys_.Answer(OkResponse(next.KeySet()));
  EXPECT_TRUE(Eventually([&] { return As(token) == 401; }));
  EXPECT_EQ(As(next.TokenOf("ann")), 200);
}

// An issuer that answers never: who waits does not wait for ever.
TEST_F(KeyRequest, AnIssuerThatHangs) {
  keys_.Hold(true);
  Start();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 503);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
  EXPECT_EQ(proxy_->Quit(), 0);
}

TEST_F(KeyRequest, FileAndRequestTogether) {
  const TokenIssuer local(jwt::Algorithm::kHs256, "local");
  proxy_ = std::make_unique<ProxyProcess>(TokenServer(
      "auth_jwt r; auth_jwt_key_file %%DIR%%/keys.json; auth_jwt_key_request /keys; location / { "
      "proxy_pass http://" +
      upstream_.address() +
      "; }\nlocation = /keys { internal; auth_jwt off; "
      "proxy_pass http://" +
      keys_.address() + "; }"));
  proxy_->directory().Write("keys.json", local.KeySet());
  keys_.Answer(OkResponse(issuer_.KeySet()));
  ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  EXPECT_EQ(As(local.TokenOf("ann")), 200);
  EXPECT_EQ(As(issuer_.TokenOf("ann")), 200);
}

}  // namespace
}  // namespace framewall::test
