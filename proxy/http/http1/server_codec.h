// HTTP/1.0 and 1.1 towards clients (RFC 9112), strict as the table in docs/architecture.md says.
#pragma once

#include <memory>

#include "proxy/http/codec.h"

namespace framewall::http {

// `events` and `output` outlive the codec. Limits and policy may be replaced once the server block
// is known (SNI, Host); they hold from the next head on.
class Http1ServerCodec : public ServerCodec {
 public:
  Http1ServerCodec(const HeadLimits& limits, const HeadPolicy& policy, ServerCodecEvents* events,
                   CodecOutput* output);
  ~Http1ServerCodec() override;
  void SetLimits(const HeadLimits& limits, const HeadPolicy& policy);

  size_t Receive(ByteView bytes) override;
  bool in_head() const override;
  void BeginNext() override;
  void DiscardBody(StreamId stream) override;
  void SendInterim(StreamId stream, const ResponseHead& head) override;
  void SendHead(StreamId stream, const ResponseHead& head, const ResponseOptions& options) override;
  void SendBody(StreamId stream, ByteView piece) override;
  void SendEnd(StreamId stream, const HeaderMap* trailers) override;
  void Abort(StreamId stream) override;
  bool keeps_alive() const override;
  uint64_t bytes_sent(StreamId stream) const override;
  uint64_t body_bytes_sent(StreamId stream) const override;
  uint64_t bytes_received(StreamId stream) const override;

  // After a 101: nothing is received or sent by HTTP any more, and its memory goes; the counts
  // stay. Not from inside Receive.
  void LeaveStream();

  // The request's own wish (version and Connection), known after the head.
  bool client_wants_keep_alive() const;
  // The body (if any) has been read to its end.
  bool request_complete() const;

 private:
  class State;
  struct Counts {
    uint64_t sent = 0;
    uint64_t body_sent = 0;
    uint64_t received = 0;
  };
  State& state();

  std::unique_ptr<State> state_;  // null once the stream is left
  Counts counts_;                 // as they were then
};

}  // namespace framewall::http
