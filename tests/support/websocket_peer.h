// WebSocket peers for tests: a client that sends what it is told and an upstream that runs a
// script. Neither uses proxy/ws.
//
//   WebSocketUpstream upstream;                      // sends back what comes
//   ...
//   WebSocketClient client(proxy.port(0));
//   ASSERT_EQ(client.status(), 101);
//   client.SendText("hello");
//   EXPECT_EQ(client.Read().payload, "hello");
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_upstream.h"
#include "tests/support/raw_client.h"
#include "tests/support/websocket_frame.h"

namespace framewall::test {

struct WebSocketEvent {
  enum class Kind {
    kText,
    kBinary,
    kClose,
    kEnd,     // FIN
    kReset,   // RST, or a broken TLS connection
    kSilence  // nothing within the wait
  };
  Kind kind = Kind::kSilence;
  std::string payload;  // of a message, inflated; the reason of a Close
  uint16_t code = 0;    // of a Close; 1005 where it has none
  size_t fragments = 0;
  bool compressed = false;
};

// One end of a WebSocket whose handshake is over.
class WebSocketEnd {
 public:
  // `wire` outlives this.
  WebSocketEnd(Wire& wire, bool is_client, std::string read_ahead = "");

  bool Send(std::string_view octets) { return wire_->Send(octets); }
  // Sends one octet after the other, each in a segment of its own.
  bool SendSlowly(std::string_view octets);
  bool SendFrame(uint8_t opcode, std::string_view payload, bool fin = true, uint8_t reserved = 0);
  bool SendText(std::string_view text) { return SendFrame(kOpText, text); }
  bool SendBinary(std::string_view octets) { return SendFrame(kOpBinary, octets); }
  // One frame for each piece.
  bool SendFragments(uint8_t opcode, const std::vector<std::string>& pieces);
  // Requires permessage-deflate.
  bool SendCompressed(uint8_t opcode, std::string_view payload);
  bool SendClose(uint16_t code, std::string_view reason = "");
  // The frame that one of the above would send.
  std::string Frame(uint8_t opcode, std::string_view payload, bool fin = true,
                    uint8_t reserved = 0) const;

  // The next message or end. Pings are answered where `answers_pings`, and pongs kept.
  WebSocketEvent Read(std::chrono::milliseconds wait = kPatience);
  // The next frame of any kind.
  std::optional<WebSocketFrame> ReadFrame(std::chrono::milliseconds wait = kPatience);
  // The first that is a Close or an end.
  WebSocketEvent ReadToClose(std::chrono::milliseconds wait = kPatience);

  void UseDeflate(bool sends_with_takeover, bool reads_with_takeover);
  bool has_deflate() const { return deflater_ != nullptr; }
  Deflater& deflater() { return *deflater_; }
  Wire& wire() { return *wire_; }

  bool answers_pings = true;
  std::vector<std::string> pings;
  std::vector<std::string> pongs;

 private:
  Wire* wire_;
  bool is_client_;
  std::string pending_;
  std::unique_ptr<Deflater> deflater_;
  std::unique_ptr<Undeflater> undeflater_;
};

struct WebSocketClientOptions {
  std::string path = "/chat";
  std::string host = "localhost";
  // Lines that end in CRLF.
  std::string headers;
  // Of the whole head, where the handshake itself is under test; empty: a right one.
  std::string request;
  // Octets in the same segment as the request.
  std::string early;
  std::optional<TlsClientOptions> tls;
  std::string source;  // the address that we come from
};

inline constexpr char kOfferDeflate[] =
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
inline constexpr char kClientKey[] = "dGhlIHNhbXBsZSBub25jZQ==";
// GET with everything a handshake needs, up to the empty line but without it.
std::string HandshakeRequest(const std::string& path = "/chat");

class WebSocketClient {
 public:
  explicit WebSocketClient(uint16_t port) : WebSocketClient(port, WebSocketClientOptions()) {}
  WebSocketClient(uint16_t port, const WebSocketClientOptions& options);
  // Over a Unix socket.
  WebSocketClient(const std::string& unix_path, const WebSocketClientOptions& options);

  int status() const { return answer_.status(); }
  const HttpMessage& answer() const { return answer_; }
  WebSocketEnd& end() { return *end_; }
  WebSocketEnd* operator->() { return end_.get(); }
  RawClient& raw() { return *raw_; }

 private:
  void ShakeHands(const WebSocketClientOptions& options);

  std::unique_ptr<RawClient> raw_;
  HttpMessage answer_;
  std::unique_ptr<WebSocketEnd> end_;
};

// What a right upstream answers to `request`, up to the empty line and with it; `more` are lines.
std::string SwitchProtocols(const HttpMessage& request, const std::string& more = "");

class WebSocketUpstream {
 public:
  using Script = std::function<void(WebSocketEnd&)>;
  struct Options {
    FakeUpstream::Options fake;
    std::string headers;  // of the 101, lines
    std::string early;    // in the same segment as the 101
    // What the socket does after the handshake; null: Echo.
    Script script;
  };

  WebSocketUpstream() : WebSocketUpstream(Options()) {}
  explicit WebSocketUpstream(Options options);
  explicit WebSocketUpstream(Script script);

  std::string address() const { return fake_->address(); }
  uint16_t port() const { return fake_->port(); }
  std::vector<HttpMessage> requests() const { return fake_->requests(); }
  // What Keep and Echo have seen so far, of all sockets.
  std::vector<WebSocketEvent> events() const;
  // Only the payloads of messages.
  std::vector<std::string> messages() const;

  // Reads one event and keeps it.
  WebSocketEvent Keep(WebSocketEnd& end, std::chrono::milliseconds wait = kPatience);
  // Sends back what comes; answers a Close with the same code.
  void Echo(WebSocketEnd& end);

 private:
  void Serve(FakeUpstream::Peer& peer);

  Options options_;
  mutable std::mutex mutex_;
  std::vector<WebSocketEvent> events_;
  std::unique_ptr<FakeUpstream> fake_;  // last: its threads use the others
};

}  // namespace framewall::test
