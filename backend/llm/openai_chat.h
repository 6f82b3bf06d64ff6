// Answers as OpenAI's /v1/chat/completions gives them: one object, or chunks as server-sent events
// that end with [DONE].
#pragma once

#include <memory>
#include <string>

#include "backend/llm/answer.h"
#include "backend/llm/openai_request.h"

namespace framewall::backend::llm {

std::unique_ptr<AnswerFormat> MakeOpenAiChatFormat(const std::string& model,
                                                   const ChatOptions& options);

std::string_view FinishReasonName(FinishReason reason);

}  // namespace framewall::backend::llm
