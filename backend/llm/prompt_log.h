// Prompts and answers in a file of their own, where the settings ask for it (llm.prompt_log), and
// nowhere else: a line of JSON for each request of a model that has ended.
//
//   {"time": RFC 3339, "user": ID, "key": ID, "model": NAME, "prompt": [{"role", "text", "images":
//    COUNT, "tool_calls": [{"name", "arguments"}]}], "answer": TEXT, "reasoning": TEXT,
//    "tool_calls": [...], "end": "stop", "prompt_tokens", "completion_tokens", "estimated",
//    "milliseconds", "cut": true}
//
// `end` is a finish reason, a problem's code, or "gone" where the client went away. Vectors have
// "inputs" instead of prompt and answer. Images are counted, keys are in no request that comes
// here; what looks like an API key of ours is masked. Texts beyond the limit are cut, which `cut`
// tells.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backend/llm/provider.h"
#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace framewall::backend::llm {

class PromptLog {
 public:
  // The file is made with mode 0600. `octets`: of a request's prompt, and of its answer.
  static Result<std::unique_ptr<PromptLog>> Open(std::string path, size_t octets);
  // HUP, USR1: opens the file anew; the old one stays in use where that fails.
  Status Reopen();

  size_t octets() const { return octets_; }
  // Ends with a line feed. What cannot be written is said in the main log, without the line.
  void Write(std::string_view line);

 private:
  PromptLog(std::string path, size_t octets) : path_(std::move(path)), octets_(octets) {}
  const std::string path_;
  const size_t octets_;
  UniqueFd file_;
};

// Pass everything on, and write down what was asked and said. `log` outlives the result.
using StartLogged = std::function<std::unique_ptr<Completion>(CompletionEvents* events)>;
std::unique_ptr<Completion> CompleteLogged(PromptLog& log, const CompletionRequest& request,
                                           const StartLogged& start, CompletionEvents* events);
// Null where `start` makes none.
using StartLoggedEmbedding = std::function<std::unique_ptr<Completion>(EmbeddingDone done)>;
std::unique_ptr<Completion> EmbedLogged(PromptLog& log, const EmbeddingRequest& request,
                                        const StartLoggedEmbedding& start, EmbeddingDone done);

}  // namespace framewall::backend::llm
