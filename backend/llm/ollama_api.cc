#include "backend/llm/ollama_api.h"

#include <string>
#include <utility>

#include "backend/base/time.h"
#include "backend/llm/answer.h"
#include "backend/llm/fault.h"
#include "backend/llm/ollama_chat.h"
#include "backend/llm/ollama_request.h"
#include "backend/llm/openai_api.h"
#include "backend/llm/openai_embeddings.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Node;
using server::CallRef;

constexpr server::Access kAccess{
    .who = server::Access::Who::kUser, .object = server::Access::Object::kNone, .scope = "llm"};

// Whose API this is like; some clients want at least a certain one.
constexpr std::string_view kApiVersion = "0.12.0";

constexpr json::Limits kSmallBody{.octets = 65536, .depth = 16};

using ReadRequest = void (*)(BodyReader&, const Place&, CompletionRequest&, bool&);

void Answer(CallRef call, Models& models, OllamaPath path, ReadRequest read) {
  Problem problem;
  const auto body = ReadBody(*call, problem);
  if (!body.has_value()) return call->Answer(OllamaErrorReply(problem));
  BodyReader reader;
  CompletionRequest request;
  bool stream = true;
  read(reader, {body->root(), ""}, request, stream);
  if (!reader.ok()) return call->Answer(OllamaErrorReply(reader.problem()));
  auto format = MakeOllamaFormat(path, request.model);
  request.model = OllamaModelName(models, request.model);
  request.payer = PayerOf(*call);
  request.body = call->body();
  AnswerWithModel(std::move(call), models, request, stream, std::move(format));
}

void Chat(CallRef call, Models& models) {
  Answer(std::move(call), models, OllamaPath::kChat, ReadOllamaChat);
}
void Generate(CallRef call, Models& models) {
  Answer(std::move(call), models, OllamaPath::kGenerate, ReadOllamaGenerate);
}

Node NumbersNode(const std::vector<double>& numbers) {
  Node node = Node::Array();
  for (const double number : numbers) node.Add(number);
  return node;
}

void Embed(CallRef call, Models& models, bool is_old) {
  Problem problem;
  const auto body = ReadBody(*call, problem);
  if (!body.has_value()) return call->Answer(OllamaErrorReply(problem));
  BodyReader reader;
  const Place root{body->root(), ""};
  EmbeddingRequest request;
  if (const auto model = reader.Need(root, "model")) request.model = reader.Text(*model);
  const std::string name = request.model;
  if (const auto input = reader.Need(root, is_old ? "prompt" : "input")) {
    request.inputs =
        is_old ? std::vector{reader.Text(*input)} : ReadTexts(reader, *input, kMaxInputs);
  }
  request.dimensions = reader.IntegerOf(root, "dimensions", 1, 65536);
  if (!reader.ok()) return call->Answer(OllamaErrorReply(reader.problem()));
  request.model = OllamaModelName(models, request.model);
  request.payer = PayerOf(*call);
  const auto answer = [name, is_old](const Embeddings& all) {
    Node node = Node::Object();
    if (is_old) return node.Set("embedding", NumbersNode(all.vectors.front())).Text();
    Node vectors = Node::Array();
    for (const auto& vector : all.vectors) vectors.Add(NumbersNode(vector));
    node.Set("model", name).Set("embeddings", std::move(vectors));
    node.Set("prompt_eval_count", all.usage.prompt_tokens);
    return node.Text();
  };
  AnswerWithEmbeddings(std::move(call), models, request, answer, OllamaErrorReply);
}

Node DetailsNode(const Models::Model& model) {
  Node details = Node::Object();
  details.Set("parent_model", "").Set("format", "").Set("family", model.owned_by);
  details.Set("families", Node::Array().Add(model.owned_by));
  details.Set("parameter_size", "").Set("quantization_level", "");
  return details;
}

void Tags(const CallRef& call, const Models& models) {
  Node list = Node::Array();
  for (const Models::Model& model : models.all()) {
    Node node = Node::Object();
    node.Set("name", model.name).Set("model", model.name);
    node.Set("modified_at", Rfc3339(model.created * 1000)).Set("size", 0).Set("digest", "");
    node.Set("details", DetailsNode(model));
    list.Add(std::move(node));
  }
  call->Answer(200, Node::Object().Set("models", std::move(list)));
}

// What runs is the providers' business.
void Running(const CallRef& call, const Models& /*models*/) {
  call->Answer(200, Node::Object().Set("models", Node::Array()));
}

void Version(const CallRef& call, const Models& /*models*/) {
  call->Answer(200, Node::Object().Set("version", kApiVersion));
}

