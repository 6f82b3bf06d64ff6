// What servers of each kind are asked, and which of them: weights, ways of authorizing, tools and
// images in their own dialect, and nothing of the surroundings.
#include <strings.h>

#include <algorithm>
#include <atomic>
#include <iterator>

#include "tests/functional/llm_testing.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {
namespace {

class BackendLlmProviders : public BackendLlm {
 protected:
  // A server of that kind that answers "one two three" to everything.
  static FakeUpstream::Script Answering(const std::string& kind) {
    return [kind](FakeUpstream::Peer& peer) {
      for (;;) {
        const HttpMessage request = peer.ReadRequest();
        if (!request.complete) return;
        peer.Send(ProvidersAnswer(kind, request.start_line.find("/generate") != std::string::npos));
      }
    };
  }
  // `providers` and `models` are lines of their lists.
  void Begin(const std::string& providers, const std::string& models) {
    backend_ = std::make_unique<BackendProcess>(
        "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\n"
        "llm:\n  providers:\n" +
        providers + "  models:\n" + models);
    for (const auto& [name, value] : environment_) backend_->SetEnvironment(name, value);
    ASSERT_TRUE(backend_->Start()) << backend_->Output();
    token_ = MakeAccount(*backend_, "anna");
  }
  // The three kinds as providers and models of their names, each with `more` members.
  void BeginWithAll(const std::string& more = "") {
    std::string providers;
    std::string models;
    for (size_t i = 0; i < 3; ++i) {
      const std::string kind = kKinds[i];
      providers += "  - {name: " + kind + ", kind: " + kind + ", url: \"http://" +
                   servers_[i].address() + "\"" + more + "}\n";
      models += "  - {name: " + kind + ", provider: " + kind + "}\n";
    }
    Begin(providers, models);
  }
  HttpMessage Post(const std::string& path, const std::string& body) const {
    return backend_->Request("POST", path, Bearer(token_), body);
  }
  // The last request that a server has read.
  static HttpMessage Heard(const FakeUpstream& server) {
    const std::vector<HttpMessage> all = server.requests();
    return all.empty() ? HttpMessage() : all.back();
  }

