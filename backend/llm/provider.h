// A provider answers a conversation with pieces of text. One file for each kind: echo (an honest
// stand-in without a model), Ollama, OpenAI and whatever speaks like it, Anthropic.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/base/problem.h"

namespace framewall::backend::llm {

// A function that the model wants to be called.
struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text, as the model wrote it: it may be broken
};

struct Turn {
  std::string role;  // system, user, assistant, tool
  std::string text = {};
  // "data:image/png;base64,…", or an address (has_image_address), which is never fetched by us.
  std::vector<std::string> images = {};
  std::vector<ToolCall> tool_calls = {};  // of the assistant
  std::string tool_call_id = {};          // of a tool's answer
  std::string tool_name = {};             // the same, where the dialect names the function
};

struct Tool {
  std::string name;
  std::string description;
  std::string parameters;  // JSON Schema as text; empty: none
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  bool estimated = false;  // counted here, because the provider did not say
};

// Who pays; all empty for work of the house.
struct Payer {
  std::string user;  // id
  std::string key;   // id of the API key; empty: a session
};

enum class Dialect : uint8_t { kOwn, kOpenAi, kOllamaChat, kOllamaGenerate };

struct CompletionRequest {
  std::string model;  // as the client calls it; a provider gets its own name for it
  std::vector<Turn> turns;
  std::optional<double> temperature = {};
  std::optional<double> top_p = {};
  std::optional<int64_t> max_tokens = {};
  std::optional<int64_t> seed = {};
  std::vector<std::string> stop = {};

  std::vector<Tool> tools = {};
  // "", "auto", "none", "required", or the name of one of `tools` behind "=".
  std::string tool_choice = {};
  // "": free text; "json_object"; or a JSON Schema that the answer must follow.
  std::string answer_format = {};

  Payer payer = {};

  // The body as the client sent it, for a provider that speaks the same dialect: what is not in
  // the members above is passed on from it. kOwn: there is none.
  Dialect dialect = Dialect::kOwn;
  std::string body = {};
};

enum class FinishReason : uint8_t { kStop, kLength, kContentFilter, kToolCalls };

// A piece of a call: `id` and `name` come whole with the first of an `index`, the arguments in
// pieces.
struct ToolCallPiece {
  size_t index = 0;
  std::string_view id = {};
  std::string_view name = {};
  std::string_view arguments = {};
};

// Called from the loop; exactly one of OnEnd and OnError, as the last call. From within, a
// completion is ended with EventLoop::Retire only.
class CompletionEvents {
 public:
  virtual ~CompletionEvents() = default;
  virtual void OnText(std::string_view piece) = 0;
  // What the model thought before its answer.
  virtual void OnReasoning(std::string_view /*piece*/) {}
  virtual void OnToolCall(const ToolCallPiece& /*piece*/) {}
  virtual void OnEnd(FinishReason reason, const Usage& usage) = 0;
  // A Problem's code and detail may be told to the client; addresses and keys are not in it.
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

struct EmbeddingRequest {
  std::string model;
  std::vector<std::string> inputs;
  std::optional<int64_t> dimensions = {};
  Payer payer = {};
};

struct Embeddings {
  std::vector<std::vector<double>> vectors;  // as many as inputs
  Usage usage;
};

// One of them is called once, from the loop, and not from inside Embed.
struct EmbeddingDone {
  std::function<void(Embeddings)> done;
  std::function<void(const Problem&)> failed;
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string_view kind() const = 0;
  // `events` outlives the completion. No event comes from inside this call.
  virtual std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                               CompletionEvents* events) = 0;
  // Null: it has none.
  virtual std::unique_ptr<Completion> Embed(const EmbeddingRequest& /*request*/,
                                            EmbeddingDone /*done*/) {
    return nullptr;
  }
  // May it be given addresses of images, which it then fetches?
  virtual bool takes_image_addresses() const { return false; }
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
  const Model* Find(std::string_view name) const {
    for (const Model& model : all()) {
      if (model.name == name) return &model;
    }
    return nullptr;
  }
  // For /ready: is a provider asked, or left alone after failures in a row?
  struct ProviderState {
    std::string name;
    bool left_alone = false;
  };
  virtual std::vector<ProviderState> provider_states() const { return {}; }
  // Null: there is no such model. `request.model` is the client's name. What it costs is counted
  // for `request.payer`, and refused where a limit of it is reached (429).
  virtual std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                               CompletionEvents* events) = 0;
  virtual std::unique_ptr<Completion> Embed(const EmbeddingRequest& /*request*/,
                                            EmbeddingDone /*done*/) {
    return nullptr;
  }
};

// A count that is a guess: about four Latin characters or two others to a token, the way common
// vocabularies come out on prose. Never 0 for text.
int64_t EstimateTokens(std::string_view text);
int64_t EstimateTokens(const CompletionRequest& request);

}  // namespace framewall::backend::llm
