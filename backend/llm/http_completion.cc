#include "backend/llm/http_completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backend/llm/fault.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/event/timer.h"

namespace framewall::backend::llm {
namespace {

constexpr size_t kErrorBody = 65536;
constexpr size_t kSaid = 1000;
// Behind the end mark the body's end is due: then the connection can be kept.
constexpr std::chrono::milliseconds kLinger{100};

class HttpCompletion final : public Completion, private HttpEvents, private CompletionEvents {
 public:
  HttpCompletion(event::EventLoop& loop, HttpClient& client, HttpRequest request, MakeStream make,
                 CompletionEvents* events)
      : events_(events),
        secret_(SecretOf(request)),
        stream_(make(this)),
        exchange_(client.Send(std::move(request), this)),
        linger_(loop, [this] { TellEnd(); }) {}

  void Pause() override { exchange_->Pause(); }
  void Resume() override { exchange_->Resume(); }

 private:
  // --- of the connection ---

  void OnHead(const http::ResponseHead& head) override {
    status_ = head.status;
    retry_after_ = head.fields.Get("retry-after");
    const std::string_view encoding = head.fields.Get("content-encoding");
    if (!encoding.empty() && !EqualsIgnoreCase(encoding, "identity")) {
      Fail(Fault(502, "provider_error", "The model's provider encodes its answer unasked."));
    }
  }

  void OnBody(ByteView piece) override {
    if (over_ || complete_) return;
    if (status_ != 200) {
      error_body_ += piece.substr(0, kErrorBody - std::min(kErrorBody, error_body_.size()));
    } else if (!stream_->Read(piece).ok()) {
      Fail(Fault(502, "provider_error",
                 "The model's provider answers otherwise than its API promises."));
    }
  }

  void OnEnd() override {
    if (over_) return;
    if (status_ != 200) {
      return Fail(ProblemOfStatus(status_, SaidInError(error_body_, secret_), retry_after_));
    }
    if (!complete_) stream_->Finish();
    if (over_) return;
    if (complete_) return TellEnd();
    Fail(Fault(502, "provider_broken", "The answer of the model ended without its end mark."));
  }

  void OnFailed(const Error& error) override {
    if (over_) return;
    if (complete_) return TellEnd();
    Fail(ProblemOfConnection(error, status_ != 0));
  }

  // --- of the stream ---

  void OnText(std::string_view piece) override { events_->OnText(piece); }
  void OnReasoning(std::string_view piece) override { events_->OnReasoning(piece); }
  void OnToolCall(const ToolCallPiece& piece) override { events_->OnToolCall(piece); }
  // Told when the body ends too, or a moment later.
  void OnEnd(FinishReason reason, const Usage& usage) override {
    complete_ = true;
    reason_ = reason;
    usage_ = usage;
    linger_.Set(kLinger);
  }
  void OnError(const Problem& problem) override { Fail(problem); }

  void TellEnd() {
    if (std::exchange(over_, true)) return;
    linger_.Cancel();
    events_->OnEnd(reason_, usage_);
  }

  void Fail(const Problem& problem) {
    if (!complete_ && !std::exchange(over_, true)) events_->OnError(problem);
  }

  CompletionEvents* const events_;
  const std::string secret_;
  const std::unique_ptr<ProviderStream> stream_;
  const std::unique_ptr<HttpExchange> exchange_;
  int status_ = 0;
  std::string retry_after_;
  std::string error_body_;
  bool complete_ = false;
  bool over_ = false;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
  event::Timer linger_;
};

}  // namespace

std::string SecretOf(const HttpRequest& request) {
  for (const auto& [name, value] : request.fields) {
    if (EqualsIgnoreCase(name, "x-api-key")) return value;
    if (EqualsIgnoreCase(name, "authorization")) return value.substr(value.find(' ') + 1);
  }
  return {};
}

std::string SaidInError(std::string_view body, std::string_view secret) {
  const auto document = json::Document::Parse(body);
  if (!document.ok()) return {};
  const auto error = document->root().Find("error");
  if (!error.has_value()) return {};
  std::string said(error->kind() == json::Kind::kString ? error->AsString()
                                                        : TextMember(*error, "message"));
  for (size_t at = 0; !secret.empty() && (at = said.find(secret, at)) != said.npos;) {
    said.replace(at, secret.size(), "***");
  }
  if (said.size() > kSaid) {
    size_t end = kSaid;
    while (end > 0 && (static_cast<uint8_t>(said[end]) & 0xc0) == 0x80) --end;
    said.resize(end);
  }
  return said;
}

Problem ProblemOfStatus(int status, std::string_view said, std::string_view retry_after) {
  if (status == 401 || status == 403) {
    return Fault(502, "provider_refused", "The model's provider does not let us in.");
  }
  if (status == 429) {
    const auto seconds = ParseUnsigned(retry_after);
    const int wait = seconds.has_value() && *seconds < 86400 ? static_cast<int>(*seconds) : 0;
    return Fault(429, "provider_busy", "The model's provider is busy.", wait > 0 ? wait : 5);
  }
  if (status == 400 || status == 413 || status == 422) {
    return Fault(status == 413 ? 413 : 400, "refused_by_provider",
                 said.empty() ? std::string("The model's provider does not take this request.")
                              : std::string(said));
  }
  if (status == 503) {
    return Fault(503, "provider_unavailable", "The model's provider is not available.", 5);
  }
  return Fault(502, "provider_error",
               fmt::format("The model's provider answered with status {}.", status));
}

Problem ProblemOfConnection(const Error& error, bool had_head) {
  if (error.kind == ErrorKind::kTimeout) {
    return Fault(504, "provider_timeout", "The model's provider was silent for too long.");
  }
  if (had_head) return Fault(502, "provider_broken", "The answer of the model broke off.");
  return Fault(503, "provider_unavailable", "The model's provider cannot be reached.", 5);
}

std::unique_ptr<Completion> MakeHttpCompletion(event::EventLoop& loop, HttpClient& client,
                                               HttpRequest request, MakeStream make,
                                               CompletionEvents* events) {
  return std::make_unique<HttpCompletion>(loop, client, std::move(request), make, events);
}

}  // namespace framewall::backend::llm
