// HTTP/1 towards an upstream: requests out, responses in (RFC 9112). Strict in what it takes: an
// upstream's ambiguity must not become a client's response splitting.
#pragma once

#include <memory>
#include <string>

#include "proxy/http/codec.h"

namespace framewall::http {

// How a request is put on the wire.
struct RequestFraming {
  BodyFraming body;
  bool keep_alive = false;  // "Connection: keep-alive" is implied in 1.1, "close" is written
};

// One codec an upstream connection; messages one after the other.
class Http1ClientCodec {
 public:
  // `events` outlives the codec and may change between messages (SetEvents).
  Http1ClientCodec(const HeadLimits& limits, ClientCodecEvents* events);
  ~Http1ClientCodec();
  void SetEvents(ClientCodecEvents* events);

  // Appends "METHOD target HTTP/1.x" and the fields to `out`. `head.version` chooses 1.0 or 1.1.
  // Content-Length, Transfer-Encoding and Connection are written by us from `framing`; other fields
  // of those names in `head` are left out, unless `connection_override` (proxy_set_header
  // Connection) is given, which then is the Connection field ("" leaves it out).
  static void WriteRequestHead(const RequestHead& head, const RequestFraming& framing,
                               const std::string_view* connection_override, std::string& out);
  // Appends a piece of body: with chunk framing where `framing.body` is chunked.
  static void WriteBodyPrefix(const RequestFraming& framing, size_t piece_size, std::string& out);
  static void WriteBodySuffix(const RequestFraming& framing, std::string& out);
  static void WriteEnd(const RequestFraming& framing, std::string& out);

  // Gets ready for the response to a request with `method`. `head` is filled and must live until
  // the response is over.
  void BeginResponse(Method method, ResponseHead* head);
  // Returns how many octets were used: all, but for what follows the end of the response or a 101.
  size_t Receive(ByteView bytes);
  // The upstream closed: ends a close-delimited body, is an error (OnResponseError) anywhere else.
  void ReceiveEnd();

  bool head_received() const;
  bool response_done() const;
  // The message ended by itself and neither side asked to close.
  bool keeps_alive() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace framewall::http
