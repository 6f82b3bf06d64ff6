// Clients and stand-ins of models: npm's packages at exact versions, installed once into the build
// folder, and a backend whose models lead to the stand-ins.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/unique_fd.h"
#include "tests/support/backend_process.h"
#include "tests/support/certificate.h"
#include "tests/support/script.h"

namespace framewall::test {

// Where scripts of clients/llm stand beside their packages. Nothing where they cannot be had: then
// the test is skipped (FW_REQUIRE_NPM=1 fails it).
inline std::optional<std::string> LlmClients() {
  static const std::optional<std::string> folder = []() -> std::optional<std::string> {
    namespace fs = std::filesystem;
    const fs::path from = FW_SOURCE_DIR "/tests/functional/clients/llm";
    const fs::path to = FW_BINARY_DIR "/llm_clients";
    std::error_code failed;
    fs::create_directories(to, failed);
    // Tests of several executables come here at once.
    const UniqueFd lock(::open((to / ".installing").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(0, ::flock(lock.get(), LOCK_EX));
    for (const auto& file : fs::directory_iterator(from, failed)) {
      fs::copy_file(file.path(), to / file.path().filename(), fs::copy_options::update_existing,
                    failed);
    }
    // npm writes this file last, from the lock.
    if (!fs::exists(to / "node_modules/.package-lock.json")) {
      Script npm("/usr/bin/env", {"npm", "ci", "--prefix", to.string(), "--ignore-scripts",
                                  "--no-audit", "--no-fund", "--fetch-retries=1"});
      const std::string said = npm.Read(true, std::chrono::seconds(120));
      if (npm.Wait() != 0) {
        const bool required = std::getenv("FW_REQUIRE_NPM") != nullptr;
        EXPECT_FALSE(required) << "npm ci: " << said;
        return std::nullopt;
      }
    }
    return to.string();
  }();
  return folder;
}

#define FW_NEEDS_LLM_CLIENTS()                                                                \
  if (!LlmClients().has_value()) {                                                            \
    GTEST_SKIP() << "npm cannot install tests/functional/clients/llm: no npm, or no network"; \
  }

// A script of clients/llm to its end.
inline void RunLlmClient(const std::string& name, std::vector<std::string> arguments,
                         const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), {"node", *LlmClients() + "/" + name});
  Script client("/usr/bin/env", arguments, environment);
  const std::string said = client.Read(true);
  EXPECT_EQ(client.Wait(), 0) << said;
  EXPECT_NE(said.find("satisfied"), said.npos) << said;
}

// The model servers; see clients/llm/stand_in.mjs.
class StandIn {
 public:
  explicit StandIn(const std::vector<std::string>& certificate_and_key = {})
      : script_("/usr/bin/env", Arguments(certificate_and_key)),
        port_(std::atoi(script_.Read(false).c_str())),
        secure_(!certificate_and_key.empty()) {
    EXPECT_GT(port_, 0) << script_.Read(true, std::chrono::milliseconds(100));
  }
  std::string address() const {
    return (secure_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port_);
  }

