#include "tests/support/websocket_peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace framewall::test {

using std::chrono::milliseconds;
using Kind = WebSocketEvent::Kind;

WebSocketEnd::WebSocketEnd(Wire& wire, bool is_client, std::string read_ahead)
    : wire_(&wire), is_client_(is_client), pending_(std::move(read_ahead)) {
  const int on = 1;
  ::setsockopt(wire.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool WebSocketEnd::SendSlowly(std::string_view octets) {
  for (const char c : octets) {
    if (!wire_->Send({&c, 1})) return false;
  }
  return true;
}

std::string WebSocketEnd::Frame(uint8_t opcode, std::string_view payload, bool fin,
                                uint8_t reserved) const {
  return is_client_ ? ClientFrame(opcode, payload, fin, reserved)
                    : ServerFrame(opcode, payload, fin, reserved);
}

bool WebSocketEnd::SendFrame(uint8_t opcode, std::string_view payload, bool fin, uint8_t reserved) {
  return wire_->Send(Frame(opcode, payload, fin, reserved));
}

bool WebSocketEnd::SendFragments(uint8_t opcode, const std::vector<std::string>& pieces) {
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!SendFrame(i == 0 ? opcode : kOpContinuation, pieces[i], i + 1 == pieces.size())) {
      return false;
    }
  }
  return true;
}

bool WebSocketEnd::SendCompressed(uint8_t opcode, std::string_view payload) {
  return SendFrame(opcode, deflater_->Message(payload), true, 4);
}

bool WebSocketEnd::SendClose(uint16_t code, std::string_view reason) {
  return SendFrame(kOpClose, CloseBody(code, reason));
}

void WebSocketEnd::UseDeflate(bool sends_with_takeover, bool reads_with_takeover) {
  deflater_ = std::make_unique<Deflater>(sends_with_takeover);
  undeflater_ = std::make_unique<Undeflater>(reads_with_takeover);
}

std::optional<WebSocketFrame> WebSocketEnd::ReadFrame(milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    if (auto frame = TakeFrame(pending_)) return frame;
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    const std::string piece = wire_->ReadSome(1 << 18, left);
    if (piece.empty()) return std::nullopt;
    pending_ += piece;
  }
}

WebSocketEvent WebSocketEnd::Read(milliseconds wait) {
  WebSocketEvent event;
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    // Pings do not prolong it.
    const auto frame =
        ReadFrame(std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()));
    if (!frame) {
      event.kind = wire_->was_reset() ? Kind::kReset
                   : wire_->at_end()  ? Kind::kEnd
                                      : Kind::kSilence;
      return event;
    }
    switch (frame->opcode) {
      case kOpPing:
        pings.push_back(frame->payload);
        if (answers_pings) SendFrame(kOpPong, frame->payload);
        continue;
      case kOpPong:
        pongs.push_back(frame->payload);
        continue;
      case kOpClose:
        event.kind = Kind::kClose;
        event.code = 1005;
        if (frame->payload.size() >= 2) {
          event.code = static_cast<uint16_t>(static_cast<uint8_t>(frame->payload[0]) << 8 |
                                             static_cast<uint8_t>(frame->payload[1]));
          event.payload = frame->payload.substr(2);
        }
        return event;
      case kOpText:
      case kOpBinary:
        event.kind = frame->opcode == kOpText ? Kind::kText : Kind::kBinary;
        event.compressed = (frame->reserved & 4) != 0;
        break;
      default:
        break;
    }
    event.payload += frame->payload;
    ++event.fragments;
    if (!frame->fin) continue;
    if (event.compressed && undeflater_ != nullptr) {
      event.payload = undeflater_->Message(event.payload).value_or("(cannot be inflated)");
    }
    return event;
  }
}

WebSocketEvent WebSocketEnd::ReadToClose(milliseconds wait) {
  for (;;) {
    WebSocketEvent event = Read(wait);
    if (event.kind != Kind::kText && event.kind != Kind::kBinary) return event;
  }
}

std::string HandshakeRequest(const std::string& path) {
  return "GET " + path +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         kClientKey + "\r\n";
}

