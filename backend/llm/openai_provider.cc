#include "backend/llm/openai_provider.h"

#include <utility>

#include "backend/llm/embedding_call.h"
#include "backend/llm/http_completion.h"
#include "backend/llm/provider_stream.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;
using json::Node;

Node MessageNode(const Turn& turn) {
  Node message = Node::Object();
  message.Set("role", turn.role);
  if (turn.images.empty()) {
    message.Set("content",
                turn.text.empty() && !turn.tool_calls.empty() ? Node::Null() : Node(turn.text));
  } else {
    Node parts = Node::Array();
    if (!turn.text.empty()) parts.Add(Node::Object().Set("type", "text").Set("text", turn.text));
    for (const std::string& image : turn.images) {
      parts.Add(Node::Object()
                    .Set("type", "image_url")
                    .Set("image_url", Node::Object().Set("url", image)));
    }
    message.Set("content", std::move(parts));
  }
  if (!turn.tool_calls.empty()) {
    Node calls = Node::Array();
    for (const ToolCall& call : turn.tool_calls) {
      calls.Add(Node::Object()
                    .Set("id", call.id)
                    .Set("type", "function")
                    .Set("function",
                         Node::Object().Set("name", call.name).Set("arguments", call.arguments)));
    }
    message.Set("tool_calls", std::move(calls));
  }
  if (turn.role == "tool") message.Set("tool_call_id", turn.tool_call_id);
  return message;
}

Node ParsedOr(std::string_view text, Node otherwise) {
  const auto document = json::Document::Parse(text, kPieceLimits);
  return document.ok() ? Node::Copy(document->root()) : std::move(otherwise);
}

void SetTools(const CompletionRequest& request, Node& body) {
  if (request.tools.empty()) return;
  Node tools = Node::Array();
  for (const Tool& tool : request.tools) {
    Node function = Node::Object();
    function.Set("name", tool.name);
    if (!tool.description.empty()) function.Set("description", tool.description);
    if (!tool.parameters.empty()) {
      function.Set("parameters", ParsedOr(tool.parameters, Node::Object()));
    }
    tools.Add(Node::Object().Set("type", "function").Set("function", std::move(function)));
  }
  body.Set("tools", std::move(tools));
  if (request.tool_choice.starts_with('=')) {
    body.Set("tool_choice",
             Node::Object()
                 .Set("type", "function")
                 .Set("function", Node::Object().Set("name", request.tool_choice.substr(1))));
  } else if (!request.tool_choice.empty()) {
    body.Set("tool_choice", request.tool_choice);
  }
}

// From what is known of it, where the client spoke another dialect.
Node BodyOf(const CompletionRequest& request) {
  Node body = Node::Object();
  Node messages = Node::Array();
  for (const Turn& turn : request.turns) messages.Add(MessageNode(turn));
  body.Set("messages", std::move(messages));
  if (request.temperature.has_value()) body.Set("temperature", *request.temperature);
  if (request.top_p.has_value()) body.Set("top_p", *request.top_p);
  if (request.max_tokens.has_value()) body.Set("max_tokens", *request.max_tokens);
  if (request.seed.has_value()) body.Set("seed", *request.seed);
  if (!request.stop.empty()) {
    Node stop = Node::Array();
    for (const std::string& text : request.stop) stop.Add(text);
    body.Set("stop", std::move(stop));
  }
  SetTools(request, body);
  if (request.answer_format == "json_object") {
    body.Set("response_format", Node::Object().Set("type", "json_object"));
  } else if (!request.answer_format.empty()) {
    body.Set("response_format",
             Node::Object()
                 .Set("type", "json_schema")
                 .Set("json_schema",
                      Node::Object()
                          .Set("name", "answer")
                          .Set("schema", ParsedOr(request.answer_format, Node::Object()))));
  }
  return body;
}

std::string BodyText(const CompletionRequest& request) {
  Node body = Node::Object();
  const json::Limits limits{.octets = size_t{64} * 1024 * 1024, .depth = 128, .values = 1'000'000};
  auto as_sent = request.dialect == Dialect::kOpenAi ? json::Document::Parse(request.body, limits)
                                                     : Result<json::Document>(Error());
  if (as_sent.ok() && as_sent->root().kind() == Kind::kObject) {
    json::MemberCursor at(as_sent->root());
    while (const auto member = at.Next()) body.Set(member->name, Node::Copy(member->value));
  } else {
    body = BodyOf(request);
  }
  body.Set("model", request.model);
  body.Set("stream", true);
  body.Set("stream_options", Node::Object().Set("include_usage", true));
  return body.Text();
}

class OpenAiProvider final : public Provider {
 public:
  OpenAiProvider(event::EventLoop& loop, std::unique_ptr<HttpClient> client,
                 const RemoteOptions& options)
      : loop_(loop), client_(std::move(client)), options_(options) {}

  std::string_view kind() const override { return "openai"; }
  bool takes_image_addresses() const override { return options_.image_addresses; }

  std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                       CompletionEvents* events) override {
    HttpRequest http{
        .path = "/chat/completions", .fields = RequestFields(options_), .body = BodyText(request)};
    http.fields.emplace_back("Accept", "text/event-stream");
    return MakeHttpCompletion(loop_, *client_, std::move(http), MakeOpenAiStream, events);
  }

  std::unique_ptr<Completion> Embed(const EmbeddingRequest& request, EmbeddingDone done) override {
    Node body = EmbeddingBody(request);
    body.Set("encoding_format", "float");
    HttpRequest http{.path = "/embeddings", .fields = RequestFields(options_), .body = body.Text()};
    return MakeEmbeddingCall(*client_, std::move(http), request.inputs.size(), ReadOpenAiEmbeddings,
                             std::move(done));
  }

 private:
  event::EventLoop& loop_;
  const std::unique_ptr<HttpClient> client_;
  const RemoteOptions options_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> RequestFields(const RemoteOptions& options) {
  std::vector<std::pair<std::string, std::string>> fields = {{"User-Agent", "framewall-backend"},
                                                             {"Content-Type", "application/json"}};
  if (options.key.empty()) return fields;
  if (options.authorization == "x-api-key") {
    fields.emplace_back("X-Api-Key", options.key);
  } else {
    fields.emplace_back("Authorization", "Bearer " + options.key);
  }
  return fields;
}

std::unique_ptr<Provider> MakeOpenAiProvider(event::EventLoop& loop,
                                             std::unique_ptr<HttpClient> client,
                                             const RemoteOptions& options) {
  return std::make_unique<OpenAiProvider>(loop, std::move(client), options);
}

}  // namespace framewall::backend::llm