 private:
  static std::vector<std::string> Arguments(const std::vector<std::string>& more) {
    std::vector<std::string> all = {"node", *LlmClients() + "/stand_in.mjs"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Script script_;
  const int port_;
  const bool secure_;
};

// Models PROVIDER/BEHAVIOUR for each of them, and a few more; `rest` stands behind, in section llm.
inline std::string LlmSettings(const StandIn& stand_in, const std::string& rest = "") {
  std::string text =
      "server: {listen: 127.0.0.1:%%PORT_0%%}\n"
      "accounts: {registration_open: true}\n"
      "llm:\n" +
      rest +
      "  providers:\n"
      "  - {name: echo, kind: echo}\n"
      "  - {name: dead, kind: openai, url: \"http://127.0.0.1:%%PORT_9%%\", failures: 3}\n";
  const std::pair<const char*, const char*> kinds[] = {
      {"openai", "/openai/v1"}, {"ollama", "/ollama"}, {"anthropic", "/anthropic"}};
  for (const auto& [kind, path] : kinds) {
    text += std::string("  - {name: ") + kind + ", kind: " + kind + ", url: \"" +
            stand_in.address() + path +
            "\", key_file: provider.key, ca_file: ca.pem, failures: 1000}\n";
  }
  text +=
      "  models:\n"
      "  - {name: \"org/echo:1\", provider: echo}\n"
      "  - {name: once/flaky-client, provider: openai, provider_model: flaky-client, retries: 0}\n"
      "  - {name: cached, provider: openai, provider_model: ok, cache: true}\n"
      "  - name: failover/ok\n"
      "    targets:\n"
      "    - {provider: dead, model: x}\n"
      "    - {provider: openai, model: ok}\n";
  for (const auto& [kind, path] : kinds) {
    for (const char* behaviour :
         {"ok",         "tools",      "think",      "status-500", "status-401", "status-404",
          "status-503", "status-429", "status-400", "redirect",   "garbage",    "cut-before",
          "cut-head",   "cut-middle", "cut-end",    "error",      "silent",     "silent-middle",
          "endless",    "flaky",      "say",        "long",       "tells-key"}) {
      const std::string name = behaviour;
      text += std::string("  - {name: ") + kind + "/" + name + ", provider: " + kind +
              ", provider_model: " + name;
      // The others have all the time that a busy machine may need.
      if (name == "silent") text += ", first_token_ms: 500";
      if (name == "silent-middle") text += ", between_tokens_ms: 500";
      text += "}\n";
    }
  }
  return text;
}

inline constexpr const char* kKinds[] = {"openai", "ollama", "anthropic"};

// What a server of each kind sends for "one two three", in chunks.
inline std::string ProvidersAnswer(const std::string& kind, bool generate) {
  std::vector<std::string> pieces;
  for (const char* word : {"one", " two", " three"}) {
    const std::string text = word;
    if (kind == "openai") {
      pieces.push_back(R"(data: {"choices":[{"delta":{"content":")" + text + "\"}}]}\n\n");
    } else if (kind == "ollama" && generate) {
      pieces.push_back(R"({"response":")" + text + "\",\"done\":false}\n");
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

// The value of a member of a flat JSON text, as tests need it.
inline std::string MemberText(const std::string& json, const std::string& name) {
  const size_t at = json.find("\"" + name + "\":\"");
  if (at == json.npos) return "";
  const size_t start = at + name.size() + 4;
  return json.substr(start, json.find('"', start) - start);
}

// An account's access token.
inline std::string MakeAccount(const BackendProcess& backend, const std::string& name) {
  const std::string body = R"({"name":")" + name + R"(","password":"correct horse battery"})";
  const HttpMessage made = backend.Request("POST", "/api/v1/register", "", body);
  EXPECT_EQ(made.status(), 201) << made.raw;
  const HttpMessage in = backend.Request("POST", "/api/v1/login", "", body);
  EXPECT_EQ(in.status(), 200) << in.raw;
  return MemberText(in.body, "access_token");
}

// A key of an account for models.
inline std::string MakeLlmKey(const BackendProcess& backend, const std::string& token) {
  const HttpMessage key =
      backend.Request("POST", "/api/v1/keys", "Authorization: Bearer " + token + "\r\n",
                      R"({"name":"test","scopes":["llm"]})");
  EXPECT_EQ(key.status(), 201) << key.raw;
  return MemberText(key.body, "key");
}

// A backend before the stand-ins, with an account and its key.
class BackendLlm : public testing::Test {
 protected:
  // `llm` stands in that section, `sections` beside it.
  void Start(const StandIn& stand_in, const std::string& llm = "",
             const std::string& sections = "") {
    backend_ = std::make_unique<BackendProcess>(sections + LlmSettings(stand_in, llm));
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

}  // namespace framewall::test
