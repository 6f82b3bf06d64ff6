// One connection of the HTTP client: a stream and its codec. It changes hands between requests and
// the idle ones.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/http/http1/client_codec.h"

namespace framewall::backend::llm {

class HttpConnection final : private event::StreamHandler, private http::ClientCodecEvents {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnSecured() = 0;
    virtual void OnHead(const http::ResponseHead& head) = 0;
    virtual void OnBody(ByteView piece) = 0;
    virtual void OnResponseEnd() = 0;
    virtual void OnConnectionFailed(const Error& error) = 0;
  };

  // From within a call to its owner it is destroyed with EventLoop::Retire only.
  HttpConnection(event::EventLoop& loop, std::unique_ptr<event::Stream> stream);
  ~HttpConnection() override;

  void SetOwner(Owner* owner) { owner_ = owner; }
  // Fields but for Host, Content-Length and Connection, which are written by us.
  void Send(std::string_view method, std::string_view target, std::string_view authority,
            const std::vector<std::pair<std::string, std::string>>& fields, std::string_view body);
  void Pause() { pause_ = stream_->PauseReading(); }
  void Resume() { pause_.Release(); }
  void Close();

  // Closed after `longest`, or when the peer says anything.
  void BecomeIdle(std::chrono::milliseconds longest);
  // Can it take another request?
  bool usable() const { return !broken_ && !stream_->closed(); }
  // Since the last Send.
  bool received_nothing() const { return received_nothing_; }

 private:
  void OnBytes(ByteView bytes) override;
  void OnEnd() override;
  void OnBroken(const Error& error) override;
  void OnSecured() override;

  void OnInterimResponse(const http::ResponseHead& /*head*/) override {}
  void OnResponseHead(http::BodyFraming framing) override;
  void OnResponseBody(ByteView piece) override;
  void OnResponseEnd(const http::HeaderMap* trailers) override;
  void OnResponseError(http::MessageError error) override;

  void Failed(const Error& error);

  Arena arena_;
  http::ResponseHead head_{&arena_};
  http::Http1ClientCodec codec_;
  std::unique_ptr<event::Stream> stream_;
  event::ReadPause pause_;
  event::Timer idle_;
  Owner* owner_ = nullptr;
  bool busy_ = false;
  bool broken_ = false;
  bool ended_ = false;  // by the peer
  bool received_nothing_ = true;
};

}  // namespace framewall::backend::llm
