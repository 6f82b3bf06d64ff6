// A completion over HTTP: what all providers with a server share. Statuses become problems, the end
// of the body without the dialect's end mark is an error, and so is silence.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backend/llm/http_client.h"
#include "backend/llm/provider.h"
#include "proxy/event/timer.h"
#include "proxy/json/document.h"

namespace framewall::backend::llm {

// What a status other than 2xx means. `said`: the provider's own words, which the client hears
// where the request is at fault.
Problem ProblemOfStatus(int status, std::string_view said, std::string_view retry_after);
// The same for a connection that failed.
Problem ProblemOfConnection(const Error& error, bool had_head);
// The text of {"error": "…"} or {"error": {"message": "…"}}, cut; empty where there is none.
std::string SaidInError(std::string_view body);

// The member as text, or empty.
std::string_view TextMember(const json::Value& object, std::string_view name);
int64_t IntegerMember(const json::Value& object, std::string_view name);

class HttpCompletion : public Completion, private HttpEvents {
 public:
  void Pause() override { exchange_->Pause(); }
  void Resume() override { exchange_->Resume(); }

 protected:
  // Sends at once; `client`, `loop` and `events` outlive it.
  HttpCompletion(event::EventLoop& loop, HttpClient& client, HttpRequest request,
                 CompletionEvents* events);

  // A piece of a 2xx answer's body. An error is the provider's.
  virtual Status Read(ByteView piece) = 0;
  // The body's end.
  virtual void ReadEnd() {}

  CompletionEvents& events() { return *events_; }
  // The dialect's end mark has come: the end is told when the body ends too, or a moment later.
  void Complete(FinishReason reason, const Usage& usage);
  // Once.
  void Fail(const Problem& problem);
  bool over() const { return over_ || complete_; }

 private:
  void OnHead(const http::ResponseHead& head) final;
  void OnBody(ByteView piece) final;
  void OnEnd() final;
  void OnFailed(const Error& error) final;
  void TellEnd();

  CompletionEvents* const events_;
  std::unique_ptr<HttpExchange> exchange_;
  int status_ = 0;
  std::string retry_after_;
  std::string error_body_;
  bool complete_ = false;
  bool over_ = false;
  FinishReason reason_ = FinishReason::kStop;
  Usage usage_;
  event::Timer linger_;
};

}  // namespace framewall::backend::llm
