// What filters and content handlers may ask of the one who drives an exchange. Implemented by
// server/exchange_driver; everything a lower room needs to call upwards is declared here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/bytes.h"
#include "proxy/exchange/subrequest.h"
#include "proxy/http/message.h"
#include "proxy/ws/deflate.h"

namespace framewall::event {
class EventLoop;
class Stream;
}  // namespace framewall::event

namespace framewall::exchange {

class Exchange;

// A WebSocket whose handshakes are done on both sides: what the relay is made of.
struct SocketHandover {
  // Defined with the class, where event::Stream is whole.
  SocketHandover();
  SocketHandover(SocketHandover&&) noexcept;
  ~SocketHandover();

  std::unique_ptr<event::Stream> upstream;
  std::string from_upstream;  // read behind the 101
  // As agreed with each side; nothing: no permessage-deflate there.
  std::optional<ws::DeflateParams> client_deflate;
  std::optional<ws::DeflateParams> upstream_deflate;
  std::string_view subprotocol;  // in the exchange's arena
};

class Driver {
 public:
  virtual ~Driver() = default;

  // A filter that answered Pause goes on. May be called at any time but from inside the filter's
  // own On… call.
  virtual void Resume() = 0;

  // --- For the content handler: the response, in this order. ---
  // 1xx other than 101; may come several times before SendHead.
  virtual void SendInterim(const http::ResponseHead& head) = 0;
  // exchange.response is complete, but for Server, Date, Connection and framing. Runs the response
  // filters; a filter may replace the response.
  virtual void SendHead() = 0;
  virtual void SendBody(ByteView piece) = 0;
  // The body is whole. `trailers` may be null.
  virtual void SendEnd(const http::HeaderMap* trailers) = 0;
  // More output than the client takes: produce no more until ContentHandler::OnClientDrained.
  virtual bool congested() const = 0;

  // Ends the exchange with `status`: error_page is applied, or the built-in page sent. After
  // SendHead it is too late for that: the response is cut off as an error.
  virtual void Finish(int status) = 0;
  // The response cannot go on (truncated upstream): the client sees an error, never a clean end.
  virtual void AbortResponse() = 0;
  // A whole small response: `return 200 "text"`, stub_status, redirects with a body. Fields other
  // than Content-Type and Content-Length are already in exchange.response.
  virtual void SendWhole(int status, std::string_view content_type, std::string_view body) = 0;
  // 301/302/303/307/308 to `location` (made absolute as absolute_redirect says) with nginx's page.
  virtual void Redirect(int status, std::string_view location) = 0;

  // Back to find-location with another URI (index, try_files, error_page, X-Accel-Redirect). `args`
  // replaces the query; at most 10 of these, then 500.
  virtual void InternalRedirect(std::string_view uri, std::string_view args) = 0;
  // To "@name"; 500 where it does not exist.
  virtual void NamedRedirect(std::string_view name) = 0;

  // --- Request body, for the content handler. ---
  // Body not yet collected (proxy_request_buffering off) is given to ContentHandler::OnRequestBody
  // only while it asks; false pauses the client. What has come already is given from inside this
  // call: it is the last thing that the handler does.
  virtual void WantRequestBody(bool want) = 0;

  // Gives the client's stream up for a tunnel; the driver's connection then only waits for
  // TunnelDone. `client_leftover` receives bytes already read.
  virtual event::Stream* TakeStreamForTunnel(std::string* client_leftover) = 0;
  // The tunnel ended: log phase, then everything is closed. `client_bytes_sent` counts what it
  // sent.
  virtual void TunnelDone(uint64_t client_bytes_sent) = 0;

  // After the head with 101 was sent: messages are relayed from now on. The handler stays and hears
  // of the end by ContentHandler::OnSocketDone. False where this client's protocol has no sockets.
  virtual bool StartRelay(SocketHandover handover) = 0;

  // Asks another location (subrequest.h). The callback comes from the loop; a handle that is
  // destroyed cancels. Whoever asks answers Pause and calls Resume from the callback.
  virtual std::unique_ptr<Subrequest> StartSubrequest(const SubrequestOptions& options,
                                                      SubrequestCallback callback) = 0;

  virtual event::EventLoop& loop() = 0;
};

}  // namespace framewall::exchange
