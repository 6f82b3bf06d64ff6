#include "backend/llm/anthropic_provider.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "backend/llm/event_stream.h"
#include "backend/llm/fault.h"
#include "backend/llm/http_completion.h"
#include "backend/llm/openai_request.h"
#include "backend/llm/routed_completion.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;
using json::Node;

constexpr json::Limits kEventLimits{.octets = size_t{4} * 1024 * 1024, .depth = 64};
// The API wants a number; clients may leave it to us.
constexpr int64_t kDefaultMaxTokens = 4096;

Node ParsedOr(std::string_view text, Node otherwise) {
  const auto document = json::Document::Parse(text, kEventLimits);
  return document.ok() && document->root().kind() == Kind::kObject ? Node::Copy(document->root())
                                                                   : std::move(otherwise);
}

Node ImageNode(const std::string& image) {
  Node source = Node::Object();
  const size_t comma = image.find(',');
  if (IsImageAddress(image) || comma == image.npos) {
    source.Set("type", "url").Set("url", image);
  } else {
    // data:image/png;base64,…
    const std::string head = image.substr(5, comma - 5);
    source.Set("type", "base64").Set("media_type", head.substr(0, head.find(';')));
    source.Set("data", image.substr(comma + 1));
  }
  return Node::Object().Set("type", "image").Set("source", std::move(source));
}

Node TextNode(const std::string& text) {
  return Node::Object().Set("type", "text").Set("text", text);
}

void AddBlocks(const Turn& turn, Node& blocks) {
  if (turn.role == "tool") {
    Node result = Node::Object();
    result.Set("type", "tool_result").Set("tool_use_id", turn.tool_call_id);
    result.Set("content", turn.text);
    blocks.Add(std::move(result));
    return;
  }
  for (const std::string& image : turn.images) blocks.Add(ImageNode(image));
  if (!turn.text.empty()) blocks.Add(TextNode(turn.text));
  for (const ToolCall& call : turn.tool_calls) {
    Node use = Node::Object();
    use.Set("type", "tool_use").Set("id", call.id).Set("name", call.name);
    use.Set("input", ParsedOr(call.arguments, Node::Object()));
    blocks.Add(std::move(use));
  }
}

// Turns of one side in a row are one message there; what the system says stands apart.
void SetMessages(const CompletionRequest& request, Node& body) {
  Node messages = Node::Array();
  std::string system;
  std::string role;
  std::optional<Node> blocks;
  const auto finish = [&] {
    if (!blocks.has_value() || blocks->view().size() == 0) return;
    messages.Add(Node::Object().Set("role", role).Set("content", std::move(*blocks)));
    blocks.reset();
  };
  for (const Turn& turn : request.turns) {
    if (turn.role == "system") {
      if (!system.empty()) system += "\n\n";
      system += turn.text;
      continue;
    }
    const std::string side = turn.role == "assistant" ? "assistant" : "user";
    if (side != role || !blocks.has_value()) {
      finish();
      role = side;
      blocks.emplace(Node::Array());
    }
    AddBlocks(turn, *blocks);
  }
  finish();
  if (!system.empty()) body.Set("system", system);
  body.Set("messages", std::move(messages));
}

void SetTools(const CompletionRequest& request, Node& body) {
  if (request.tools.empty()) return;
  Node tools = Node::Array();
  for (const Tool& tool : request.tools) {
    Node node = Node::Object();
    node.Set("name", tool.name);
    if (!tool.description.empty()) node.Set("description", tool.description);
    node.Set("input_schema", ParsedOr(tool.parameters, Node::Object().Set("type", "object")));
    tools.Add(std::move(node));
  }
  body.Set("tools", std::move(tools));
  if (request.tool_choice.empty()) return;
  Node choice = Node::Object();
  if (request.tool_choice.starts_with('=')) {
    choice.Set("type", "tool").Set("name", request.tool_choice.substr(1));
  } else {
    choice.Set("type", request.tool_choice == "required" ? "any" : request.tool_choice);
  }
  body.Set("tool_choice", std::move(choice));
}

std::string BodyText(const CompletionRequest& request) {
  Node body = Node::Object();
  body.Set("model", request.model);
  body.Set("max_tokens", request.max_tokens.value_or(kDefaultMaxTokens));
  SetMessages(request, body);
  // From 0 to 1 there, to 2 where the clients come from.
  if (request.temperature.has_value()) body.Set("temperature", std::min(*request.temperature, 1.0));
  if (request.top_p.has_value()) body.Set("top_p", *request.top_p);
  if (!request.stop.empty()) {
    Node stop = Node::Array();
    for (const std::string& text : request.stop) stop.Add(text);
    body.Set("stop_sequences", std::move(stop));
  }
  SetTools(request, body);
  body.Set("stream", true);
  return body.Text();
}

FinishReason ReasonOf(std::string_view name) {
  if (name == "max_tokens" || name == "model_context_window_exceeded") return FinishReason::kLength;
  if (name == "tool_use") return FinishReason::kToolCalls;
  if (name == "refusal") return FinishReason::kContentFilter;
  return FinishReason::kStop;  // end_turn, stop_sequence, pause_turn
}

