#include "backend/llm/responses_answer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/base/id.h"
#include "backend/llm/openai_error.h"
#include "proxy/base/clock.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Node;

Node Parsed(const std::string& text) {
  const auto document = json::Document::Parse(text, {.octets = size_t{64} * 1024 * 1024});
  return document.ok() ? Node::Copy(document->root()) : Node::Null();
}

template <class T>
Node OrNull(const std::optional<T>& value) {
  return value.has_value() ? Node(*value) : Node::Null();
}

// One item of the output: a message, or a call of a function.
struct Item {
  std::string id;
  bool is_call = false;
  std::string text = {};  // a message's, or a call's arguments
  std::string call_id = {}, name = {};
};

Node PartNode(const std::string& text) {
  Node part = Node::Object();
  part.Set("type", "output_text").Set("text", text);
  part.Set("annotations", Node::Array()).Set("logprobs", Node::Array());
  return part;
}

Node ItemNode(const Item& item, std::string_view status) {
  Node node = Node::Object();
  node.Set("id", item.id).Set("type", item.is_call ? "function_call" : "message");
  node.Set("status", status);
  const bool begun = status == "in_progress";
  if (item.is_call) {
    node.Set("call_id", item.call_id).Set("name", item.name);
    node.Set("arguments", begun ? "" : item.text);
  } else {
    node.Set("role", "assistant");
    Node content = Node::Array();
    if (!begun) content.Add(PartNode(item.text));
    node.Set("content", std::move(content));
  }
  return node;
}

class ResponsesFormat final : public AnswerFormat {
 public:
  ResponsesFormat(const CompletionRequest& request, const ResponsesOptions& options)
      : id_("resp_" + NewId()),
        created_(CachedNow().unix_seconds()),
        model_(request.model),
        max_tokens_(request.max_tokens),
        temperature_(request.temperature),
        top_p_(request.top_p),
        options_(options) {}

  std::string_view stream_type() const override { return "text/event-stream; charset=utf-8"; }

  void Begin(std::string& out) override {
    for (const std::string_view type : {"response.created", "response.in_progress"}) {
      Event(type, Node::Object().Set("response", ResponseNode("in_progress", nullptr)), out);
    }
  }

  void Text(std::string_view piece, std::string& out) override {
    if (!open_ || items_.back().is_call) {
      Open({.id = "msg_" + NewId()}, out);
      Node added = AtItem();
      added.Set("content_index", 0).Set("part", PartNode(""));
      Event("response.content_part.added", std::move(added), out);
    }
    items_.back().text += piece;
    Node delta = AtItem();
    delta.Set("content_index", 0).Set("delta", piece).Set("logprobs", Node::Array());
    Event("response.output_text.delta", std::move(delta), out);
  }

  void ToolCallPart(const ToolCallPiece& piece, std::string& out) override {
    if (piece.index == calls_) {
      ++calls_;
      Open({.id = "fc_" + NewId(),
            .is_call = true,
            .text = "",
            .call_id = std::string(piece.id),
            .name = std::string(piece.name)},
           out);
    }
    if (piece.arguments.empty()) return;
    items_.back().text += piece.arguments;
    Node delta = AtItem();
    delta.Set("delta", piece.arguments);
    Event("response.function_call_arguments.delta", std::move(delta), out);
  }

  void End(const Gathered& /*all*/, FinishReason reason, const Usage& usage,
           std::string& out) override {
    Close(out);
    const std::string_view status = StatusOf(reason);
    Event(status == "completed" ? "response.completed" : "response.incomplete",
          Node::Object().Set("response", ResponseNode(status, &usage, reason)), out);
  }

  void Broken(const Problem& problem, std::string& out) override {
    // "error" besides what the event's type has: clients look for either.
    Node error = Parsed(OpenAiError(problem));
    error.Set("code", problem.code).Set("message", problem.detail).Set("param", Node::Null());
    Event("error", std::move(error), out);
  }

  std::string Whole(const Gathered& all, FinishReason reason, const Usage& usage) override {
    if (!all.text.empty() || all.tool_calls.empty()) {
      items_.push_back({.id = "msg_" + NewId(), .is_call = false, .text = all.text});
    }
    for (const ToolCall& call : all.tool_calls) {
      items_.push_back({.id = "fc_" + NewId(),
                        .is_call = true,
                        .text = call.arguments,
                        .call_id = call.id,
                        .name = call.name});
    }
    return ResponseNode(StatusOf(reason), &usage, reason).Text();
  }

  server::Reply Refusal(const Problem& problem) override { return OpenAiErrorReply(problem); }

