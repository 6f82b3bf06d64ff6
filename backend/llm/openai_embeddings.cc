#include "backend/llm/openai_embeddings.h"

#include <cstring>
#include <optional>
#include <utility>

#include "backend/llm/body_reader.h"
#include "backend/llm/fault.h"
#include "backend/llm/openai_api.h"
#include "backend/llm/openai_error.h"
#include "proxy/base/encoding.h"
#include "proxy/json/node.h"

namespace framewall::backend::llm {
namespace {

using json::Node;

// One request for vectors; it keeps itself until it is answered.
class Embedding : public std::enable_shared_from_this<Embedding> {
 public:
  Embedding(server::CallRef call, EmbeddingsReply answer, RefusalReply refusal)
      : call_(std::move(call)), answer_(std::move(answer)), refusal_(std::move(refusal)) {}

  void Start(Models& models, const EmbeddingRequest& request) {
    const auto weak = weak_from_this();
    work_ = models.Embed(request, {[weak](Embeddings embeddings) {
                                     if (const auto self = weak.lock()) self->Done(embeddings);
                                   },
                                   [weak](const Problem& problem) {
                                     if (const auto self = weak.lock()) self->Failed(problem);
                                   }});
    if (work_ == nullptr) {
      call_->Answer(refusal_(ModelNotFound(request.model)));
      return;
    }
    self_ = shared_from_this();
    call_->OnGone([weak] {
      if (const auto self = weak.lock()) self->Finish();
    });
  }

 private:
  void Done(const Embeddings& embeddings) {
    server::Reply reply;
    reply.body = answer_(embeddings);
    call_->Answer(std::move(reply));
    Finish();
  }
  void Failed(const Problem& problem) {
    call_->Answer(refusal_(problem));
    Finish();
  }
  void Finish() {
    call_->loop().Retire(std::move(work_));
    call_->loop().Retire(std::shared_ptr<void>(std::move(self_)));
  }

  const server::CallRef call_;
  const EmbeddingsReply answer_;
  const RefusalReply refusal_;
  std::unique_ptr<Completion> work_;
  std::shared_ptr<Embedding> self_;
};

}  // namespace

std::string Float32Base64(const std::vector<double>& vector) {
  std::string octets(vector.size() * 4, '\0');
  for (size_t i = 0; i < vector.size(); ++i) {
    const auto number = static_cast<float>(vector[i]);
    uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    for (size_t k = 0; k < 4; ++k) octets[4 * i + k] = static_cast<char>(bits >> (8 * k) & 0xff);
  }
  return Base64Encode(octets);
}

void AnswerWithEmbeddings(server::CallRef call, Models& models, const EmbeddingRequest& request,
                          EmbeddingsReply answer, RefusalReply refusal) {
  std::make_shared<Embedding>(std::move(call), std::move(answer), std::move(refusal))
      ->Start(models, request);
}

void AnswerOpenAiEmbeddings(server::CallRef call, Models& models) {
  Problem problem;
  const auto body = ReadBody(*call, problem);
  if (!body.has_value()) return call->Answer(OpenAiErrorReply(problem));
  BodyReader reader;
  const Place root{body->root(), ""};
  EmbeddingRequest request;
  if (const auto model = reader.Need(root, "model")) request.model = reader.Text(*model);
  if (const auto input = reader.Need(root, "input")) {
    request.inputs = ReadTexts(reader, *input, kMaxInputs);
    if (reader.ok() && request.inputs.empty()) reader.Fail("/input", "Expected a text at least.");
  }
  const std::string format = reader.TextOf(root, "encoding_format").value_or("float");
  if (reader.ok() && format != "float" && format != "base64") {
    reader.Fail("/encoding_format", "Expected one of: float, base64.");
  }
  request.dimensions = reader.IntegerOf(root, "dimensions", 1, 65536);
  if (!reader.ok()) return call->Answer(OpenAiErrorReply(reader.problem()));
  request.payer = PayerOf(*call);
  const auto answer = [model = request.model, base64 = format == "base64"](const Embeddings& all) {
    Node data = Node::Array();
    for (size_t i = 0; i < all.vectors.size(); ++i) {
      Node item = Node::Object();
      item.Set("object", "embedding").Set("index", i);
      if (base64) {
        item.Set("embedding", Float32Base64(all.vectors[i]));
      } else {
        Node vector = Node::Array();
        for (const double number : all.vectors[i]) vector.Add(number);
        item.Set("embedding", std::move(vector));
      }
      data.Add(std::move(item));
    }
    Node usage = Node::Object();
    usage.Set("prompt_tokens", all.usage.prompt_tokens);
    usage.Set("total_tokens", all.usage.prompt_tokens);
    Node list = Node::Object();
    list.Set("object", "list").Set("data", std::move(data)).Set("model", model);
    list.Set("usage", std::move(usage));
    return list.Text();
  };
  AnswerWithEmbeddings(std::move(call), models, request, answer, OpenAiErrorReply);
}

}  // namespace framewall::backend::llm
