#include "backend/llm/ollama_chat.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "backend/base/time.h"
#include "backend/llm/openai_error.h"
#include "proxy/base/clock.h"
#include "proxy/base/encoding.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Node;

// Arguments are an object there. A text that is none, which a model may well write, is not lost.
Node Arguments(const std::string& text) {
  if (text.empty()) return Node::Object();
  const auto document = json::Document::Parse(text);
  if (document.ok() && document->root().kind() == json::Kind::kObject) {
    return Node::Copy(document->root());
  }
  return Node::Object().Set("arguments", text);
}

class OllamaFormat final : public AnswerFormat {
 public:
  OllamaFormat(OllamaPath path, const std::string& model)
      : path_(path), model_(model), started_(CachedNow().steady) {}

  std::string_view stream_type() const override { return "application/x-ndjson"; }
  void Begin(std::string& /*out*/) override {}

  void Text(std::string_view piece, std::string& out) override {
    Piece(path_ == OllamaPath::kChat ? "content" : "response", piece, out);
  }
  void Reasoning(std::string_view piece, std::string& out) override {
    Piece("thinking", piece, out);
  }

  void End(const Gathered& all, FinishReason reason, const Usage& usage,
           std::string& out) override {
    if (path_ == OllamaPath::kChat && !all.tool_calls.empty()) {
      Node line = Head();
      Node message = Node::Object();
      message.Set("role", "assistant").Set("content", "");
      message.Set("tool_calls", ToolCalls(all));
      line.Set("message", std::move(message)).Set("done", false);
      out += line.Text() + "\n";
    }
    Node line = Head();
    if (path_ == OllamaPath::kChat) {
      line.Set("message", Node::Object().Set("role", "assistant").Set("content", ""));
    } else {
      line.Set("response", "");
    }
    SetEnd(line, reason, usage);
    out += line.Text() + "\n";
  }

  void Broken(const Problem& problem, std::string& out) override {
    out += Node::Object().Set("error", problem.detail).Set("code", problem.code).Text() + "\n";
  }

  std::string Whole(const Gathered& all, FinishReason reason, const Usage& usage) override {
    Node answer = Head();
    if (path_ == OllamaPath::kGenerate) {
      answer.Set("response", all.text);
      if (!all.reasoning.empty()) answer.Set("thinking", all.reasoning);
    } else {
      Node message = Node::Object();
      message.Set("role", "assistant").Set("content", all.text);
      if (!all.reasoning.empty()) message.Set("thinking", all.reasoning);
      if (!all.tool_calls.empty()) message.Set("tool_calls", ToolCalls(all));
      answer.Set("message", std::move(message));
    }
    SetEnd(answer, reason, usage);
    return answer.Text();
  }

  server::Reply Refusal(const Problem& problem) override { return OllamaErrorReply(problem); }

 private:
  Node Head() const {
    return Node::Object().Set("model", model_).Set("created_at", Rfc3339(UnixMilliseconds()));
  }

  static Node ToolCalls(const Gathered& all) {
    Node calls = Node::Array();
    for (const ToolCall& call : all.tool_calls) {
      Node function = Node::Object();
      function.Set("name", call.name).Set("arguments", Arguments(call.arguments));
      calls.Add(Node::Object().Set("function", std::move(function)));
    }
    return calls;
  }

  void Piece(std::string_view member, std::string_view piece, std::string& out) {
    if (first_ == SteadyTime{}) first_ = CachedNow().steady;
    out += Head().Text();
    out.back() = ',';
    if (path_ == OllamaPath::kChat) {
      out += R"("message":{"role":"assistant",)";
      // Clients add pieces of content to each other, also where there is none.
      if (member != "content") out += R"("content":"",)";
    } else if (member != "response") {
      out += R"("response":"",)";
    }
    out += '"';
    out += member;
    out += R"(":")";
    AppendJsonEscaped(out, piece);
    out += path_ == OllamaPath::kChat ? R"("},"done":false})" : R"(","done":false})";
    out += '\n';
  }

  void SetEnd(Node& line, FinishReason reason, const Usage& usage) {
    const SteadyTime now = CachedNow().steady;
    const SteadyTime first = first_ == SteadyTime{} ? now : first_;
    const auto nanoseconds = [](SteadyTime::duration time) {
      return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    };
    line.Set("done", true);
    line.Set("done_reason", reason == FinishReason::kLength ? "length" : "stop");
    line.Set("total_duration", nanoseconds(now - started_)).Set("load_duration", 0);
    line.Set("prompt_eval_count", usage.prompt_tokens);
    line.Set("prompt_eval_duration", nanoseconds(first - started_));
    line.Set("eval_count", usage.completion_tokens);
    line.Set("eval_duration", nanoseconds(now - first));
  }

  const OllamaPath path_;
  const std::string model_;
  const SteadyTime started_;
  SteadyTime first_{};
};

}  // namespace

server::Reply OllamaErrorReply(const Problem& problem) {
  server::Reply reply;
  reply.status = problem.status == 422 ? 400 : problem.status;
  std::string text = problem.detail;
  if (!problem.fields.empty() && !problem.fields.front().pointer.empty()) {
    text = problem.fields.front().pointer + ": " + text;
  }
  reply.body = Node::Object().Set("error", text).Set("code", problem.code).Text();
  reply.fields = RetryFields(problem);
  return reply;
}

std::unique_ptr<AnswerFormat> MakeOllamaFormat(OllamaPath path, const std::string& model) {
  return std::make_unique<OllamaFormat>(path, model);
}

}  // namespace framewall::backend::llm
