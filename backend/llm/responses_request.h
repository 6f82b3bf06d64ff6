// The body of OpenAI's POST /v1/responses, without state: what would need something stored
// (previous_response_id, conversation, store, background, references to items) is refused.
#pragma once

#include <optional>
#include <string>

#include "backend/llm/body_reader.h"
#include "backend/llm/provider.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {

struct ResponsesOptions {
  bool stream = false;
  // What an answer repeats of the request, as JSON text.
  std::string instructions = "null";
  std::string tools = "[]";
  std::string tool_choice = "\"auto\"";
  std::string text = R"({"format":{"type":"text"}})";
  std::string metadata = "{}";
};

void ReadResponses(BodyReader& reader, const Place& body, CompletionRequest& request,
                   ResponsesOptions& options);

}  // namespace framewall::backend::llm
