// ProxyHandler: a 101 makes the connection a WebSocket or a tunnel.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/content/proxy_handler.h"
#include "proxy/content/response_rewrite.h"
#include "proxy/content/socket_upstream.h"

namespace framewall::content {

using http::FieldId;
using upstream::Attempt;
using upstream::Group;

void ProxyHandler::BeginUpgraded() {
  if (handshake_ != nullptr) return BeginSocket();
  // The client must have asked, we must have passed that on, and this must be the answer to it.
  const std::string_view chosen = head_.fields.Get(FieldId::kUpgrade);
  if (rewritten_.upgrade.empty() || chosen.empty() ||
      !ListContainsToken(rewritten_.upgrade, chosen)) {
    return RefuseUpgraded("upstream sent 101 without being asked");
  }
  BeginTunnel();
}

void ProxyHandler::RefuseUpgraded(std::string_view why) {
  exchange_.LogError(LogLevel::kError, why);
  // No page: what the peer sends next would be anything but a response.
  record().status = 502;
  EndTry(Group::Outcome::kFailed, Attempt::Keep::kNo);
  Stop();
  exchange_.keep_alive = false;
  exchange_.driver->SendWhole(502, "text/html", {});
}

void ProxyHandler::BeginSocket() {
  if (Status answer = handshake_->Check(head_); !answer.ok()) {
    return RefuseUpgraded("upstream sent a wrong WebSocket handshake: " + answer.error().message);
  }
  RewriteResponse(exchange_, plan_, head_, {});
  handshake_->AnswerClient();
  exchange_.keep_alive = false;
  head_passed_ = true;
  exchange::SocketHandover handover;
  std::unique_ptr<upstream::Connection> connection = attempt_.TakeUpgraded(&handover.from_upstream);
  exchange_.driver->SendHead();
  if (over_ || !exchange_.head_sent) {
    upstream::CloseConnection(runtime_.loop(), std::move(connection));
    return;
  }
  handover.upstream = upstream::TakeStream(runtime_.loop(), std::move(connection));
  handover.client_deflate = handshake_->client_deflate();
  handover.upstream_deflate = handshake_->upstream_deflate();
  handover.subprotocol = handshake_->subprotocol();
  handshake_.reset();
  if (!exchange_.driver->StartRelay(std::move(handover))) {
    exchange_.LogError(LogLevel::kError, "this client's protocol has no WebSockets");
    Stop();
    exchange_.driver->AbortResponse();
  }
}

std::unique_ptr<ContentHandler> ProxyHandler::KeepForSocket() {
  record().bytes_sent = attempt_.bytes_sent();
  record().bytes_received = attempt_.bytes_received();
  auto kept = std::make_unique<SocketUpstream>(exchange_, std::move(own_group_),
                                               HeldPeer{*group_, selection_, try_started_}, head_);
  group_ = nullptr;
  over_ = true;
  return kept;
}

void ProxyHandler::BeginTunnel() {
  RewriteResponse(exchange_, plan_, head_, {});
  exchange_.keep_alive = false;
  head_passed_ = true;
  std::string from_upstream;
  std::unique_ptr<upstream::Connection> connection = attempt_.TakeUpgraded(&from_upstream);
  exchange_.driver->SendHead();
  if (over_ || !exchange_.head_sent) {
    upstream::CloseConnection(runtime_.loop(), std::move(connection));
    return;
  }
  std::string from_client;
  event::Stream* client = exchange_.driver->TakeStreamForTunnel(&from_client);
  if (client == nullptr) {
    upstream::CloseConnection(runtime_.loop(), std::move(connection));
    exchange_.LogError(LogLevel::kError, "this client's protocol has no tunnels");
    Stop();
    return exchange_.driver->AbortResponse();
  }
  tunnel_ = std::make_unique<Tunnel>(runtime_.loop(), exchange_, *client, std::move(connection),
                                     [this] { OnTunnelDone(); });
  tunnel_early_ = from_upstream.size();
  tunnel_->Start(from_client, from_upstream);
}

void ProxyHandler::OnTunnelDone() {
  if (over_) return;
  const uint64_t sent = tunnel_->sent_to_client();
  const uint64_t to_upstream = tunnel_->sent_to_upstream();
  Stop();
  record().bytes_sent += to_upstream;
  record().bytes_received += sent - std::min(sent, tunnel_early_);
  record().response_length += sent;
  exchange_.driver->TunnelDone(sent);
}

}  // namespace framewall::content