class AnthropicCompletion final : public HttpCompletion {
 public:
  AnthropicCompletion(event::EventLoop& loop, HttpClient& client, HttpRequest request,
                      CompletionEvents* events)
      : HttpCompletion(loop, client, std::move(request), events) {
    usage_.estimated = true;
  }

 private:
  Status Read(ByteView piece) override {
    Status status;
    FW_TRY(reader_.Feed(piece, [&](std::string_view, std::string_view data) {
      if (!over() && status.ok()) status = ReadEvent(data);
    }));
    return status;
  }

  // The type stands in the data too; ping and what is not known mean nothing to us.
  Status ReadEvent(std::string_view data) {
    FW_ASSIGN(const json::Document document, json::Document::Parse(data, kEventLimits));
    const json::Value event = document.root();
    const std::string_view type = TextMember(event, "type");
    if (type == "content_block_delta") {
      ReadDelta(event);
    } else if (type == "content_block_start") {
      ReadBlockStart(event);
    } else if (type == "message_start") {
      if (const auto message = event.Find("message")) ReadUsage(*message);
    } else if (type == "message_delta") {
      ReadUsage(event);
      if (const auto delta = event.Find("delta")) {
        const std::string_view reason = TextMember(*delta, "stop_reason");
        if (!reason.empty()) reason_ = ReasonOf(reason);
      }
    } else if (type == "message_stop") {
      Complete(reason_, usage_);
    } else if (type == "error") {
      ReadError(event);
    }
    return OkStatus();
  }

  void ReadError(const json::Value& event) {
    const auto error = event.Find("error");
    const std::string_view type = error.has_value() ? TextMember(*error, "type") : "";
    if (type == "overloaded_error") {
      return Fail(Fault(503, "provider_unavailable", "The model's provider is overloaded.", 5));
    }
    Fail(Fault(502, "provider_error", "The model's provider broke off with an error."));
  }

  void ReadUsage(const json::Value& holder) {
    const auto usage = holder.Find("usage");
    if (!usage.has_value() || usage->kind() != Kind::kObject) return;
    const int64_t input = IntegerMember(*usage, "input_tokens") +
                          IntegerMember(*usage, "cache_creation_input_tokens") +
                          IntegerMember(*usage, "cache_read_input_tokens");
    if (input > 0) usage_.prompt_tokens = input;
    if (usage->Find("output_tokens").has_value()) {
      usage_.completion_tokens = IntegerMember(*usage, "output_tokens");
      usage_.estimated = false;
    }
  }

  void ReadBlockStart(const json::Value& event) {
    const auto block = event.Find("content_block");
    if (!block.has_value()) return;
    if (TextMember(*block, "type") == "tool_use") {
      tool_block_ = IntegerMember(event, "index");
      events().OnToolCall(
          {.index = calls_++, .id = TextMember(*block, "id"), .name = TextMember(*block, "name")});
    } else if (const auto text = TextMember(*block, "text"); !text.empty()) {
      events().OnText(text);
    }
  }

  void ReadDelta(const json::Value& event) {
    const auto delta = event.Find("delta");
    if (!delta.has_value()) return;
    const std::string_view type = TextMember(*delta, "type");
    if (type == "text_delta") {
      if (const auto text = TextMember(*delta, "text"); !text.empty()) events().OnText(text);
    } else if (type == "thinking_delta") {
      const auto text = TextMember(*delta, "thinking");
      if (!text.empty()) events().OnReasoning(text);
    } else if (type == "input_json_delta" && calls_ > 0 &&
               IntegerMember(event, "index") == tool_block_) {
      const auto text = TextMember(*delta, "partial_json");
      if (!text.empty()) events().OnToolCall({.index = calls_ - 1, .arguments = text});
    }
  }

  EventStreamReader reader_;
  int64_t tool_block_ = -1;
  size_t calls_ = 0;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
};

class AnthropicProvider final : public Provider {
 public:
  AnthropicProvider(event::EventLoop& loop, std::unique_ptr<HttpClient> client,
                    const RemoteOptions& options)
      : loop_(loop), client_(std::move(client)), options_(options) {}

  std::string_view kind() const override { return "anthropic"; }
  bool takes_image_addresses() const override { return options_.image_addresses; }

  std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                       CompletionEvents* events) override {
    if (!request.answer_format.empty()) {
      return CompleteWithError(
          loop_,
          Fault(400, "unsupported_parameter",
                "This model cannot be held to a format of its answer; use a tool instead."),
          events);
    }
    HttpRequest http{
        .path = "/v1/messages", .fields = RequestFields(options_), .body = BodyText(request)};
    http.fields.emplace_back("Anthropic-Version", options_.version);
    http.fields.emplace_back("Accept", "text/event-stream");
    return std::make_unique<AnthropicCompletion>(loop_, *client_, std::move(http), events);
  }

 private:
  event::EventLoop& loop_;
  const std::unique_ptr<HttpClient> client_;
  const RemoteOptions options_;
};

}  // namespace

std::unique_ptr<Provider> MakeAnthropicProvider(event::EventLoop& loop,
                                                std::unique_ptr<HttpClient> client,
                                                const RemoteOptions& options) {
  return std::make_unique<AnthropicProvider>(loop, std::move(client), options);
}

}  // namespace framewall::backend::llm
