// One HTTP request and its answer, as handlers of the backend see it. All of it on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/base/identity.h"
#include "backend/base/problem.h"
#include "backend/server/socket.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/http/message.h"
#include "proxy/json/document.h"
#include "proxy/json/node.h"

namespace framewall::backend::server {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  Fields fields;  // further ones; cache-control: no-store stands unless one is here
};

// An answer that comes in pieces (server-sent events, NDJSON). Pieces of one turn leave together.
class ReplyStream {
 public:
  virtual ~ReplyStream() = default;
  // Nothing happens once the client is gone.
  virtual void Write(std::string_view piece) = 0;
  virtual void End() = 0;
  // Breaks off so that the client sees that it is not whole.
  virtual void Abort() = 0;
  // The client reads more slowly than we write: wait for OnDrained.
  virtual bool congested() const = 0;
  // Once, from the loop, when there is room again (soon, where there is already). Never once the
  // client is gone.
  virtual void OnDrained(std::function<void()> callback) = 0;
};

// What becomes of the connection behind an answer. A close is said in the head, before it is known
// how the answer ends: who is not told may send the next request into it.
enum class Afterwards : uint8_t { kMayStay, kClose };

class Call {
 public:
  virtual ~Call() = default;

  // --- the request; valid as long as the call ---
  virtual const http::RequestHead& head() const = 0;
  virtual std::string_view path() const = 0;  // normalized, percent-decoded
  // What stands for {name} in the route's pattern; percent-decoded. Requires: it is in the pattern.
  virtual std::string_view Parameter(std::string_view name) const = 0;
  // The first query argument of that name, decoded.
  virtual std::optional<std::string> Argument(std::string_view name) const = 0;
  // Whole, at most the route's limit.
  virtual std::string_view body() const = 0;
  // The body as a JSON object, parsed once; null where it is none: then the call is answered (400
  // or 415) already.
  virtual const json::Value* JsonBody() = 0;
  // Of the one who asks, told by the gateway in X-Real-IP; the peer's own address where there is
  // none. Trusted only as far as the settings say.
  virtual const std::string& client_address() const = 0;
  // X-Request-ID of the gateway where it is one, else made here; goes into logs.
  virtual const std::string& request_id() const = 0;
  virtual const Identity& identity() const = 0;
  // Asked from the machine itself, by the private socket or the loopback, and not by way of the
  // gateway: it names its client in X-Real-IP or X-Forwarded-For.
  virtual bool inside() const = 0;
  virtual event::EventLoop& loop() = 0;

  // --- the answer: exactly one of these, once; nothing happens where the client is gone ---
  virtual void Answer(Reply reply) = 0;
  void Answer(int status, const json::Node& json) {
    Answer(Reply{
        .status = status, .body = json.Text(), .content_type = "application/json", .fields = {}});
  }
  virtual void Fail(const Problem& problem) = 0;
  // 500 and a line in the log; for errors that are nobody's business outside.
  virtual void Fail(const Error& error) = 0;
  // The stream lives as long as the call.
  virtual ReplyStream& AnswerInPieces(int status, std::string content_type, Fields fields,
                                      Afterwards afterwards) = 0;
  // The handshake of RFC 6455 4.2, without extensions; null where the request is none, or the
  // program is about to end, which is then answered. The socket belongs to the caller.
  virtual std::unique_ptr<Socket> AnswerWithSocket(const SocketOptions& options) = 0;

  // --- its end ---
  virtual bool gone() const = 0;
  // The client went away before the answer was complete. At most once, never from inside a call.
  virtual void OnGone(std::function<void()> callback) = 0;
};

// Handlers keep it as long as they work on the answer. The connection waits for it; where the last
// one is gone without an answer the client gets 500, and an answer in pieces is broken off. On the
// loop only: a thread must not let go of one.
using CallRef = std::shared_ptr<Call>;
using Handler = std::function<void(CallRef)>;

}  // namespace framewall::backend::server
