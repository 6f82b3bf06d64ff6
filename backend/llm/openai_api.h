// OpenAI's paths: /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/models, /v1/models/ID;
// and the list of all dialects' routes.
#pragma once

#include <vector>

#include "backend/llm/provider.h"
#include "backend/server/router.h"

namespace framewall::backend::llm {

// Bodies of prompts, in octets: pictures come within them.
inline constexpr size_t kPromptLimit = size_t{20} * 1024 * 1024;

// `models` outlives the routes.
std::vector<server::Route> OpenAiRoutes(Models& models);
// All dialects.
std::vector<server::Route> LlmRoutes(Models& models);
// What the router itself refuses below their paths. /v1/messages is Anthropic's.
std::vector<server::ErrorPrefix> LlmErrorPrefixes();

// --- for the dialects ---

// Who pays for the call.
Payer PayerOf(const server::Call& call);
// The body as an object; nothing where it is none: then `problem` says why.
std::optional<json::Document> ReadBody(const server::Call& call, Problem& problem);

}  // namespace framewall::backend::llm
