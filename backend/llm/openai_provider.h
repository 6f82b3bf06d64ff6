// A server that speaks OpenAI's API: OpenAI, vLLM, llama.cpp, LiteLLM. Asked for streams always: a
// stream without [DONE] is an error, so a whole answer is known to be whole.
#pragma once

#include <memory>

#include "backend/llm/http_client.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

struct RemoteOptions {
  std::string key;            // empty: none is sent
  std::string authorization;  // "bearer", "x-api-key"
  std::string version;        // anthropic-version
  bool image_addresses = false;
};

std::unique_ptr<Provider> MakeOpenAiProvider(event::EventLoop& loop,
                                             std::unique_ptr<HttpClient> client,
                                             const RemoteOptions& options);

// For all that have a server: content type, authorization, user agent.
std::vector<std::pair<std::string, std::string>> RequestFields(const RemoteOptions& options);

}  // namespace framewall::backend::llm