  std::vector<std::pair<std::string, std::string>> environment_;
  FakeUpstream servers_[3] = {FakeUpstream(Answering("openai")), FakeUpstream(Answering("ollama")),
                              FakeUpstream(Answering("anthropic"))};
};

TEST_F(BackendLlmProviders, AreDrawnByWeight) {
  FakeUpstream seldom(Answering("openai"));
  Begin("  - {name: often, kind: openai, url: \"http://" + servers_[0].address() +
            "\"}\n"
            "  - {name: seldom, kind: openai, url: \"http://" +
            seldom.address() + "\"}\n",
        "  - name: drawn\n    by_weight: true\n    targets:\n"
        "    - {provider: often, model: a, weight: 4}\n"
        "    - {provider: seldom, model: b, weight: 1}\n"
        "  - name: ordered\n    targets:\n"
        "    - {provider: seldom, model: b, weight: 1}\n"
        "    - {provider: often, model: a, weight: 4}\n");
  constexpr size_t kRequests = 300;
  for (size_t i = 0; i < kRequests; ++i) ASSERT_EQ(Chat(token_, "drawn").status(), 200);
  EXPECT_EQ(servers_[0].requests().size() + seldom.requests().size(), kRequests);
  // 60 are due; five times the deviation of 7.
  EXPECT_GE(seldom.requests().size(), 25u);
  EXPECT_LE(seldom.requests().size(), 95u);
  const size_t often = servers_[0].requests().size();
  for (size_t i = 0; i < 10; ++i) ASSERT_EQ(Chat(token_, "ordered").status(), 200);
  EXPECT_EQ(servers_[0].requests().size(), often);
}

TEST_F(BackendLlmProviders, HearTheirKeyAsTheyWantIt) {
  const std::string url = "url: \"http://";
  Begin("  - {name: a, kind: anthropic, " + url + servers_[2].address() +
            "\", key: sesame, authorization: bearer, version: \"2099-01-01\"}\n"
            "  - {name: b, kind: anthropic, " +
            url + servers_[2].address() +
            "/prefix/\", key: sesame}\n"
            "  - {name: c, kind: openai, " +
            url + servers_[0].address() +
            "/v1\", key: sesame, authorization: x-api-key}\n"
            "  - {name: d, kind: openai, " +
            url + servers_[0].address() + "/v1\"}\n",
        "  - {name: a, provider: a}\n  - {name: b, provider: b}\n  - {name: c, provider: c}\n"
        "  - {name: d, provider: d}\n");
  ASSERT_EQ(Chat(token_, "a").status(), 200);
  EXPECT_EQ(Heard(servers_[2]).start_line, "POST /v1/messages HTTP/1.1");
  EXPECT_EQ(Heard(servers_[2]).Header("authorization"), "Bearer sesame");
  EXPECT_EQ(Heard(servers_[2]).Header("anthropic-version"), "2099-01-01");
  EXPECT_EQ(Heard(servers_[2]).CountHeaders("x-api-key"), 0u);
  ASSERT_EQ(Chat(token_, "b").status(), 200);
  EXPECT_EQ(Heard(servers_[2]).start_line, "POST /prefix/v1/messages HTTP/1.1");
  EXPECT_EQ(Heard(servers_[2]).Header("x-api-key"), "sesame");
  EXPECT_EQ(Heard(servers_[2]).Header("anthropic-version"), "2023-06-01");
  EXPECT_EQ(Heard(servers_[2]).CountHeaders("authorization"), 0u);
  ASSERT_EQ(Chat(token_, "c").status(), 200);
  EXPECT_EQ(Heard(servers_[0]).start_line, "POST /v1/chat/completions HTTP/1.1");
  EXPECT_EQ(Heard(servers_[0]).Header("x-api-key"), "sesame");
  EXPECT_EQ(Heard(servers_[0]).CountHeaders("authorization"), 0u);
  ASSERT_EQ(Chat(token_, "d").status(), 200);
  EXPECT_EQ(Heard(servers_[0]).CountHeaders("authorization"), 0u);
  EXPECT_EQ(Heard(servers_[0]).CountHeaders("x-api-key"), 0u);
}

TEST_F(BackendLlmProviders, AreAskedWithoutTheSystemsProxy) {
  FakeUpstream proxy(FakeUpstream::Always("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"));
  for (const char* name :
       {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    environment_.emplace_back(name, "http://" + proxy.address());
  }
  BeginWithAll();
  for (const char* kind : kKinds) EXPECT_EQ(Chat(token_, kind).status(), 200);
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(BackendLlmProviders, AreLeftAloneAfterFailuresAndTriedAgain) {
  std::atomic<bool> fails = true;
  FakeUpstream flaky([&](FakeUpstream::Peer& peer) {
    while (peer.ReadRequest().complete) {
      peer.Send(fails ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
                      : ProvidersAnswer("openai", false));
    }
  });
  Begin("  - {name: flaky, kind: openai, failures: 2, pause_ms: 2000, url: \"http://" +
            flaky.address() + "\"}\n",
        "  - {name: m, provider: flaky, retries: 0}\n");
  EXPECT_EQ(Chat(token_, "m").status(), 502);
  EXPECT_EQ(backend_->Get("/ready").body.find("left alone"), std::string::npos);
  EXPECT_EQ(Chat(token_, "m").status(), 502);
  const HttpMessage spared = Chat(token_, "m");
  EXPECT_EQ(spared.status(), 503) << spared.raw;
  EXPECT_EQ(spared.Header("retry-after"), "2");
  EXPECT_EQ(flaky.requests().size(), 2u);
  const HttpMessage ready = backend_->Get("/ready");
  EXPECT_EQ(ready.status(), 200);  // told, not decisive
  EXPECT_NE(ready.body.find("left alone"), std::string::npos) << ready.body;
  fails = false;
  EXPECT_TRUE(Eventually([&] { return Chat(token_, "m").status() == 200; }));
  EXPECT_EQ(flaky.requests().size(), 3u);
  EXPECT_EQ(backend_->Get("/ready").body.find("left alone"), std::string::npos);
}

constexpr const char* kOurs[] = {"host",   "user-agent", "content-type",     "content-length",
                                 "accept", "connection", "anthropic-version"};

TEST_F(BackendLlmProviders, HearNothingOfTheClient) {
  BeginWithAll();
  for (const char* path : {"/v1/chat/completions", "/api/chat"}) {
    for (size_t i = 0; i < 3; ++i) {
      const HttpMessage answer =
          backend_->Request("POST", path,
                            Bearer(token_) +
                                "Cookie: a=b\r\nX-Private: mine\r\nX-Forwarded-For: 192.0.2.7\r\n"
                                "User-Agent: somebody\r\nOpenAI-Organization: theirs\r\n"
                                "Accept-Language: ru\r\n",
                            std::string(R"({"model":")") + kKinds[i] +
                                R"(","stream":false,"messages":[{"role":"user","content":"Hi"}]})");
      ASSERT_EQ(answer.status(), 200) << answer.raw;
      const HttpMessage heard = Heard(servers_[i]);
      for (const auto& [name, value] : heard.headers) {
        const auto is_this = [&name = name](const char* known) {
          return ::strcasecmp(name.c_str(), known) == 0;
        };
        EXPECT_TRUE(std::any_of(std::begin(kOurs), std::end(kOurs), is_this))
            << name << ": " << value;
      }
      EXPECT_EQ(heard.Header("user-agent"), "framewall-backend");
    }
  }
}

TEST_F(BackendLlmProviders, AddressesOfImagesAreForThoseThatMayHaveThem) {
  const std::string address = "http://192.0.2.1/cat.png";
  const auto openai = [&](const std::string& model) {
    return Post("/v1/chat/completions",
                R"({"model":")" + model +
                    R"(","messages":[{"role":"user","content":[{"type":"text","text":"look"},)"
                    R"({"type":"image_url","image_url":{"url":")" +
                    address + "\"}}]}]}");
  };
  const auto responses = [&](const std::string& model) {
    return Post("/v1/responses", R"({"model":")" + model +
                                     R"(","input":[{"role":"user","content":[{"type":)"
                                     R"("input_image","image_url":")" +
                                     address + "\"}]}]}");
  };
  const auto ollama = [&](const std::string& model, const std::string& image) {
    return Post("/api/chat", R"({"model":")" + model +
                                 R"(","stream":false,"messages":[{"role":"user","content":"look",)"
                                 R"("images":[")" +
                                 image + "\"]}]}");
  };
  BeginWithAll();
  for (const std::string kind : kKinds) {
    for (const HttpMessage& answer : {openai(kind), responses(kind), ollama(kind, address)}) {
      EXPECT_EQ(answer.status(), 400) << kind << answer.raw;
      EXPECT_NE(answer.body.find("invalid_image_url"), std::string::npos) << answer.body;
    }
    EXPECT_EQ(ollama(kind, "file:///etc/passwd").status(), 400);
    EXPECT_EQ(ollama(kind, "iVBORw0KGgo=").status(), 200);
  }
  for (const FakeUpstream& server : servers_) EXPECT_EQ(server.requests().size(), 1u);

  BeginWithAll(", image_addresses: true");
  EXPECT_EQ(openai("openai").status(), 200);
  EXPECT_NE(Heard(servers_[0]).body.find(R"("image_url":{"url":")" + address), std::string::npos)
      << Heard(servers_[0]).body;
  EXPECT_EQ(ollama("openai", address).status(), 200);
  EXPECT_NE(Heard(servers_[0]).body.find(R"("image_url":{"url":")" + address), std::string::npos)
      << Heard(servers_[0]).body;
  EXPECT_EQ(responses("anthropic").status(), 200);
  EXPECT_NE(Heard(servers_[2]).body.find(R"("source":{"type":"url","url":")" + address),
            std::string::npos)
      << Heard(servers_[2]).body;
  // Ollama takes octets only, whatever it is allowed.
  EXPECT_EQ(openai("ollama").status(), 400);
  EXPECT_EQ(ollama("ollama", address).status(), 400);
}

// A whole turn of tools: what is offered, what was called, what it gave.
constexpr char kOpenAiTools[] =
    R"("tools":[{"type":"function","function":{"name":"weather","description":"of a city",)"
    R"("parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],)"
    R"("tool_choice":{"type":"function","function":{"name":"weather"}},)"
    R"("messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Cold?"},)"
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_7","type":"function",)"
    R"("function":{"name":"weather","arguments":"{\"city\":\"Tula\"}"}}]},)"
    R"({"role":"tool","tool_call_id":"call_7","content":"3 degrees"}]})";
