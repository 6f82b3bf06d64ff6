#include "backend/llm/provider.h"

namespace framewall::backend::llm {
namespace {

// What a turn costs besides its text: role and separators.
constexpr int64_t kTokensPerTurn = 4;
// An image in the middle of what providers charge.
constexpr int64_t kTokensPerImage = 800;

}  // namespace

int64_t EstimateTokens(std::string_view text) {
  int64_t latin = 0;
  int64_t others = 0;
  for (const char c : text) {
    const auto octet = static_cast<uint8_t>(c);
    if (octet < 0x80) {
      ++latin;
    } else if ((octet & 0xc0) != 0x80) {
      ++others;
    }
  }
  return (latin + 2 * others + 3) / 4;
}

int64_t EstimateTokens(const CompletionRequest& request) {
  int64_t tokens = 0;
  for (const Turn& turn : request.turns) {
    tokens += kTokensPerTurn + EstimateTokens(turn.text);
    tokens += kTokensPerImage * static_cast<int64_t>(turn.images.size());
    for (const ToolCall& call : turn.tool_calls) {
      tokens += EstimateTokens(call.name) + EstimateTokens(call.arguments);
    }
  }
  for (const Tool& tool : request.tools) {
    tokens += EstimateTokens(tool.name) + EstimateTokens(tool.description) +
              EstimateTokens(tool.parameters);
  }
  return tokens + EstimateTokens(request.answer_format);
}

}  // namespace framewall::backend::llm
