#include "backend/llm/openai_api.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "backend/llm/answer.h"
#include "backend/llm/fault.h"
#include "backend/llm/openai_chat.h"
#include "backend/llm/openai_error.h"
#include "backend/llm/openai_request.h"

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

void ListModels(const CallRef& call, const Models& models) {
  json::Node data = json::Node::Array();
  for (const Models::Model& model : models.all()) data.Add(ModelNode(model));
  json::Node list = json::Node::Object();
  list.Set("object", "list").Set("data", std::move(data));
  call->Answer(200, list);
}

void GetModel(const CallRef& call, const Models& models) {
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
                       std::string_view operation, server::Handler handler, size_t body_limit) {
    routes.push_back(
        {method, pattern, operation, kAccess, std::move(handler), body_limit, OpenAiErrorReply});
  };
  add(
      "POST", "/v1/chat/completions", "createChatCompletion",
      [&models](CallRef call) { Chat(std::move(call), models); }, kPromptLimit);
  add(
      "GET", "/v1/models", "listLlmModels", [&models](CallRef call) { ListModels(call, models); },
      0);
  add(
      "GET", "/v1/models/{id...}", "getLlmModel",
      [&models](CallRef call) { GetModel(call, models); }, 0);
  return routes;
}

std::vector<server::ErrorPrefix> LlmErrorPrefixes() { return {{"/v1/", OpenAiErrorReply}}; }

}  // namespace framewall::backend::llm
