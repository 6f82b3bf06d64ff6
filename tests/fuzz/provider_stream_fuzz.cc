// What model servers stream: how it is cut does not matter, there is one end or one error at most,
// and calls are numbered without gaps. Octet 0 chooses the dialect, octet 1 the size of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backend/llm/provider_stream.h"
#include "proxy/base/check.h"

namespace framewall::backend::llm {
namespace {

struct Heard final : CompletionEvents {
  void OnText(std::string_view piece) override {
    FW_CHECK(!over());
    all += piece;
  }
  void OnReasoning(std::string_view piece) override {
    FW_CHECK(!over());
    all += piece;
  }
  void OnToolCall(const ToolCallPiece& piece) override {
    FW_CHECK(!over() && piece.index <= calls);
    if (piece.index == calls) ++calls;
    all += piece.name;
    all += piece.arguments;
  }
  void OnEnd(FinishReason reason, const Usage& usage) override {
    FW_CHECK(!over());
    ++ends;
    all += std::to_string(static_cast<int>(reason)) + "," + std::to_string(usage.completion_tokens);
  }
  void OnError(const Problem& problem) override {
    FW_CHECK(!over() && problem.status >= 400);
    ++errors;
  }
  bool over() const { return ends + errors > 0; }
  bool operator==(const Heard& other) const {
    return all == other.all && calls == other.calls && ends == other.ends &&
           errors == other.errors && bad == other.bad;
  }
  std::string all;
  size_t calls = 0;
  int ends = 0;
  int errors = 0;
  bool bad = false;
};

Heard ReadAll(MakeStream make, std::string_view octets, size_t step) {
  Heard heard;
  const auto stream = make(&heard);
  while (!octets.empty()) {
    const size_t size = std::min(step, octets.size());
    // Of their own, so that a sanitizer sees a read beyond.
    const std::unique_ptr<char[]> copy(new char[size]);
    octets.copy(copy.get(), size);
    octets.remove_prefix(size);
    if (stream->Read({copy.get(), size}).ok()) continue;
    heard.bad = true;
    return heard;
  }
  stream->Finish();
  return heard;
}

}  // namespace
}  // namespace framewall::backend::llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace framewall::backend::llm;  // NOLINT
  if (size < 2) return 0;
  constexpr MakeStream kMake[] = {MakeOpenAiStream, MakeOllamaStream, MakeAnthropicStream};
  const MakeStream make = kMake[data[0] % 3];
  const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Heard whole = ReadAll(make, octets, std::string_view::npos);
  FW_CHECK(ReadAll(make, octets, data[1] % 64 + 1u) == whole);
  FW_CHECK(ReadAll(make, octets, 1) == whole);
  return 0;
}
