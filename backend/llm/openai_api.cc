#include "backend/llm/openai_api.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "backend/llm/answer.h"
#include "backend/llm/fault.h"
#include "backend/llm/ollama_api.h"
#include "backend/llm/ollama_chat.h"
#include "backend/llm/openai_chat.h"
#include "backend/llm/openai_embeddings.h"
#include "backend/llm/openai_error.h"
#include "backend/llm/openai_request.h"
#include "backend/llm/responses_answer.h"
#include "backend/llm/responses_request.h"

namespace framewall::backend::llm {
namespace {

using server::CallRef;

constexpr server::Access kAccess{
    .who = server::Access::Who::kUser, .object = server::Access::Object::kNone, .scope = "llm"};

json::Node ModelNode(const Models::Model& model) {
  json::Node node = json::Node::Object();
  node.Set("id", model.name).Set("object", "model");
  node.Set("created", model.created).Set("owned_by", model.owned_by);
  return node;
}

void ListModels(CallRef call, Models& models) {
  json::Node data = json::Node::Array();
  for (const Models::Model& model : models.all()) data.Add(ModelNode(model));
  json::Node list = json::Node::Object();
  list.Set("object", "list").Set("data", std::move(data));
  call->Answer(200, list);
}

void GetModel(CallRef call, Models& models) {
  const std::string_view name = call->Parameter("id");
  const Models::Model* model = models.Find(name);
  if (model == nullptr) return call->Answer(OpenAiErrorReply(ModelNotFound(name)));
  call->Answer(200, ModelNode(*model));
}

void Chat(CallRef call, Models& models) {
  Problem problem;
  const auto body = ReadBody(*call, problem);
  if (!body.has_value()) return call->Answer(OpenAiErrorReply(problem));
  BodyReader reader;
  CompletionRequest request;
  ChatOptions options;
  ReadOpenAiChat(reader, {body->root(), ""}, request, options);
  if (!reader.ok()) return call->Answer(OpenAiErrorReply(reader.problem()));
  request.payer = PayerOf(*call);
  request.dialect = Dialect::kOpenAi;
  request.body = call->body();
  auto format = MakeOpenAiChatFormat(request.model, options);
  AnswerWithModel(std::move(call), models, request, options.stream, std::move(format));
}

void Respond(CallRef call, Models& models) {
  Problem problem;
  const auto body = ReadBody(*call, problem);
  if (!body.has_value()) return call->Answer(OpenAiErrorReply(problem));
  BodyReader reader;
  CompletionRequest request;
  ResponsesOptions options;
  ReadResponses(reader, {body->root(), ""}, request, options);
  if (!reader.ok()) return call->Answer(OpenAiErrorReply(reader.problem()));
  request.payer = PayerOf(*call);
  auto format = MakeResponsesFormat(request, options);
  AnswerWithModel(std::move(call), models, request, options.stream, std::move(format));
}

// What Anthropic's clients ask for is not offered, and they hear so in their own words.
server::Reply AnthropicErrorReply(const Problem& problem) {
  std::string_view type = "invalid_request_error";
  if (problem.status == 401) type = "authentication_error";
  if (problem.status == 403) type = "permission_error";
  if (problem.status == 404) type = "not_found_error";
  if (problem.status >= 500) type = "api_error";
  json::Node error = json::Node::Object();
  error.Set("type", type).Set("message", problem.detail);
  server::Reply reply;
  reply.status = problem.status;
  reply.body = json::Node::Object().Set("type", "error").Set("error", std::move(error)).Text();
  return reply;
}

}  // namespace

Payer PayerOf(const server::Call& call) {
  const Identity& identity = call.identity();
  return {identity.user, identity.kind == Identity::Kind::kKey ? identity.session : ""};
}

std::optional<json::Document> ReadBody(const server::Call& call, Problem& problem) {
  const json::Limits limits{.octets = kPromptLimit, .depth = 100, .values = 500'000};
  auto document = json::Document::Parse(call.body(), limits);
  if (!document.ok()) {
    // Without the octets near the fault, which may be a prompt's.
    std::string place = document.error().message.substr(0, document.error().message.find(": "));
    problem = Fault(400, "invalid_json",
                    fmt::format("We could not parse the JSON body of your request, at {}.", place));
    return std::nullopt;
  }
  if (document->root().kind() != json::Kind::kObject) {
    problem = Fault(400, "invalid_json", "The body of your request has to be a JSON object.");
    return std::nullopt;
  }
  return std::move(document).value();
}

std::vector<server::Route> OpenAiRoutes(Models& models) {
  std::vector<server::Route> routes;
  const auto add = [&](std::string_view method, std::string_view pattern,
                       std::string_view operation, void (*handle)(CallRef, Models&),
                       size_t body_limit) {
    const auto handler = [&models, handle](CallRef call) { handle(std::move(call), models); };
    routes.push_back({method, pattern, operation, kAccess, handler, body_limit, OpenAiErrorReply});
  };
  add("POST", "/v1/chat/completions", "createChatCompletion", Chat, kPromptLimit);
  add("POST", "/v1/responses", "createResponse", Respond, kPromptLimit);
  add("POST", "/v1/embeddings", "createEmbedding", AnswerOpenAiEmbeddings, kPromptLimit);
  add("GET", "/v1/models", "listLlmModels", ListModels, 0);
  add("GET", "/v1/models/{id...}", "getLlmModel", GetModel, 0);
  return routes;
}

std::vector<server::Route> LlmRoutes(Models& models) {
  std::vector<server::Route> routes = OpenAiRoutes(models);
  for (server::Route& route : OllamaRoutes(models)) routes.push_back(std::move(route));
  return routes;
}

std::vector<server::ErrorPrefix> LlmErrorPrefixes() {
  return {{"/v1/", OpenAiErrorReply},
          {"/v1/messages", AnthropicErrorReply},
          {"/ollama/", OllamaErrorReply}};
}

}  // namespace framewall::backend::llm
