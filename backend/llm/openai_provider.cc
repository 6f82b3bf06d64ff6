#include "backend/llm/openai_provider.h"

#include <utility>

#include "backend/llm/embedding_call.h"
#include "backend/llm/event_stream.h"
#include "backend/llm/fault.h"
#include "backend/llm/http_completion.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Kind;
using json::Node;

constexpr json::Limits kEventLimits{.octets = size_t{4} * 1024 * 1024, .depth = 64};

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
  const auto document = json::Document::Parse(text, kEventLimits);
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

FinishReason ReasonOf(std::string_view name) {
  if (name == "length") return FinishReason::kLength;
  if (name == "content_filter") return FinishReason::kContentFilter;
  if (name == "tool_calls" || name == "function_call") return FinishReason::kToolCalls;
  return FinishReason::kStop;
}

class OpenAiCompletion final : public HttpCompletion {
 public:
  OpenAiCompletion(event::EventLoop& loop, HttpClient& client, HttpRequest request,
                   CompletionEvents* events)
      : HttpCompletion(loop, client, std::move(request), events) {
    usage_.estimated = true;
  }

 private:
  Status Read(ByteView piece) override {
    Status status;
    FW_TRY(reader_.Feed(piece, [&](std::string_view, std::string_view data) {
      if (over() || !status.ok()) return;
      if (data == "[DONE]") return Complete(reason_, usage_);
      status = ReadChunk(data);
    }));
    return status;
  }

  Status ReadChunk(std::string_view data) {
    FW_ASSIGN(const json::Document document, json::Document::Parse(data, kEventLimits));
    const json::Value chunk = document.root();
    if (chunk.Find("error").has_value()) {
      Fail(Fault(502, "provider_error", "The model's provider broke off with an error."));
      return OkStatus();
    }
    if (const auto usage = chunk.Find("usage");
        usage.has_value() && usage->kind() == Kind::kObject) {
      usage_ = {IntegerMember(*usage, "prompt_tokens"), IntegerMember(*usage, "completion_tokens"),
                false};
    }
    const auto choices = chunk.Find("choices");
    if (!choices.has_value() || choices->kind() != Kind::kArray || choices->size() == 0) {
      return OkStatus();
    }
    const json::Value choice = choices->At(0);
    if (const auto delta = choice.Find("delta")) ReadDelta(*delta);
    if (const std::string_view reason = TextMember(choice, "finish_reason"); !reason.empty()) {
      reason_ = ReasonOf(reason);
    }
    return OkStatus();
  }

  void ReadDelta(const json::Value& delta) {
    for (const std::string_view name : {"reasoning_content", "reasoning"}) {
      if (const auto text = TextMember(delta, name); !text.empty()) {
        events().OnReasoning(text);
        break;
      }
    }
    for (const std::string_view name : {"content", "refusal"}) {
      if (const auto text = TextMember(delta, name); !text.empty()) events().OnText(text);
    }
    const auto calls = delta.Find("tool_calls");
    if (!calls.has_value() || calls->kind() != Kind::kArray) return;
    for (size_t i = 0; i < calls->size(); ++i) ReadToolCall(calls->At(i));
  }

  void ReadToolCall(const json::Value& call) {
    const std::string_view id = TextMember(call, "id");
    const auto function = call.Find("function");
    ToolCallPiece piece;
    if (function.has_value()) {
      piece.name = TextMember(*function, "name");
      piece.arguments = TextMember(*function, "arguments");
    }
    // Numbers are the provider's; some number all of them 0, and another id tells them apart.
    const int64_t number = IntegerMember(call, "index");
    size_t known = calls_.size();
    for (size_t i = calls_.size(); i-- > 0;) {
      if (calls_[i].number != number) continue;
      if (id.empty() || id == calls_[i].id) known = i;
      break;
    }
    piece.index = known;
    if (known == calls_.size()) {
      calls_.push_back({number, std::string(id)});
      piece.id = id;
    } else {
      piece.name = {};
    }
    events().OnToolCall(piece);
  }

  struct Call {
    int64_t number;
    std::string id;
  };
  EventStreamReader reader_;
  std::vector<Call> calls_;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
};

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
    return std::make_unique<OpenAiCompletion>(loop_, *client_, std::move(http), events);
  }

  std::unique_ptr<Completion> Embed(const EmbeddingRequest& request, EmbeddingDone done) override {
    Node body = Node::Object();
    Node inputs = Node::Array();
    for (const std::string& input : request.inputs) inputs.Add(input);
    body.Set("model", request.model).Set("input", std::move(inputs));
    body.Set("encoding_format", "float");
    if (request.dimensions.has_value()) body.Set("dimensions", *request.dimensions);
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
