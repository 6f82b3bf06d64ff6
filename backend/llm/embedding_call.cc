#include "backend/llm/embedding_call.h"

#include <utility>

#include "backend/llm/fault.h"
#include "backend/llm/http_completion.h"
#include "proxy/base/text.h"

namespace framewall::backend::llm {
namespace {

// A thousand vectors of 4096 numbers of 20 digits each.
constexpr size_t kMaxBody = size_t{96} * 1024 * 1024;
constexpr size_t kMaxVectors = 4096;

bool ReadVector(const json::Value& value, std::vector<double>& to) {
  if (value.kind() != json::Kind::kArray) return false;
  to.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const json::Value number = value.At(i);
    if (!number.is_number()) return false;
    to.push_back(number.AsReal());
  }
  return !to.empty();
}

class EmbeddingCall final : public Completion, private HttpEvents {
 public:
  EmbeddingCall(HttpClient& client, HttpRequest request, size_t count, ReadEmbeddings read,
                EmbeddingDone done)
      : count_(count),
        secret_(SecretOf(request)),
        read_(std::move(read)),
        done_(std::move(done)),
        exchange_(client.Send(std::move(request), this)) {}

  void Pause() override { exchange_->Pause(); }
  void Resume() override { exchange_->Resume(); }

 private:
  void OnHead(const http::ResponseHead& head) override {
    status_ = head.status;
    retry_after_ = head.fields.Get("retry-after");
  }
  void OnBody(ByteView piece) override {
    if (over_) return;
    body_ += piece;
    if (body_.size() > kMaxBody) {
      Fail(Fault(502, "provider_error", "The model's provider answers with too much."));
    }
  }
  void OnEnd() override {
    if (over_) return;
    if (status_ != 200)
      return Fail(ProblemOfStatus(status_, SaidInError(body_, secret_), retry_after_));
    const auto document = json::Document::Parse(
        body_, {.octets = kMaxBody, .depth = 16, .values = size_t{20} * 1000 * 1000});
    Embeddings embeddings;
    if (!document.ok() || !read_(document->root(), embeddings) ||
        embeddings.vectors.size() != count_) {
      return Fail(Fault(502, "provider_error",
                        "The model's provider answers otherwise than its API promises."));
    }
    over_ = true;
    done_.done(std::move(embeddings));
  }
  void OnFailed(const Error& error) override { Fail(ProblemOfConnection(error, status_ != 0)); }

  void Fail(const Problem& problem) {
    if (!std::exchange(over_, true)) done_.failed(problem);
  }

  const size_t count_;
  const std::string secret_;
  const ReadEmbeddings read_;
  const EmbeddingDone done_;
  int status_ = 0;
  std::string retry_after_;
  std::string body_;
  bool over_ = false;
  const std::unique_ptr<HttpExchange> exchange_;
};

}  // namespace

std::unique_ptr<Completion> MakeEmbeddingCall(HttpClient& client, HttpRequest request, size_t count,
                                              ReadEmbeddings read, EmbeddingDone done) {
  return std::make_unique<EmbeddingCall>(client, std::move(request), count, std::move(read),
                                         std::move(done));
}

bool ReadOpenAiEmbeddings(const json::Value& body, Embeddings& to) {
  const auto data = body.Find("data");
  if (!data.has_value() || data->kind() != json::Kind::kArray || data->size() > kMaxVectors) {
    return false;
  }
  to.vectors.resize(data->size());
  for (size_t i = 0; i < data->size(); ++i) {
    const json::Value item = data->At(i);
    const auto vector = item.Find("embedding");
    const auto index = item.Find("index");
    const size_t at = index.has_value() ? static_cast<size_t>(IntegerMember(item, "index")) : i;
    if (!vector.has_value() || at >= to.vectors.size() || !to.vectors[at].empty() ||
        !ReadVector(*vector, to.vectors[at])) {
      return false;
    }
  }
  const auto usage = body.Find("usage");
  to.usage.estimated = !usage.has_value();
  if (usage.has_value()) to.usage.prompt_tokens = IntegerMember(*usage, "prompt_tokens");
  return true;
}

bool ReadOllamaEmbeddings(const json::Value& body, Embeddings& to) {
  const auto vectors = body.Find("embeddings");
  if (!vectors.has_value() || vectors->kind() != json::Kind::kArray ||
      vectors->size() > kMaxVectors) {
    return false;
  }
  to.vectors.resize(vectors->size());
  for (size_t i = 0; i < vectors->size(); ++i) {
    if (!ReadVector(vectors->At(i), to.vectors[i])) return false;
  }
  to.usage.prompt_tokens = IntegerMember(body, "prompt_eval_count");
  to.usage.estimated = to.usage.prompt_tokens == 0;
  return true;
}

json::Node EmbeddingBody(const EmbeddingRequest& request) {
  json::Node inputs = json::Node::Array();
  for (const std::string& input : request.inputs) inputs.Add(input);
  json::Node body = json::Node::Object();
  body.Set("model", request.model).Set("input", std::move(inputs));
  if (request.dimensions.has_value()) body.Set("dimensions", *request.dimensions);
  return body;
}

}  // namespace framewall::backend::llm
