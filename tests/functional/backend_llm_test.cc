// Models through framewall-backend, as the vendors' own clients see them. The stand-ins behind it
// satisfy the vendors' clients first.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>

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
  RunLlmClient("no_budget.mjs", {address(), token_});
  // Others are not concerned.
  EXPECT_EQ(Chat(MakeAccount(*backend_, "ben"), "openai/ok").status(), 200);
}

// Every file of the directory but what the test has put there, by name.
std::map<std::string, std::string> FilesOf(const TempDir& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path())) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name == "provider.key") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    files[name].assign(std::istreambuf_iterator<char>(file), {});
  }
  return files;
}

TEST_F(BackendLlm, PromptsAndAnswersAreInNoLogUnlessAskedFor) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  const std::string canary = "Zebra7canary";
  const std::string messages = R"("messages":[{"role":"user","content":")" + canary + "\"}]}";
  for (const bool asked : {false, true}) {
    Start(stand_in, asked ? "  prompt_log: prompts.log\n" : "",
          "log: {level: debug, file: backend.log}\n");
    size_t requests = 0;
    const auto ask = [&](const std::string& path, const std::string& body, int status) {
      ++requests;
      const HttpMessage answer = backend_->Request("POST", path, Bearer(key_), body);
      EXPECT_EQ(answer.status(), status) << path << body << answer.raw;
    };
    // Whole, streamed, in every dialect, refused, broken, of a budget's and of no model.
    for (const char* kind : {"openai", "ollama", "anthropic"}) {
      const std::string of = std::string(R"({"model":")") + kind + "/";
      ask("/v1/chat/completions", of + R"(say",)" + messages, 200);
      ask("/v1/chat/completions", of + R"(say","stream":true,)" + messages, 200);
      ask("/v1/responses", of + R"(say","input":")" + canary + "\"}", 200);
      ask("/api/chat", of + R"(say",)" + messages, 200);
      ask("/ollama/api/generate", of + R"(say","prompt":")" + canary + "\"}", 200);
      ask("/v1/chat/completions", of + R"(status-400",)" + messages, 400);
      ask("/v1/chat/completions", of + R"(tells-key",)" + messages, 400);
      ask("/v1/chat/completions", of + R"(status-401",)" + messages, 502);
      ask("/v1/chat/completions", of + R"(cut-middle","stream":true,)" + messages, 200);
      ask("/v1/chat/completions", of + R"(error",)" + messages, 502);
    }
    ask("/v1/embeddings", R"({"model":"openai/ok","input":")" + canary + "\"}", 200);
    ask("/v1/embeddings", R"({"model":"anthropic/ok","input":")" + canary + "\"}", 400);
    const size_t logged = requests;
    ask("/v1/chat/completions", R"({"model":"nobody",)" + messages, 404);
    ask("/v1/chat/completions", R"({"model":"openai/ok","broken":)" + canary + "}", 400);
    EXPECT_EQ(backend_->Terminate(), 0);
    auto files = FilesOf(backend_->directory());
    EXPECT_EQ(files.count("prompts.log"), asked ? 1u : 0u);
    EXPECT_NE(files["backend.log"].find("createChatCompletion"), std::string::npos);
    files["output"] = backend_->Output();
    for (const auto& [name, text] : files) {
      EXPECT_EQ(text.find(canary) != text.npos, asked && name == "prompts.log") << name;
      EXPECT_EQ(text.find("secret-key"), text.npos) << name;
      EXPECT_EQ(text.find(key_), text.npos) << name;
      EXPECT_EQ(text.find(token_), text.npos) << name;
    }
    if (!asked) continue;
    const std::string& lines = files["prompts.log"];
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), static_cast<ptrdiff_t>(logged));
    EXPECT_NE(lines.find(R"("prompt":[{"role":"user","text":")" + canary + "\"}]"), lines.npos);
    // The answer repeats it, in JSON.
    EXPECT_NE(lines.find(R"(\"content\":\")" + canary), lines.npos) << lines;
    for (const char* end : {"stop", "refused_by_provider", "provider_broken", "provider_error",
                            "unsupported_model"}) {
      EXPECT_NE(lines.find(std::string(R"("end":")") + end), lines.npos) << end;
    }
    struct stat file {};
    EXPECT_EQ(::stat(backend_->directory().File("prompts.log").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600u);
  }
}

TEST_F(BackendLlm, ALogOfPromptsIsBoundedAndOpenedAnew) {
  backend_ = std::make_unique<BackendProcess>(
      "server: {listen: 127.0.0.1:%%PORT_0%%}\naccounts: {registration_open: true}\n"
      "llm: {prompt_log: prompts.log, prompt_log_octets: 300}\n");
  ASSERT_TRUE(backend_->Start()) << backend_->Output();
  EXPECT_TRUE(backend_->WaitForOutput("prompts and answers are written into"));
  token_ = MakeAccount(*backend_, "anna");
  const auto line_of = [&](const std::string& first, const std::string& second) {
    const HttpMessage answer = backend_->Request(
        "POST", "/v1/chat/completions", Bearer(token_),
        R"({"model":"echo","max_tokens":1,"messages":[{"role":"user","content":")" + first +
            R"("},{"role":"user","content":")" + second + "\"}]}");
    EXPECT_EQ(answer.status(), 200) << answer.raw;
    const std::string all = backend_->directory().Read("prompts.log");
    return all.substr(all.rfind('\n', all.size() - 2) + 1);
  };
  const std::string fits = line_of("a", std::string(299, 'b'));
  EXPECT_NE(fits.find("\"a\""), fits.npos) << fits;
  EXPECT_EQ(fits.find("\"cut\""), fits.npos) << fits;
  EXPECT_NE(fits.find(R"("end":"length")"), fits.npos) << fits;
  const std::string over = line_of("a", std::string(300, 'b'));
  EXPECT_EQ(over.find("\"a\""), over.npos) << over;
  EXPECT_NE(over.find(std::string(300, 'b')), over.npos) << over;
  EXPECT_NE(over.find(R"("cut":true)"), over.npos) << over;
  // No half a character.
  const std::string russian = line_of("a", std::string(299, 'b') + "ё");
  EXPECT_NE(russian.find("bbb\"}"), russian.npos) << russian;
  const std::string pasted = line_of("a", "my key is fw_" + std::string(43, 'K') + ", mind it");
  EXPECT_NE(pasted.find("my key is fw_***, mind it"), pasted.npos) << pasted;

  std::filesystem::rename(backend_->directory().File("prompts.log"),
                          backend_->directory().File("prompts.log.1"));
  backend_->Signal(SIGUSR1);
  ASSERT_TRUE(backend_->WaitForOutput("log file opened anew"));
  EXPECT_NE(line_of("a", "after").find("after"), std::string::npos);
  EXPECT_EQ(backend_->directory().Read("prompts.log.1").find("after"), std::string::npos);
}

TEST_F(BackendLlm, ALogOfPromptsThatCannotBeOpenedStopsTheStart) {
  backend_ = std::make_unique<BackendProcess>("llm: {prompt_log: nowhere/prompts.log}\n");
  EXPECT_FALSE(backend_->Start());
  EXPECT_NE(backend_->Output().find("llm.prompt_log: open() \"nowhere/prompts.log\" failed"),
            std::string::npos)
      << backend_->Output();
}

TEST_F(BackendLlm, AProvidersWordsDoNotTellItsKey) {
  FW_NEEDS_LLM_CLIENTS();
  StandIn stand_in;
  Start(stand_in);
  for (const std::string kind : {"openai", "ollama", "anthropic"}) {
    const HttpMessage answer = Chat(key_, kind + "/tells-key");
    EXPECT_EQ(answer.status(), 400);
    EXPECT_EQ(answer.body.find("secret-key"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("***."), std::string::npos) << answer.body;
  }
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