constexpr char kOllamaTools[] =
    R"("stream":false,"tools":[{"type":"function","function":{"name":"weather",)"
    R"("description":"of a city","parameters":{"type":"object",)"
    R"("properties":{"city":{"type":"string"}}}}}],)"
    R"("messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Cold?"},)"
    R"({"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather",)"
    R"("arguments":{"city":"Tula"}}}]},)"
    R"({"role":"tool","tool_name":"weather","content":"3 degrees"}]})";

TEST_F(BackendLlmProviders, HearOfToolsInTheirDialect) {
  BeginWithAll();
  for (const bool from_ollama : {false, true}) {
    for (size_t i = 0; i < 3; ++i) {
      const std::string kind = kKinds[i];
      const HttpMessage answer =
          Post(from_ollama ? "/api/chat" : "/v1/chat/completions",
               R"({"model":")" + kind + "\"," + (from_ollama ? kOllamaTools : kOpenAiTools));
      ASSERT_EQ(answer.status(), 200) << answer.raw;
      const std::string heard = Heard(servers_[i]).body;
      const auto has = [&](const std::string& text) {
        EXPECT_NE(heard.find(text), heard.npos)
            << kind << " " << from_ollama << ": " << text << "\n in " << heard;
      };
      has(R"("name":"weather")");
      has(R"("properties":{"city":{"type":"string"}})");
      has("3 degrees");
      has("Be kind.");
      if (kind == "openai") {
        has(R"("arguments":"{\"city\":\"Tula\"}")");
        has(R"("role":"tool")");
        has(R"("tool_call_id":")");
        if (!from_ollama) has(R"("tool_choice":{"type":"function","function":{"name":"weather"}})");
      } else if (kind == "ollama") {
        has(R"("arguments":{"city":"Tula"})");
        has(R"("tool_name":"weather")");
      } else {
        has(R"("system":"Be kind.")");
        has(R"("input_schema":{"type":"object")");
        has(R"("type":"tool_use")");
        has(R"("input":{"city":"Tula"})");
        has(R"("type":"tool_result")");
        if (!from_ollama) {
          has(R"("tool_use_id":"call_7")");
          has(R"("tool_choice":{"type":"tool","name":"weather"})");
        }
      }
    }
  }
}

}  // namespace
}  // namespace framewall::test
