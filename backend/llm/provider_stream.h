// What providers stream, read piece by piece: octets in, pieces of an answer out. One for each
// dialect; they know no connection.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "backend/llm/provider.h"
#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/json/document.h"

namespace framewall::backend::llm {

class ProviderStream {
 public:
  // `to` outlives it. OnEnd is the dialect's end mark, OnError the provider's word that it failed;
  // behind either nothing more is told.
  explicit ProviderStream(CompletionEvents* to) : to_(to) {}
  virtual ~ProviderStream() = default;
  ProviderStream(const ProviderStream&) = delete;
  ProviderStream& operator=(const ProviderStream&) = delete;

  // An error is octets that the API does not promise; then it is of no use any more.
  virtual Status Read(ByteView piece) = 0;
  // The body ended. What has no end mark until then never gets one.
  virtual void Finish() {}

 protected:
  CompletionEvents& events() { return *to_; }
  bool over() const { return over_; }
  void Complete(FinishReason reason, const Usage& usage) {
    if (!std::exchange(over_, true)) to_->OnEnd(reason, usage);
  }
  void Fail(const Problem& problem) {
    if (!std::exchange(over_, true)) to_->OnError(problem);
  }

 private:
  CompletionEvents* const to_;
  bool over_ = false;
};

using MakeStream = std::unique_ptr<ProviderStream> (*)(CompletionEvents* to);
// Chunks as server-sent events, and [DONE].
std::unique_ptr<ProviderStream> MakeOpenAiStream(CompletionEvents* to);
// Lines of /api/chat and /api/generate, the last with "done": true.
std::unique_ptr<ProviderStream> MakeOllamaStream(CompletionEvents* to);
// Typed events, and message_stop.
std::unique_ptr<ProviderStream> MakeAnthropicStream(CompletionEvents* to);

inline constexpr json::Limits kPieceLimits{.octets = size_t{4} * 1024 * 1024, .depth = 64};

// The member as text, or empty; as a number, or 0.
std::string_view TextMember(const json::Value& object, std::string_view name);
int64_t IntegerMember(const json::Value& object, std::string_view name);
// {"error": …} that is not null.
bool HasError(const json::Value& object);

}  // namespace framewall::backend::llm
