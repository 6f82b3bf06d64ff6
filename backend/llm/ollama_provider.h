// Ollama's own API: /api/chat, /api/generate and /api/embed, answers as lines of JSON that end with
// "done": true.
#pragma once

#include <memory>

#include "backend/llm/http_client.h"
#include "backend/llm/openai_provider.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

std::unique_ptr<Provider> MakeOllamaProvider(event::EventLoop& loop,
                                             std::unique_ptr<HttpClient> client,
                                             const RemoteOptions& options);

}  // namespace framewall::backend::llm
