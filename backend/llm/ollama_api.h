// Ollama's paths, below /api/ and below /ollama/api/. Models are the settings' business: pull,
// push, create, copy and delete are refused.
#pragma once

#include <vector>

#include "backend/llm/provider.h"
#include "backend/server/router.h"

namespace framewall::backend::llm {

// `models` outlives the routes.
std::vector<server::Route> OllamaRoutes(Models& models);

}  // namespace framewall::backend::llm
