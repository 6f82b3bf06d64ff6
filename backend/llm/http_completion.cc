#include "backend/llm/http_completion.h"

#include <fmt/format.h>

#include <utility>

#include "backend/llm/fault.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"

namespace framewall::backend::llm {
namespace {

constexpr size_t kErrorBody = 65536;
constexpr size_t kSaid = 1000;
// Behind the end mark the body's end is due: then the connection can be kept.
constexpr std::chrono::milliseconds kLinger{100};

}  // namespace

std::string_view TextMember(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  if (!member.has_value() || member->kind() != json::Kind::kString) return {};
  return member->AsString();
}

int64_t IntegerMember(const json::Value& object, std::string_view name) {
  const auto member = object.Find(name);
  if (!member.has_value() || member->kind() != json::Kind::kInteger) return 0;
  return member->AsInteger();
}

std::string SaidInError(std::string_view body) {
  const auto document = json::Document::Parse(body);
  if (!document.ok()) return {};
  const auto error = document->root().Find("error");
  if (!error.has_value()) return {};
  std::string said(error->kind() == json::Kind::kString ? error->AsString()
                                                        : TextMember(*error, "message"));
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

HttpCompletion::HttpCompletion(event::EventLoop& loop, HttpClient& client, HttpRequest request,
                               CompletionEvents* events)
    : events_(events),
      exchange_(client.Send(std::move(request), this)),
      linger_(loop, [this] { TellEnd(); }) {}

void HttpCompletion::OnHead(const http::ResponseHead& head) {
  status_ = head.status;
  retry_after_ = head.fields.Get("retry-after");
  const std::string_view encoding = head.fields.Get("content-encoding");
  if (!encoding.empty() && !EqualsIgnoreCase(encoding, "identity")) {
    Fail(Fault(502, "provider_error", "The model's provider encodes its answer unasked."));
  }
}

void HttpCompletion::OnBody(ByteView piece) {
  if (over()) return;
  if (status_ != 200) {
    if (error_body_.size() < kErrorBody) error_body_ += piece.substr(0, kErrorBody);
    return;
  }
  const Status read = Read(piece);
  if (!read.ok()) {
    Fail(Fault(502, "provider_error",
               "The model's provider answers otherwise than its API promises."));
  }
}

void HttpCompletion::OnEnd() {
  if (over_) return;
  if (status_ != 200) {
    return Fail(ProblemOfStatus(status_, SaidInError(error_body_), retry_after_));
  }
  if (!complete_) ReadEnd();
  if (over_) return;
  if (complete_) return TellEnd();
  Fail(Fault(502, "provider_broken", "The answer of the model ended without its end mark."));
}

void HttpCompletion::OnFailed(const Error& error) {
  if (over_) return;
  if (complete_) return TellEnd();
  Fail(ProblemOfConnection(error, status_ != 0));
}

void HttpCompletion::Complete(FinishReason reason, const Usage& usage) {
  if (over()) return;
  complete_ = true;
  reason_ = reason;
  usage_ = usage;
  linger_.Set(kLinger);
}

void HttpCompletion::TellEnd() {
  if (std::exchange(over_, true)) return;
  linger_.Cancel();
  events_->OnEnd(reason_, usage_);
}

void HttpCompletion::Fail(const Problem& problem) {
  if (complete_ || std::exchange(over_, true)) return;
  events_->OnError(problem);
}

}  // namespace framewall::backend::llm
