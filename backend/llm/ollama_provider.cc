#include "backend/llm/ollama_provider.h"

#include <utility>

#include "backend/llm/embedding_call.h"
#include "backend/llm/http_completion.h"
#include "backend/llm/provider_stream.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;
using json::Node;

Node ParsedOr(std::string_view text, Node otherwise) {
  const auto document = json::Document::Parse(text, kPieceLimits);
  return document.ok() ? Node::Copy(document->root()) : std::move(otherwise);
}

// Only the base64 of a data: URL.
std::string_view ImageOctets(std::string_view image) {
  const size_t comma = image.find(',');
  return comma == image.npos ? image : image.substr(comma + 1);
}

Node MessageNode(const Turn& turn) {
  Node message = Node::Object();
  message.Set("role", turn.role).Set("content", turn.text);
  if (!turn.images.empty()) {
    Node images = Node::Array();
    for (const std::string& image : turn.images) images.Add(ImageOctets(image));
    message.Set("images", std::move(images));
  }
  if (!turn.tool_calls.empty()) {
    Node calls = Node::Array();
    for (const ToolCall& call : turn.tool_calls) {
      Node function = Node::Object();
      function.Set("name", call.name);
      function.Set("arguments", ParsedOr(call.arguments, Node::Object()));
      calls.Add(Node::Object().Set("function", std::move(function)));
    }
    message.Set("tool_calls", std::move(calls));
  }
  if (turn.role == "tool" && !turn.tool_name.empty()) message.Set("tool_name", turn.tool_name);
  return message;
}

Node OptionsOf(const CompletionRequest& request) {
  Node options = Node::Object();
  if (request.temperature.has_value()) options.Set("temperature", *request.temperature);
  if (request.top_p.has_value()) options.Set("top_p", *request.top_p);
  if (request.max_tokens.has_value()) options.Set("num_predict", *request.max_tokens);
  if (request.seed.has_value()) options.Set("seed", *request.seed);
  if (!request.stop.empty()) {
    Node stop = Node::Array();
    for (const std::string& text : request.stop) stop.Add(text);
    options.Set("stop", std::move(stop));
  }
  return options;
}

Node BodyOf(const CompletionRequest& request) {
  Node body = Node::Object();
  Node messages = Node::Array();
  for (const Turn& turn : request.turns) messages.Add(MessageNode(turn));
  body.Set("messages", std::move(messages));
  body.Set("options", OptionsOf(request));
  // There is no choice of tools but to name none.
  if (!request.tools.empty() && request.tool_choice != "none") {
    Node tools = Node::Array();
    for (const Tool& tool : request.tools) {
      Node function = Node::Object();
      function.Set("name", tool.name).Set("description", tool.description);
      function.Set("parameters",
                   ParsedOr(tool.parameters.empty() ? "{\"type\":\"object\"}" : tool.parameters,
                            Node::Object()));
      tools.Add(Node::Object().Set("type", "function").Set("function", std::move(function)));
    }
    body.Set("tools", std::move(tools));
  }
  if (request.answer_format == "json_object") {
    body.Set("format", "json");
  } else if (!request.answer_format.empty()) {
    body.Set("format", ParsedOr(request.answer_format, Node("json")));
  }
  return body;
}

bool IsNative(const CompletionRequest& request) {
  return request.dialect == Dialect::kOllamaChat || request.dialect == Dialect::kOllamaGenerate;
}

std::string BodyText(const CompletionRequest& request) {
  Node body = Node::Object();
  const json::Limits limits{.octets = size_t{64} * 1024 * 1024, .depth = 128, .values = 1'000'000};
  auto as_sent = IsNative(request) ? json::Document::Parse(request.body, limits)
                                   : Result<json::Document>(Error());
  if (as_sent.ok() && as_sent->root().kind() == Kind::kObject) {
    json::MemberCursor at(as_sent->root());
    while (const auto member = at.Next()) body.Set(member->name, Node::Copy(member->value));
  } else {
    body = BodyOf(request);
  }
  body.Set("model", request.model);
  body.Set("stream", true);
  return body.Text();
}

class OllamaProvider final : public Provider {
 public:
  OllamaProvider(event::EventLoop& loop, std::unique_ptr<HttpClient> client,
                 const RemoteOptions& options)
      : loop_(loop), client_(std::move(client)), options_(options) {}

  std::string_view kind() const override { return "ollama"; }

  std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                       CompletionEvents* events) override {
    const bool generate = request.dialect == Dialect::kOllamaGenerate;
    HttpRequest http{.path = generate ? "/api/generate" : "/api/chat",
                     .fields = RequestFields(options_),
                     .body = BodyText(request)};
    return MakeHttpCompletion(loop_, *client_, std::move(http), MakeOllamaStream, events);
  }

  std::unique_ptr<Completion> Embed(const EmbeddingRequest& request, EmbeddingDone done) override {
    const Node body = EmbeddingBody(request);
    HttpRequest http{.path = "/api/embed", .fields = RequestFields(options_), .body = body.Text()};
    return MakeEmbeddingCall(*client_, std::move(http), request.inputs.size(), ReadOllamaEmbeddings,
                             std::move(done));
  }

 private:
  event::EventLoop& loop_;
  const std::unique_ptr<HttpClient> client_;
  const RemoteOptions options_;
};

}  // namespace

std::unique_ptr<Provider> MakeOllamaProvider(event::EventLoop& loop,
                                             std::unique_ptr<HttpClient> client,
                                             const RemoteOptions& options) {
  return std::make_unique<OllamaProvider>(loop, std::move(client), options);
}

}  // namespace framewall::backend::llm
