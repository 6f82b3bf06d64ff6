// The Call of an HTTP/1 connection: a request's own memory, and the way back to its connection for
// as long as that is there.
//
//   reading -> handed out -> (pieces) -> over        gone: the connection went first
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/server/arguments.h"
#include "backend/server/call.h"
#include "backend/server/services.h"
#include "proxy/base/address.h"
#include "proxy/base/arena.h"

namespace framewall::backend::server {

class HttpCall final : public Call,
                       public ReplyStream,
                       public std::enable_shared_from_this<HttpCall> {
 public:
  // `connection` tells when it goes (Detach). Services outlive it.
  HttpCall(Services& services, Connection* connection, const SocketAddress& peer);

  // --- for the connection ---
  http::RequestHead& mutable_head() { return head_; }
  // The head is complete: finds the route. Nothing, or what to answer.
  std::optional<Problem> Begin();
  const Route* route() const { return match_.route; }
  std::string& mutable_body() { return body_; }
  void SetIdentity(Identity identity) { identity_ = std::move(identity); }
  bool has_credentials() const { return has_credentials_; }
  // What handlers hold.
  CallRef MakeRef();
  // Whoever holds a CallRef now owes us something: where the last one goes, the call fails.
  void SetAwaited(bool awaited) { awaited_ = awaited; }
  // The answer has been begun (Answer, Fail, AnswerInPieces, AnswerWithSocket) or is over.
  bool answered() const { return answered_; }
  bool over() const { return over_; }
  int status() const { return status_; }
  SteadyTime started() const { return started_; }
  // The connection is done with it; `gone`: before the answer was whole.
  void Detach(bool gone);
  void OnStreamDrained();
  Arena& arena() { return arena_; }

  // --- Call ---
  const http::RequestHead& head() const override { return head_; }
  std::string_view path() const override { return path_; }
  std::string_view Parameter(std::string_view name) const override;
  std::optional<std::string> Argument(std::string_view name) const override;
  std::string_view body() const override { return body_; }
  const json::Value* JsonBody() override;
  const std::string& client_address() const override { return client_address_; }
  const std::string& request_id() const override;
  const Identity& identity() const override { return identity_; }
  bool inside() const override { return inside_; }
  event::EventLoop& loop() override { return loop_; }
  using Call::Answer;
  void Answer(Reply reply) override;
  void Fail(const Problem& problem) override;
  void Fail(const Error& error) override;
  ReplyStream& AnswerInPieces(int status, std::string content_type, Fields fields,
                              Afterwards afterwards) override;
  std::unique_ptr<Socket> AnswerWithSocket(const SocketOptions& options) override;
  bool gone() const override { return gone_; }
  void OnGone(std::function<void()> callback) override;

  // --- ReplyStream ---
  void Write(std::string_view piece) override;
  void End() override;
  void Abort() override;
  bool congested() const override;
  void OnDrained(std::function<void()> callback) override;

 private:
  void ReadOrigin();
  // False where there is an answer already, which is a bug, or nobody to hear it.
  bool BeginAnswer(int status);
  void HandlersLeft();

  event::EventLoop& loop_;
  Services& services_;  // as long as there is a connection
  Connection* connection_;
  const SocketAddress peer_;
  const SteadyTime started_;
  Arena arena_;
  http::RequestHead head_;
  Router::Match match_;
  Arguments arguments_;
  std::string path_;
  std::string body_;
  std::string client_address_;
  mutable std::string request_id_;
  Identity identity_;
  std::optional<json::Document> document_;
  std::optional<json::Value> document_root_;
  std::function<void()> on_gone_;
  std::function<void()> on_drained_;
  int status_ = 0;
  int references_ = 0;  // CallRefs that MakeRef gave
  bool awaited_ = false;
  bool inside_ = false;
  bool has_credentials_ = false;
  bool answered_ = false;
  bool over_ = false;
  bool gone_ = false;
};

}  // namespace framewall::backend::server
