// The body of OpenAI's POST /v1/chat/completions. What is not known here is passed on to providers
// of the same dialect; what would change the answer's shape and cannot be kept is refused.
#pragma once

#include <string>

#include "backend/llm/body_reader.h"
#include "backend/llm/provider.h"

namespace framewall::backend::llm {

struct ChatOptions {
  bool stream = false;
  bool include_usage = false;  // stream_options
};

// Fills `request` (but for payer and body) and `options`; reader.ok() says whether it went well.
void ReadOpenAiChat(BodyReader& reader, const Place& body, CompletionRequest& request,
                    ChatOptions& options);

// What the dialects share.

// "data:" of an image type, or an http(s) address.
bool IsImageReference(std::string_view reference);
bool IsImageAddress(std::string_view reference);
// A function: {name, description, parameters}.
void ReadFunction(BodyReader& reader, const Place& function, CompletionRequest& request);

inline constexpr size_t kMaxMessages = 10000;
inline constexpr size_t kMaxTools = 512;
inline constexpr int64_t kMaxTokens = 10'000'000;

}  // namespace framewall::backend::llm
