// Errors as OpenAI's clients expect them: {"error": {message, type, param, code}}.
#pragma once

#include <string>

#include "backend/base/problem.h"
#include "backend/server/call.h"

namespace framewall::backend::llm {

// `param` is the first field's place: "messages[0].content".
std::string OpenAiError(const Problem& problem);
// The same with its status (422 is 400 here), Retry-After, and x-should-retry: false where
// waiting as long as such clients wait does not help.
server::Reply OpenAiErrorReply(const Problem& problem);

// Also for the other dialects.
server::Fields RetryFields(const Problem& problem);

}  // namespace framewall::backend::llm