WebSocketClient::WebSocketClient(uint16_t port, const WebSocketClientOptions& options)
    : raw_(options.tls
               ? std::make_unique<RawClient>(port, *options.tls)
               : std::make_unique<RawClient>(RawClient::To("127.0.0.1", port, options.source))) {
  ShakeHands(options);
}

WebSocketClient::WebSocketClient(const std::string& unix_path,
                                 const WebSocketClientOptions& options)
    : raw_(std::make_unique<RawClient>(RawClient::Unix(unix_path))) {
  ShakeHands(options);
}

void WebSocketClient::ShakeHands(const WebSocketClientOptions& options) {
  std::string request = options.request;
  if (request.empty()) {
    request = "GET " + options.path + " HTTP/1.1\r\nHost: " + options.host +
              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              "User-Agent: Mozilla/5.0\r\nSec-WebSocket-Key: " +
              kClientKey + "\r\n" + options.headers + "\r\n";
  }
  raw_->Send(request + options.early);
  std::string pending;
  answer_ = ReadMessage(raw_->wire(), pending, BodyRule::kByHead);
  end_ = std::make_unique<WebSocketEnd>(raw_->wire(), true, pending);
  const std::string extensions = answer_.Header("Sec-WebSocket-Extensions");
  if (extensions.starts_with("permessage-deflate")) {
    end_->UseDeflate(extensions.find("client_no_context_takeover") == extensions.npos,
                     extensions.find("server_no_context_takeover") == extensions.npos);
  }
}

std::string SwitchProtocols(const HttpMessage& request, const std::string& more) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         WebSocketAccept(request.Header("Sec-WebSocket-Key")) + "\r\n" + more + "\r\n";
}

WebSocketUpstream::WebSocketUpstream(Options options)
    : options_(std::move(options)),
      fake_(std::make_unique<FakeUpstream>([this](FakeUpstream::Peer& peer) { Serve(peer); },
                                           options_.fake)) {}

WebSocketUpstream::WebSocketUpstream(Script script)
    : WebSocketUpstream(
          Options{.fake = {}, .headers = {}, .early = {}, .script = std::move(script)}) {}

void WebSocketUpstream::Serve(FakeUpstream::Peer& peer) {
  const HttpMessage request = peer.ReadRequest();
  if (!request.complete) return;
  peer.Send(SwitchProtocols(request, options_.headers) + options_.early);
  WebSocketEnd end(peer.wire(), false);
  if (options_.headers.find("permessage-deflate") != options_.headers.npos) {
    end.UseDeflate(options_.headers.find("server_no_context") == options_.headers.npos,
                   options_.headers.find("client_no_context") == options_.headers.npos);
  }
  if (options_.script != nullptr) {
    options_.script(end);
  } else {
    Echo(end);
  }
}

WebSocketEvent WebSocketUpstream::Keep(WebSocketEnd& end, milliseconds wait) {
  WebSocketEvent event = end.Read(wait);
  const std::lock_guard<std::mutex> lock(mutex_);
  events_.push_back(event);
  return event;
}

void WebSocketUpstream::Echo(WebSocketEnd& end) {
  for (;;) {
    const WebSocketEvent event = Keep(end, std::chrono::minutes(2));
    switch (event.kind) {
      case Kind::kText:
        end.SendText(event.payload);
        break;
      case Kind::kBinary:
        end.SendBinary(event.payload);
        break;
      case Kind::kClose:
        end.SendFrame(kOpClose, event.code == 1005 ? "" : CloseBody(event.code));
        // As RFC 6455 7.1.1 has it: the server ends the connection.
        return;
      case Kind::kEnd:
      case Kind::kReset:
      case Kind::kSilence:
        return;
    }
  }
}

std::vector<WebSocketEvent> WebSocketUpstream::events() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_;
}

std::vector<std::string> WebSocketUpstream::messages() const {
  std::vector<std::string> messages;
  for (const WebSocketEvent& event : events()) {
    if (event.kind == Kind::kText || event.kind == Kind::kBinary) messages.push_back(event.payload);
  }
  return messages;
}

}  // namespace framewall::test
