// A call that writes down what it is answered, and a loop that runs until it is.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/llm/provider.h"
#include "backend/server/call.h"
#include "backend/server/router.h"

namespace framewall::backend::llm {

class FakeCall final : public server::Call, public server::ReplyStream {
 public:
  FakeCall(event::EventLoop& loop, std::string body) : loop_(loop), body_(std::move(body)) {
    identity_.kind = Identity::Kind::kSession;
    identity_.user = "anna";
    identity_.session = "s1";
  }

  // --- what came ---
  std::optional<server::Reply> reply;
  int stream_status = 0;  // 0: no stream
  std::string stream_type;
  std::string streamed;
  bool stream_ended = false;
  bool stream_closes = false;  // its connection
  bool stream_aborted = false;
  bool is_over() const { return reply.has_value() || stream_ended || stream_aborted; }
  std::string Field(std::string_view name) const {
    for (const auto& [key, value] : reply->fields) {
      if (key == name) return value;
    }
    return "";
  }

  // --- what happens to it ---
  Identity identity_;
  bool congested_ = false;
  std::function<void()> drained;
  std::function<void()> on_gone;
  server::Parameters parameters;
  void GoAway() {
    gone_ = true;
    if (on_gone) std::exchange(on_gone, nullptr)();
  }

  const http::RequestHead& head() const override { return head_; }
  std::string_view path() const override { return "/"; }
  std::string_view Parameter(std::string_view name) const override {
    for (const auto& [key, value] : parameters) {
      if (key == name) return value;
    }
    ADD_FAILURE() << name;
    return "";
  }
  std::optional<std::string> Argument(std::string_view) const override { return std::nullopt; }
  std::string_view body() const override { return body_; }
  const json::Value* JsonBody() override { return nullptr; }
  const std::string& client_address() const override { return address_; }
  const std::string& request_id() const override { return id_; }
  const Identity& identity() const override { return identity_; }
  bool inside() const override { return false; }
  event::EventLoop& loop() override { return loop_; }
  using server::Call::Answer;
  void Answer(server::Reply given) override {
    EXPECT_FALSE(is_over() || stream_status != 0);
    reply = std::move(given);
  }
  void Fail(const Problem& problem) override {
    ADD_FAILURE() << "not in the client's dialect: " << problem.detail;
  }
  void Fail(const Error& error) override { ADD_FAILURE() << error.message; }
  server::ReplyStream& AnswerInPieces(int status, std::string type, server::Fields,
                                      server::Afterwards afterwards) override {
    EXPECT_FALSE(is_over() || stream_status != 0);
    stream_closes = afterwards == server::Afterwards::kClose;
    stream_status = status;
    stream_type = std::move(type);
    return *this;
  }
  std::unique_ptr<server::Socket> AnswerWithSocket(const server::SocketOptions&) override {
    return nullptr;
  }
  bool gone() const override { return gone_; }
  void OnGone(std::function<void()> callback) override { on_gone = std::move(callback); }

  void Write(std::string_view piece) override {
    EXPECT_FALSE(is_over());
    streamed += piece;
  }
  void End() override { stream_ended = true; }
  void Abort() override { stream_aborted = true; }
  bool congested() const override { return congested_; }
  void OnDrained(std::function<void()> callback) override { drained = std::move(callback); }

 private:
  event::EventLoop& loop_;
  Arena arena_;
  http::RequestHead head_{&arena_};
  const std::string body_;
  const std::string address_ = "192.0.2.1";
  const std::string id_ = "r1";
  bool gone_ = false;
};

// Asks the route for `method pattern`, and waits for its answer.
inline std::shared_ptr<FakeCall> Ask(event::EventLoop& loop,
                                     const std::vector<server::Route>& routes,
                                     std::string_view method, std::string_view pattern,
                                     std::string body, server::Parameters parameters = {}) {
  auto call = std::make_shared<FakeCall>(loop, std::move(body));
  call->parameters = std::move(parameters);
  for (const server::Route& route : routes) {
    if (route.method != method || route.pattern != pattern) continue;
    route.handler(call);
    for (int turns = 0; !call->is_over() && turns < 2000; ++turns) {
      loop.RunOnce(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(call->is_over());
    return call;
  }
  ADD_FAILURE() << "no route " << method << " " << pattern;
  return call;
}

// What a provider is told to say; what it was asked; and whether its work was ended.
struct ScriptedProvider final : public Provider {
  struct Asked final : public Completion {
    explicit Asked(ScriptedProvider& owner) : provider(owner) {}
    ~Asked() override { ++provider.ended; }
    void Pause() override { ++provider.pauses; }
    void Resume() override { --provider.pauses; }
    ScriptedProvider& provider;
  };
  std::string_view kind() const override { return "scripted"; }
  std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                       CompletionEvents* to) override {
    requests.push_back(request);
    events = to;
    return std::make_unique<Asked>(*this);
  }
  bool takes_image_addresses() const override { return fetches; }

  std::vector<CompletionRequest> requests;
  CompletionEvents* events = nullptr;  // of the last request
  int ended = 0;
  int pauses = 0;
  bool fetches = false;
};

// Everything that a completion told.
struct Told final : public CompletionEvents {
  void OnText(std::string_view piece) override { text += piece; }
  void OnReasoning(std::string_view piece) override { reasoning += piece; }
  void OnToolCall(const ToolCallPiece& piece) override {
    if (piece.index >= calls.size()) calls.resize(piece.index + 1);
    calls[piece.index].id += piece.id;
    calls[piece.index].name += piece.name;
    calls[piece.index].arguments += piece.arguments;
  }
  void OnEnd(FinishReason why, const Usage& cost) override {
    ++ends;
    reason = why;
    usage = cost;
  }
  void OnError(const Problem& what) override { errors.push_back(what); }
  bool over() const { return ends > 0 || !errors.empty(); }

  std::string text, reasoning;
  std::vector<ToolCall> calls;
  int ends = 0;
  FinishReason reason = FinishReason::kStop;
  Usage usage;
  std::vector<Problem> errors;
};

}  // namespace framewall::backend::llm
