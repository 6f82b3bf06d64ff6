#include "backend/llm/openai_chat.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "backend/base/id.h"
#include "backend/llm/openai_error.h"
#include "proxy/base/clock.h"
#include "proxy/base/encoding.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

json::Node UsageNode(const Usage& usage) {
  json::Node node = json::Node::Object();
  node.Set("prompt_tokens", usage.prompt_tokens);
  node.Set("completion_tokens", usage.completion_tokens);
  node.Set("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  return node;
}

json::Node ToolCallNode(const ToolCall& call) {
  json::Node function = json::Node::Object();
  function.Set("name", call.name).Set("arguments", call.arguments);
  json::Node node = json::Node::Object();
  node.Set("id", call.id).Set("type", "function").Set("function", std::move(function));
  return node;
}

class OpenAiChatFormat final : public AnswerFormat {
 public:
  OpenAiChatFormat(const std::string& model, const ChatOptions& options)
      : id_("chatcmpl-" + NewId()),
        created_(CachedNow().unix_seconds()),
        model_(model),
        include_usage_(options.include_usage) {}

  std::string_view stream_type() const override { return "text/event-stream; charset=utf-8"; }

  void Begin(std::string& out) override {
    // All but the choices is the same in every chunk.
    json::Node head = json::Node::Object();
    head.Set("id", id_).Set("object", "chat.completion.chunk").Set("created", created_);
    head.Set("model", model_);
    prefix_ = "data: " + head.Text();
    prefix_.back() = ',';
    Delta(R"("role":"assistant","content":"")", out);
  }

  void Text(std::string_view piece, std::string& out) override {
    StartChoice(out);
    out += R"("content":")";
    AppendJsonEscaped(out, piece);
    out += '"';
    EndChoice("null", out);
  }

  // As vLLM and others tell it; OpenAI's own API has no member for it.
  void Reasoning(std::string_view piece, std::string& out) override {
    StartChoice(out);
    out += R"("reasoning_content":")";
    AppendJsonEscaped(out, piece);
    out += '"';
    EndChoice("null", out);
  }

  void ToolCallPart(const ToolCallPiece& piece, std::string& out) override {
    json::Node function = json::Node::Object();
    if (!piece.name.empty()) function.Set("name", piece.name);
    function.Set("arguments", piece.arguments);
    json::Node call = json::Node::Object();
    call.Set("index", piece.index);
    if (!piece.id.empty()) call.Set("id", piece.id).Set("type", "function");
    call.Set("function", std::move(function));
    Delta(R"("tool_calls":[)" + call.Text() + "]", out);
  }

  void End(const Gathered& /*all*/, FinishReason reason, const Usage& usage,
           std::string& out) override {
    StartChoice(out);
    EndChoice(fmt::format("\"{}\"", FinishReasonName(reason)), out);
    if (include_usage_) {
      out += prefix_ + R"("choices":[],"usage":)" + UsageNode(usage).Text() + "}\n\n";
    }
    out += "data: [DONE]\n\n";
  }

  void Broken(const Problem& problem, std::string& out) override {
    out += "data: " + OpenAiError(problem) + "\n\n";
  }

  std::string Whole(const Gathered& all, FinishReason reason, const Usage& usage) override {
    json::Node message = json::Node::Object();
    message.Set("role", "assistant");
    message.Set("content", all.text.empty() && !all.tool_calls.empty() ? json::Node::Null()
                                                                       : json::Node(all.text));
    message.Set("refusal", json::Node::Null());
    if (!all.reasoning.empty()) message.Set("reasoning_content", all.reasoning);
    if (!all.tool_calls.empty()) {
      json::Node calls = json::Node::Array();
      for (const ToolCall& call : all.tool_calls) calls.Add(ToolCallNode(call));
      message.Set("tool_calls", std::move(calls));
    }
    json::Node choice = json::Node::Object();
    choice.Set("index", 0).Set("message", std::move(message));
    choice.Set("logprobs", json::Node::Null()).Set("finish_reason", FinishReasonName(reason));
    json::Node choices = json::Node::Array();
    choices.Add(std::move(choice));
    json::Node answer = json::Node::Object();
    answer.Set("id", id_).Set("object", "chat.completion").Set("created", created_);
    answer.Set("model", model_).Set("choices", std::move(choices));
    answer.Set("usage", UsageNode(usage));
    return answer.Text();
  }

  server::Reply Refusal(const Problem& problem) override { return OpenAiErrorReply(problem); }

 private:
  void StartChoice(std::string& out) {
    out += prefix_;
    out += R"("choices":[{"index":0,"delta":{)";
  }
  void EndChoice(std::string_view finish_reason, std::string& out) {
    out += R"(},"logprobs":null,"finish_reason":)";
    out += finish_reason;
    out += include_usage_ ? R"(}],"usage":null})" : "}]}";
    out += "\n\n";
  }
  void Delta(std::string_view members, std::string& out) {
    StartChoice(out);
    out += members;
    EndChoice("null", out);
  }

  const std::string id_;
  const int64_t created_;
  const std::string model_;
  const bool include_usage_;
  std::string prefix_;  // of every chunk
};

}  // namespace

std::string_view FinishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kContentFilter:
      return "content_filter";
    case FinishReason::kToolCalls:
      return "tool_calls";
  }
  return "stop";
}

std::unique_ptr<AnswerFormat> MakeOpenAiChatFormat(const std::string& model,
                                                   const ChatOptions& options) {
  return std::make_unique<OpenAiChatFormat>(model, options);
}

}  // namespace framewall::backend::llm