void Show(const CallRef& call, const Models& models) {
  Problem problem;
  const auto body = json::Document::Parse(call->body(), kSmallBody);
  if (!body.ok()) {
    return call->Answer(OllamaErrorReply(Fault(400, "invalid_json", "The body is no JSON.")));
  }
  BodyReader reader;
  const Place root{body->root(), ""};
  auto name = reader.TextOf(root, "model");
  if (!name.has_value()) name = reader.TextOf(root, "name");
  if (!name.has_value()) reader.Fail("/model", "expected a model's name");
  if (!reader.ok()) return call->Answer(OllamaErrorReply(reader.problem()));
  const Models::Model* model = models.Find(OllamaModelName(models, *name));
  if (model == nullptr) return call->Answer(OllamaErrorReply(ModelNotFound(*name)));
  Node node = Node::Object();
  node.Set("modelfile", "").Set("parameters", "").Set("template", "").Set("license", "");
  node.Set("details", DetailsNode(*model)).Set("model_info", Node::Object());
  node.Set("capabilities", Node::Array().Add("completion").Add("tools"));
  node.Set("modified_at", Rfc3339(model->created * 1000));
  call->Answer(200, node);
}

void Refuse(const CallRef& call, const Models& /*models*/) {
  call->Answer(OllamaErrorReply(
      Fault(403, "managed_elsewhere", "Models are managed by the settings of this server.")));
}

}  // namespace

std::vector<server::Route> OllamaRoutes(Models& models) {
  std::vector<server::Route> routes;
  struct Row {
    std::string_view method, pattern, prefixed, operation, prefixed_operation;
    void (*handle)(CallRef call, Models& models);
    size_t body_limit;
  };
  static constexpr Row kRows[] = {
      {"POST", "/api/chat", "/ollama/api/chat", "ollamaChat", "prefixedOllamaChat", Chat,
       kPromptLimit},
      {"POST", "/api/generate", "/ollama/api/generate", "ollamaGenerate", "prefixedOllamaGenerate",
       Generate, kPromptLimit},
      {"POST", "/api/embed", "/ollama/api/embed", "ollamaEmbed", "prefixedOllamaEmbed",
       [](CallRef call, Models& all) { Embed(std::move(call), all, false); }, kPromptLimit},
      {"POST", "/api/embeddings", "/ollama/api/embeddings", "ollamaEmbeddings",
       "prefixedOllamaEmbeddings",
       [](CallRef call, Models& all) { Embed(std::move(call), all, true); }, kPromptLimit},
      {"GET", "/api/tags", "/ollama/api/tags", "ollamaTags", "prefixedOllamaTags",
       [](CallRef call, Models& all) { Tags(call, all); }, 0},
      {"GET", "/api/ps", "/ollama/api/ps", "ollamaPs", "prefixedOllamaPs",
       [](CallRef call, Models& all) { Running(call, all); }, 0},
      {"GET", "/api/version", "/ollama/api/version", "ollamaVersion", "prefixedOllamaVersion",
       [](CallRef call, Models& all) { Version(call, all); }, 0},
      {"POST", "/api/show", "/ollama/api/show", "ollamaShow", "prefixedOllamaShow",
       [](CallRef call, Models& all) { Show(call, all); }, 65536},
      {"POST", "/api/pull", "/ollama/api/pull", "ollamaPull", "prefixedOllamaPull",
       [](CallRef call, Models& all) { Refuse(call, all); }, 65536},
      {"POST", "/api/push", "/ollama/api/push", "ollamaPush", "prefixedOllamaPush",
       [](CallRef call, Models& all) { Refuse(call, all); }, 65536},
      {"POST", "/api/create", "/ollama/api/create", "ollamaCreate", "prefixedOllamaCreate",
       [](CallRef call, Models& all) { Refuse(call, all); }, 65536},
      {"POST", "/api/copy", "/ollama/api/copy", "ollamaCopy", "prefixedOllamaCopy",
       [](CallRef call, Models& all) { Refuse(call, all); }, 65536},
      {"DELETE", "/api/delete", "/ollama/api/delete", "ollamaDelete", "prefixedOllamaDelete",
       [](CallRef call, Models& all) { Refuse(call, all); }, 65536},
  };
  for (const Row& row : kRows) {
    const auto handle = [&models, work = row.handle](CallRef call) {
      work(std::move(call), models);
    };
    routes.push_back({row.method, row.pattern, row.operation, kAccess, handle, row.body_limit,
                      OllamaErrorReply});
    routes.push_back({row.method, row.prefixed, row.prefixed_operation, kAccess, handle,
                      row.body_limit, OllamaErrorReply});
  }
  return routes;
}

}  // namespace framewall::backend::llm
