// One connection over HTTP/1.1: its requests, one after the other.
//
//   kIdle       waits for a request
//   kHead       a part of a head is here
//   kBody       the head is complete: the caller is being identified, the body comes
//   kAnswering  a handler works; reading goes on, so that a client that leaves is noticed
//   kDiscard    answered; the rest of the body is read and thrown away
//   kLingering  answered and our end is sent; reads until the client closes, so that no reset
//               destroys the answer on its way
//   kClosing    all is said; waits until the kernel has taken it
//   kOver       gone, or its stream belongs to a socket; freed at the end of the turn
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/server/http_call.h"
#include "backend/server/services.h"
#include "proxy/event/stream.h"
#include "proxy/event/timer.h"
#include "proxy/http/http1/server_codec.h"

namespace framewall::backend::server {

class Connection final : public event::StreamHandler,
                         public http::CodecOutput,
                         public http::ServerCodecEvents {
 public:
  // Takes over `fd`. `overloaded`: every request is answered 503.
  Connection(Services& services, int fd, const SocketAddress& peer, bool overloaded);
  ~Connection() override;

  // Idle: closes. Else: after the answer.
  void Drain();
  // The time of draining is over.
  void ForceClose() { CloseNow(event::Stream::CloseKind::kNormal); }

  // --- for its call ---
  void SendWhole(HttpCall& call, const Reply& reply);
  void BeginPieces(HttpCall& call, int status, std::string_view content_type, const Fields& fields,
                   Afterwards afterwards);
  void SendPiece(std::string_view piece);
  void EndPieces();
  void AbortPieces();
  bool congested() const { return stream_->congested(); }
  std::unique_ptr<Socket> SwitchToSocket(HttpCall& call, const SocketOptions& options,
                                         const Fields& fields);

  // --- StreamHandler ---
  void OnBytes(ByteView bytes) override;
  void OnEnd() override;
  void OnBroken(const Error& error) override;
  void OnDrained() override;
  void OnAllSent() override;

  // --- CodecOutput ---
  void WriteBytes(std::span<const ByteView> pieces) override { stream_->Write(pieces); }

  // --- ServerCodecEvents ---
  http::RequestHead& NewRequestHead(http::StreamId stream) override;
  void OnRequestHead(http::StreamId stream, http::BodyFraming framing) override;
  void OnRequestBody(http::StreamId stream, ByteView piece) override;
  void OnRequestEnd(http::StreamId stream, const http::HeaderMap* trailers) override;
  void OnRequestError(http::StreamId stream, http::MessageError error) override;
  void OnStreamReset(http::StreamId) override {}

 private:
  enum class State : uint8_t {
    kIdle,
    kHead,
    kBody,
    kAnswering,
    kDiscard,
    kLingering,
    kClosing,
    kOver,
  };
  enum class Identified : uint8_t { kNotYet, kAsked, kYes };

  void Feed(ByteView bytes);
  bool MayFeed() const;
  // After something came in, or an answer went out: the next step of the request, or the next one.
  void Advance();
  void Proceed();
  void Identify();
  void OnIdentified(Identity identity, const Problem* problem);
  void Dispatch();
  void Refuse(const Problem& problem);
  void SendHead(HttpCall& call, int status, std::string_view content_type, const Fields& fields,
                const std::string* length, Afterwards afterwards = Afterwards::kMayStay);
  void FinishCall();
  void BeginIdle();
  void CloseGracefully();
  void CloseNow(event::Stream::CloseKind kind);
  void OnTimer();
  void AwaitSend();
  void OnSendTimer();
  uint64_t SentOctets() const { return stream_->bytes_sent() - stream_->pending_output(); }

  Services& services_;
  const SocketAddress peer_;
  const bool overloaded_;
  State state_ = State::kIdle;
  Identified identified_ = Identified::kNotYet;
  std::unique_ptr<event::Stream> stream_;
  http::Http1ServerCodec codec_;
  std::shared_ptr<HttpCall> call_;
  // What stands for the answer that the router itself gives.
  std::optional<Problem> refusal_;
  // Octets of requests behind the current one; while they are being fed they stand in `rest_`.
  std::string input_;
  ByteView rest_;
  event::ReadPause pause_;
  event::Timer timer_;
  event::Timer send_timer_;
  uint64_t sent_at_last_check_ = 0;
  bool feeding_ = false;
  bool request_ended_ = false;
  bool expects_continue_ = false;
  bool must_close_ = false;
  bool aborted_ = false;
  bool until_close_ = false;
};

}  // namespace framewall::backend::server