 private:
  static std::string_view StatusOf(FinishReason reason) {
    return reason == FinishReason::kLength || reason == FinishReason::kContentFilter ? "incomplete"
                                                                                     : "completed";
  }

  Node ResponseNode(std::string_view status, const Usage* usage,
                    FinishReason reason = FinishReason::kStop) const {
    Node output = Node::Array();
    for (const Item& item : items_) output.Add(ItemNode(item, "completed"));
    Node node = Node::Object();
    node.Set("id", id_).Set("object", "response").Set("created_at", created_);
    node.Set("status", status).Set("background", false).Set("error", Node::Null());
    if (status == "incomplete") {
      node.Set("incomplete_details",
               Node::Object().Set("reason", reason == FinishReason::kLength ? "max_output_tokens"
                                                                            : "content_filter"));
    } else {
      node.Set("incomplete_details", Node::Null());
    }
    // A text or null, which alone are no JSON documents everywhere.
    node.Set("instructions", Node::Copy(Parsed("[" + options_.instructions + "]").view().At(0)));
    node.Set("max_output_tokens", OrNull(max_tokens_)).Set("model", model_);
    node.Set("output", std::move(output)).Set("parallel_tool_calls", true);
    node.Set("previous_response_id", Node::Null()).Set("store", false);
    node.Set("temperature", OrNull(temperature_)).Set("top_p", OrNull(top_p_));
    node.Set("text", Parsed(options_.text)).Set("tools", Parsed(options_.tools));
    node.Set("tool_choice", Node::Copy(Parsed("[" + options_.tool_choice + "]").view().At(0)));
    node.Set("truncation", "disabled").Set("metadata", Parsed(options_.metadata));
    if (usage == nullptr) {
      node.Set("usage", Node::Null());
      return node;
    }
    Node cost = Node::Object();
    cost.Set("input_tokens", usage->prompt_tokens);
    cost.Set("input_tokens_details", Node::Object().Set("cached_tokens", 0));
    cost.Set("output_tokens", usage->completion_tokens);
    cost.Set("output_tokens_details", Node::Object().Set("reasoning_tokens", 0));
    cost.Set("total_tokens", usage->prompt_tokens + usage->completion_tokens);
    node.Set("usage", std::move(cost));
    return node;
  }

  void Event(std::string_view type, Node data, std::string& out) {
    Node event = Node::Object();
    event.Set("type", type).Set("sequence_number", sequence_++);
    json::MemberCursor at(data.view());
    while (const auto member = at.Next()) event.Set(member->name, Node::Copy(member->value));
    out += "event: ";
    out += type;
    out += "\ndata: " + event.Text() + "\n\n";
  }

  Node AtItem() const {
    Node node = Node::Object();
    node.Set("item_id", items_.back().id).Set("output_index", items_.size() - 1);
    return node;
  }

  void Open(Item item, std::string& out) {
    Close(out);
    items_.push_back(std::move(item));
    open_ = true;
    Node added = Node::Object();
    added.Set("output_index", items_.size() - 1);
    added.Set("item", ItemNode(items_.back(), "in_progress"));
    Event("response.output_item.added", std::move(added), out);
  }

  void Close(std::string& out) {
    if (!std::exchange(open_, false)) return;
    const Item& item = items_.back();
    Node done = AtItem();
    if (item.is_call) {
      done.Set("arguments", item.text).Set("name", item.name);
      Event("response.function_call_arguments.done", std::move(done), out);
    } else {
      done.Set("content_index", 0).Set("text", item.text).Set("logprobs", Node::Array());
      Event("response.output_text.done", std::move(done), out);
      Node part = AtItem();
      part.Set("content_index", 0).Set("part", PartNode(item.text));
      Event("response.content_part.done", std::move(part), out);
    }
    Node end = Node::Object();
    end.Set("output_index", items_.size() - 1).Set("item", ItemNode(item, "completed"));
    Event("response.output_item.done", std::move(end), out);
  }

  const std::string id_;
  const int64_t created_;
  const std::string model_;
  const std::optional<int64_t> max_tokens_;
  const std::optional<double> temperature_, top_p_;
  const ResponsesOptions options_;
  std::vector<Item> items_;
  bool open_ = false;  // the last of them
  size_t calls_ = 0;
  int64_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<AnswerFormat> MakeResponsesFormat(const CompletionRequest& request,
                                                  const ResponsesOptions& options) {
  return std::make_unique<ResponsesFormat>(request, options);
}

}  // namespace framewall::backend::llm
