#include "backend/llm/anthropic_provider.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "backend/llm/fault.h"
#include "backend/llm/http_completion.h"
#include "backend/llm/openai_request.h"
#include "backend/llm/provider_stream.h"
#include "backend/llm/routed_completion.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;
using json::Node;

// The API wants a number; clients may leave it to us.
constexpr int64_t kDefaultMaxTokens = 4096;

Node ParsedOr(std::string_view text, Node otherwise) {
  const auto document = json::Document::Parse(text, kPieceLimits);
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
    return MakeHttpCompletion(loop_, *client_, std::move(http), MakeAnthropicStream, events);
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
