// Vectors from a provider over HTTP: one request, one JSON answer.
#pragma once

#include <functional>
#include <memory>

#include "backend/llm/http_client.h"
#include "backend/llm/provider.h"
#include "proxy/json/document.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {

// The vectors of an answer; false where it is not as it should be.
using ReadEmbeddings = std::function<bool(const json::Value& body, Embeddings& to)>;

// `client` outlives it. An answer with another number of vectors than `count` is an error.
std::unique_ptr<Completion> MakeEmbeddingCall(HttpClient& client, HttpRequest request, size_t count,
                                              ReadEmbeddings read, EmbeddingDone done);

// {"data": [{"index", "embedding": […]}], "usage": {"prompt_tokens"}}
bool ReadOpenAiEmbeddings(const json::Value& body, Embeddings& to);
// {"embeddings": [[…]], "prompt_eval_count"}
bool ReadOllamaEmbeddings(const json::Value& body, Embeddings& to);

// What Ollama and OpenAI are asked alike: model, input, dimensions.
json::Node EmbeddingBody(const EmbeddingRequest& request);

}  // namespace framewall::backend::llm
