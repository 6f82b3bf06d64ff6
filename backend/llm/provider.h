// A provider answers a conversation with pieces of text. One file for each kind: echo (an honest
// stand-in without a model) now; Ollama, OpenAI and Anthropic later.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/base/problem.h"

namespace framewall::backend::llm {

struct Turn {
  std::string role;  // system, user, assistant
  std::string text;
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  bool estimated = false;  // counted here, because the provider did not say
};

struct CompletionRequest {
  std::string model;  // as the provider calls it
  std::vector<Turn> turns;
  std::optional<double> temperature;
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> seed;
  std::vector<std::string> stop;
};

enum class FinishReason : uint8_t { kStop, kLength, kContentFilter, kToolCalls };

// Called from the loop; exactly one of OnEnd and OnError, as the last call.
class CompletionEvents {
 public:
  virtual ~CompletionEvents() = default;
  virtual void OnText(std::string_view piece) = 0;
  virtual void OnEnd(FinishReason reason, const Usage& usage) = 0;
  virtual void OnError(const Problem& problem) = 0;
};

// One answer under way; its end cancels the work at the provider, and no event follows.
class Completion {
 public:
  virtual ~Completion() = default;
  // Counted: whoever cannot take more pauses the provider.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string_view kind() const = 0;
  // `events` outlives the completion. No event comes from inside this call.
  virtual std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                               CompletionEvents* events) = 0;
};

// Models by the names that clients use.
class Models {
 public:
  struct Model {
    std::string name;
    std::string owned_by;  // the provider's name
    int64_t created = 0;   // seconds since 1970
  };
  virtual ~Models() = default;
  virtual const std::vector<Model>& all() const = 0;
  // Null: there is no such model. `request.model` is the client's name.
  virtual std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                               CompletionEvents* events) = 0;
};

}  // namespace framewall::backend::llm
