// The bodies of Ollama's /api/chat and /api/generate, of which the same is true as of OpenAI's.
#pragma once

#include "backend/llm/body_reader.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

// Fill `request` (but for payer and body); streams unless the body says otherwise.
void ReadOllamaChat(BodyReader& reader, const Place& body, CompletionRequest& request,
                    bool& stream);
void ReadOllamaGenerate(BodyReader& reader, const Place& body, CompletionRequest& request,
                        bool& stream);

// The client's name of a model: a known one, else without the tag that Ollama's clients add.
std::string OllamaModelName(const Models& models, std::string_view name);

}  // namespace framewall::backend::llm
