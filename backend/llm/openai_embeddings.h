// OpenAI's POST /v1/embeddings: vectors as numbers, or as base64 of little-endian 32 bit floats.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/llm/provider.h"
#include "backend/server/call.h"

namespace framewall::backend::llm {

void AnswerOpenAiEmbeddings(server::CallRef call, Models& models);

// Asks for vectors, and ends the work when the client is gone. `answer` makes the reply, `refusal`
// an error of the client's dialect.
using EmbeddingsReply = std::function<std::string(const Embeddings& embeddings)>;
using RefusalReply = std::function<server::Reply(const Problem& problem)>;
void AnswerWithEmbeddings(server::CallRef call, Models& models, const EmbeddingRequest& request,
                          EmbeddingsReply answer, RefusalReply refusal);

std::string Float32Base64(const std::vector<double>& vector);

inline constexpr size_t kMaxInputs = 2048;

}  // namespace framewall::backend::llm
