// HTTP/1.1 towards a provider: one origin, requests with a body, answers in pieces.
//
//   idle connection or (name, connect, TLS) ─► request sent ─► head ─► body ─► end ─► idle again
//
// Nothing is guessed from outside: no proxy variables, no redirects followed, no client's headers.
// Certificates are verified always. A kept connection that turns out to be closed before the first
// octet of an answer is replaced by a new one, once.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/bytes.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"
#include "proxy/http/message.h"

namespace framewall::backend::llm {

struct HttpOrigin {
  bool tls = false;
  std::string host;  // without brackets
  uint16_t port = 0;
  std::string prefix;     // "/v1", or empty; no slash at its end
  std::string authority;  // for the Host field
};

// "http://localhost:11434", "https://api.example/v1". No user, query or fragment.
Result<HttpOrigin> ParseHttpOrigin(std::string_view url);

struct HttpClientOptions {
  HttpOrigin origin;
  std::string ca_file;                         // PEM; empty: the system's
  std::chrono::milliseconds connect{5000};     // with name and TLS
  std::chrono::milliseconds silence{300'000};  // before the head, and between pieces
  size_t idle_connections = 32;
  std::chrono::milliseconds idle{20'000};
};

struct HttpRequest {
  std::string_view method = "POST";
  std::string path;  // behind the origin's prefix
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

// Called from the loop; exactly one of OnEnd and OnFailed, as the last call.
class HttpEvents {
 public:
  virtual ~HttpEvents() = default;
  virtual void OnHead(const http::ResponseHead& head) = 0;
  virtual void OnBody(ByteView piece) = 0;
  virtual void OnEnd() = 0;
  // kTimeout, kRefused, kNotFound, kClosed, kSyntax, kSystem; what it says is for the log.
  virtual void OnFailed(const Error& error) = 0;
};

// A request under way; its end closes the connection, and no event follows. From within an event
// it is ended with EventLoop::Retire only.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

class HttpClient {
 public:
  // Fails where the certificates cannot be read. `loop` outlives it.
  static Result<std::unique_ptr<HttpClient>> Make(event::EventLoop& loop,
                                                  const HttpClientOptions& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `events` outlives the exchange, the client both. No event comes from inside this call.
  std::unique_ptr<HttpExchange> Send(HttpRequest request, HttpEvents* events);

 private:
  struct State;
  class Exchange;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace framewall::backend::llm
