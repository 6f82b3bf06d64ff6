// The seam between the wire and the server. A codec turns bytes into typed messages and typed
// messages into bytes; it knows no sockets, no timers and no configuration.
//
// Server side. One codec a connection, one request at a time for HTTP/1 (pipelined requests wait
// unread until BeginNext), many for HTTP/2. The owner implements ServerCodecEvents.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/http/limits.h"
#include "proxy/http/message.h"

namespace framewall::http {

// 1 for HTTP/1's one request at a time; HTTP/2's stream number otherwise.
using StreamId = uint32_t;

// Why a request cannot be served; the owner answers with `status` and closes.
struct MessageError {
  int status;               // 400, 408, 413, 414, 431, 494 (nginx: header too large), 501, 505
  std::string_view reason;  // for the error log: "client sent invalid header line"; static text
};

// Where a codec's bytes go. `pieces` are valid for the call only.
class CodecOutput {
 public:
  virtual ~CodecOutput() = default;
  virtual void WriteBytes(std::span<const ByteView> pieces) = 0;
};

class ServerCodecEvents {
 public:
  virtual ~ServerCodecEvents() = default;
  // The owner provides the memory of the next request's head; it stays valid until the exchange
  // of that stream is over.
  virtual RequestHead& NewRequestHead(StreamId stream) = 0;
  // The head is complete and its framing decided. Called once for each request.
  virtual void OnRequestHead(StreamId stream, BodyFraming framing) = 0;
  // A piece of body, never empty; valid for the call.
  virtual void OnRequestBody(StreamId stream, ByteView piece) = 0;
  // The message is whole. `trailers` is null without any, and valid for the call.
  virtual void OnRequestEnd(StreamId stream, const HeaderMap* trailers) = 0;
  // The bytes are no acceptable request. No further call for this stream.
  virtual void OnRequestError(StreamId stream, MessageError error) = 0;
  // HTTP/2 only: the client reset the stream, or the connection broke.
  virtual void OnStreamReset(StreamId stream) = 0;
};

// How a response is put on the wire.
struct ResponseOptions {
  bool head_request = false;    // the request was HEAD: head as usual, no body
  bool keep_alive = true;       // we are willing; the codec says so or "close"
  bool chunked_allowed = true;  // chunked_transfer_encoding; off: close delimits
  bool has_trailers = false;
  // Keep-Alive: timeout=N where not negative (keepalive_timeout's second argument), seconds.
  int64_t keep_alive_header = -1;
  // Whole field lines with CRLF that go right behind the status line (Server, Date).
  std::string_view preamble;
};

class ServerCodec {
 public:
  virtual ~ServerCodec() = default;

  // Takes bytes from the client; returns how many were used. HTTP/1 uses none beyond the end of
  // the current request until BeginNext: the owner keeps the rest and feeds it again.
  virtual size_t Receive(ByteView bytes) = 0;
  // True between the first octet of a head and its end (for client_header_timeout and for telling
  // an idle connection from a half request).
  virtual bool in_head() const = 0;
  // The current request and its response are done; HTTP/1 may read the next head.
  virtual void BeginNext() = 0;
  // HTTP/1: from now on the request body is read and thrown away (limit refused, early answer).
  virtual void DiscardBody(StreamId stream) = 0;

  // Interim responses (100, 103); never to an HTTP/1.0 client.
  virtual void SendInterim(StreamId stream, const ResponseHead& head) = 0;
  // The codec decides the framing: Content-Length where the head has one, chunked for HTTP/1.1,
  // close otherwise; adds Connection, Keep-Alive and Transfer-Encoding itself. Requires: `head`
  // has no hop-by-hop fields.
  virtual void SendHead(StreamId stream, const ResponseHead& head,
                        const ResponseOptions& options) = 0;
  // A piece of body. Requires: SendHead came before; not after SendEnd.
  virtual void SendBody(StreamId stream, ByteView piece) = 0;
  // The response is whole. `trailers` may be null.
  virtual void SendEnd(StreamId stream, const HeaderMap* trailers) = 0;
  // The response cannot be completed: HTTP/1 must close without a clean end, HTTP/2 resets.
  virtual void Abort(StreamId stream) = 0;

  // After SendEnd: does this connection stay open for another request?
  virtual bool keeps_alive() const = 0;
  // Octets of all heads, bodies and framing handed to CodecOutput for this stream so far
  // ($bytes_sent), and of the body alone ($body_bytes_sent).
  virtual uint64_t bytes_sent(StreamId stream) const = 0;
  virtual uint64_t body_bytes_sent(StreamId stream) const = 0;
  // Octets read for this request, head included ($request_length).
  virtual uint64_t bytes_received(StreamId stream) const = 0;
};

// Client side, towards an upstream. The owner implements ClientCodecEvents.
class ClientCodecEvents {
 public:
  virtual ~ClientCodecEvents() = default;
  // Interim response (1xx but 101); valid for the call.
  virtual void OnInterimResponse(const ResponseHead& head) = 0;
  // The head given to BeginResponse is filled in. 101 comes here with kNone framing, and every
  // octet after it stays unread.
  virtual void OnResponseHead(BodyFraming framing) = 0;
  virtual void OnResponseBody(ByteView piece) = 0;
  // Whole by its framing. `trailers` as above.
  virtual void OnResponseEnd(const HeaderMap* trailers) = 0;
  // Not a response we accept; the owner answers 502.
  virtual void OnResponseError(MessageError error) = 0;
};

}  // namespace framewall::http
