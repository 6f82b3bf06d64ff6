// Answers as Ollama gives them: one object, or a line of JSON for each piece, the last of which
// says "done": true.
#pragma once

#include <memory>
#include <string>

#include "backend/llm/answer.h"

namespace framewall::backend::llm {

enum class OllamaPath : uint8_t { kChat, kGenerate };
std::unique_ptr<AnswerFormat> MakeOllamaFormat(OllamaPath path, const std::string& model);

// {"error": "…"}
server::Reply OllamaErrorReply(const Problem& problem);

}  // namespace framewall::backend::llm
