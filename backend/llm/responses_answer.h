// Answers as OpenAI's /v1/responses gives them: one object, or typed events that build it up, from
// response.created to response.completed.
#pragma once

#include <memory>

#include "backend/llm/answer.h"
#include "backend/llm/responses_request.h"

namespace framewall::backend::llm {

std::unique_ptr<AnswerFormat> MakeResponsesFormat(const CompletionRequest& request,
                                                  const ResponsesOptions& options);

}  // namespace framewall::backend::llm
