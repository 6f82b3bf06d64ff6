// An answer of a model on its way to a client, in whatever dialect: whole or in pieces.
//
//   waiting ──first piece──► streaming ──end──► done
//      │ error: a status        │ error: said in band
//      ▼                        ▼
//     done                     done          the client gone, anywhere: the provider is stopped
//
// Nothing is sent before the first piece, so that until then every failure is a status. An answer
// that is not whole never looks like one: without its end mark it ends with the error, and so does
// the connection. That is why every stream says in its head that it closes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/llm/provider.h"
#include "backend/server/call.h"

namespace framewall::backend::llm {

// What has come so far.
struct Gathered {
  std::string text;       // where the answer is whole, or the format keeps it
  std::string reasoning;  // the same
  std::vector<ToolCall> tool_calls;
};

// How a dialect writes an answer; one for each.
class AnswerFormat {
 public:
  virtual ~AnswerFormat() = default;

  virtual std::string_view stream_type() const = 0;  // media type
  // A stream's end repeats all of it.
  virtual bool keeps_text() const { return false; }

  // Each appends to `out` what goes on the wire for it.
  virtual void Begin(std::string& out) = 0;
  virtual void Text(std::string_view piece, std::string& out) = 0;
  virtual void Reasoning(std::string_view /*piece*/, std::string& /*out*/) {}
  virtual void ToolCallPart(const ToolCallPiece& /*piece*/, std::string& /*out*/) {}
  virtual void End(const Gathered& all, FinishReason reason, const Usage& usage,
                   std::string& out) = 0;
  // Behind at least one piece.
  virtual void Broken(const Problem& problem, std::string& out) = 0;

  virtual std::string Whole(const Gathered& all, FinishReason reason, const Usage& usage) = 0;
  virtual server::Reply Refusal(const Problem& problem) = 0;
};

// Answers the call. `models` outlives it; a name that it does not know is a Refusal
// (model_not_found).
void AnswerWithModel(server::CallRef call, Models& models, const CompletionRequest& request,
                     bool stream, std::unique_ptr<AnswerFormat> format);

}  // namespace framewall::backend::llm
