#include "backend/llm/ollama_provider.h"

#include <utility>

#include "backend/base/id.h"
#include "backend/llm/embedding_call.h"
#include "backend/llm/fault.h"
#include "backend/llm/http_completion.h"
#include "backend/llm/ndjson.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;
using json::Node;

constexpr json::Limits kLineLimits{.octets = size_t{4} * 1024 * 1024, .depth = 64};

Node ParsedOr(std::string_view text, Node otherwise) {
  const auto document = json::Document::Parse(text, kLineLimits);
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

class OllamaCompletion final : public HttpCompletion {
 public:
  OllamaCompletion(event::EventLoop& loop, HttpClient& client, HttpRequest request,
                   CompletionEvents* events)
      : HttpCompletion(loop, client, std::move(request), events) {}

 private:
  Status Read(ByteView piece) override {
    Status status;
    FW_TRY(reader_.Feed(piece, [&](std::string_view line) {
      if (!over() && status.ok()) status = ReadLine(line);
    }));
    return status;
  }

  void ReadEnd() override {
    // A last line that is cut is no JSON, and the end mark is missing either way.
    reader_.Finish([&](std::string_view line) {
      if (!over()) (void)ReadLine(line).ok();
    });
  }

  Status ReadLine(std::string_view line) {
    FW_ASSIGN(const json::Document document, json::Document::Parse(line, kLineLimits));
    const json::Value root = document.root();
    if (root.Find("error").has_value()) {
      Fail(Fault(502, "provider_error", "The model's provider broke off with an error."));
      return OkStatus();
    }
    // /api/generate
    if (const auto text = TextMember(root, "thinking"); !text.empty()) events().OnReasoning(text);
    if (const auto text = TextMember(root, "response"); !text.empty()) events().OnText(text);
    if (const auto message = root.Find("message")) ReadMessage(*message);
    const auto done = root.Find("done");
    if (done.has_value() && done->kind() == Kind::kBoolean && done->AsBoolean()) ReadDone(root);
    return OkStatus();
  }

  void ReadMessage(const json::Value& message) {
    if (const auto text = TextMember(message, "thinking"); !text.empty()) {
      events().OnReasoning(text);
    }
    if (const auto text = TextMember(message, "content"); !text.empty()) events().OnText(text);
    const auto calls = message.Find("tool_calls");
    if (!calls.has_value() || calls->kind() != Kind::kArray) return;
    for (size_t i = 0; i < calls->size(); ++i) {
      const auto function = calls->At(i).Find("function");
      if (!function.has_value()) continue;
      const auto arguments = function->Find("arguments");
      const std::string text = arguments.has_value() ? arguments->Text() : "{}";
      const std::string id = "call_" + NewId();
      events().OnToolCall(
          {.index = calls_++, .id = id, .name = TextMember(*function, "name"), .arguments = text});
    }
  }

  void ReadDone(const json::Value& root) {
    Usage usage{IntegerMember(root, "prompt_eval_count"), IntegerMember(root, "eval_count"), false};
    usage.estimated = !root.Find("eval_count").has_value();
    FinishReason reason = FinishReason::kStop;
    if (TextMember(root, "done_reason") == "length") reason = FinishReason::kLength;
    if (calls_ > 0 && reason == FinishReason::kStop) reason = FinishReason::kToolCalls;
    Complete(reason, usage);
  }

  LineReader reader_;
  size_t calls_ = 0;
};

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
    return std::make_unique<OllamaCompletion>(loop_, *client_, std::move(http), events);
  }

  std::unique_ptr<Completion> Embed(const EmbeddingRequest& request, EmbeddingDone done) override {
    Node body = Node::Object();
    Node inputs = Node::Array();
    for (const std::string& input : request.inputs) inputs.Add(input);
    body.Set("model", request.model).Set("input", std::move(inputs));
    if (request.dimensions.has_value()) body.Set("dimensions", *request.dimensions);
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
