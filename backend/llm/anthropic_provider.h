// Anthropic's Messages API: /v1/messages, typed server-sent events that end with message_stop.
#pragma once

#include <memory>

#include "backend/llm/http_client.h"
#include "backend/llm/openai_provider.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

std::unique_ptr<Provider> MakeAnthropicProvider(event::EventLoop& loop,
                                                std::unique_ptr<HttpClient> client,
                                                const RemoteOptions& options);

}  // namespace framewall::backend::llm
