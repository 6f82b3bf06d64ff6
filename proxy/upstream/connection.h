// Connection: a stream to a peer with the codec and the timer that live as long as it. It changes
// hands between attempts and the pool of idle connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "proxy/base/clock.h"
#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/http/http1/client_codec.h"

namespace framewall::upstream {

class Connection final : public event::StreamHandler {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnBytes(Connection& connection, ByteView bytes) = 0;
    virtual void OnEnd(Connection& connection) = 0;
    virtual void OnBroken(Connection& connection, const Error& error) = 0;
    virtual void OnDrained(Connection& /*connection*/) {}
    virtual void OnSecured(Connection& /*connection*/) {}
    virtual void OnTimer(Connection& connection) = 0;
  };

  // What must be equal for a request to use a connection that another one made.
  struct Identity {
    SocketAddress address;
    const void* tls = nullptr;  // the TLS context; null for plain text
    std::string tls_name;       // the name that was sent and verified
    std::string local;          // proxy_bind
    size_t head_limit = 0;      // proxy_buffer_size: the codec's limit
    bool operator==(const Identity&) const = default;
  };

  Connection(event::EventLoop& loop, std::unique_ptr<event::Stream> new_stream,
             Identity new_identity, const http::HeadLimits& limits, http::ClientCodecEvents* events)
      : identity(std::move(new_identity)),
        stream(std::move(new_stream)),
        codec(limits, events),
        timer(loop,
              [this] {
                if (owner_ != nullptr) owner_->OnTimer(*this);
              }),
        created(CachedNow().steady) {
    stream->SetHandler(this);
  }
  ~Connection() override = default;

  void SetOwner(Owner* owner) { owner_ = owner; }

  const Identity identity;
  std::unique_ptr<event::Stream> stream;  // null once it was taken
  http::Http1ClientCodec codec;
  event::Timer timer;
  const SteadyTime created;
  uint64_t requests = 0;

 private:
  void OnBytes(ByteView bytes) override {
    if (owner_ != nullptr) owner_->OnBytes(*this, bytes);
  }
  void OnEnd() override {
    if (owner_ != nullptr) owner_->OnEnd(*this);
  }
  void OnBroken(const Error& error) override {
    if (owner_ != nullptr) owner_->OnBroken(*this, error);
  }
  void OnDrained() override {
    if (owner_ != nullptr) owner_->OnDrained(*this);
  }

  void OnSecured() override {
    if (owner_ != nullptr) owner_->OnSecured(*this);
  }

  Owner* owner_ = nullptr;
};

}  // namespace framewall::upstream
