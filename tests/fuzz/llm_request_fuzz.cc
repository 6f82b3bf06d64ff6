// Bodies of the dialects: whatever a client sends is taken or refused, with a place that exists as
// text, and what was taken can be told to every provider. Octet 0 chooses the dialect.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "backend/llm/ollama_request.h"
#include "backend/llm/openai_error.h"
#include "backend/llm/openai_request.h"
#include "backend/llm/responses_answer.h"
#include "backend/llm/responses_request.h"
#include "proxy/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::llm;  // NOLINT
  namespace json = framewall::json;
  if (size < 1) return 0;
  const auto body =
      json::Document::Parse({reinterpret_cast<const char*>(data) + 1, size - 1}, {.depth = 32});
  if (!body.ok() || body->root().kind() != json::Kind::kObject) return 0;
  BodyReader reader;
  CompletionRequest request;
  const Place root{body->root(), ""};
  ChatOptions chat;
  ResponsesOptions responses;
  bool stream = false;
  switch (data[0] % 4) {
    case 0:
      ReadOpenAiChat(reader, root, request, chat);
      break;
    case 1:
      ReadOllamaChat(reader, root, request, stream);
      break;
    case 2:
      ReadOllamaGenerate(reader, root, request, stream);
      break;
    default:
      ReadResponses(reader, root, request, responses);
      break;
  }
  if (!reader.ok()) {
    const auto reply = OpenAiErrorReply(reader.problem());
    FW_CHECK(reply.status == 400);
    FW_CHECK(json::Document::Parse(reply.body).ok());
    return 0;
  }
  FW_CHECK(EstimateTokens(request) >= 0);
  for (const Turn& turn : request.turns) {
    FW_CHECK(turn.role == "system" || turn.role == "user" || turn.role == "assistant" ||
             turn.role == "tool");
    for (const auto& image : turn.images) FW_CHECK(IsImageReference(image));
  }
  if (data[0] % 4 == 3) {
    const auto format = MakeResponsesFormat(request, responses);
    FW_CHECK(json::Document::Parse(format->Whole({}, FinishReason::kStop, {})).ok());
  }
  return 0;
}
