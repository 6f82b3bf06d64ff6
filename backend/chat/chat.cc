#include "backend/chat/chat.h"

#include <iterator>
#include <optional>
#include <utility>

#include "backend/chat/handshake.h"
#include "proxy/base/log.h"
#include "proxy/ws/close_code.h"

namespace framewall::backend::chat {
namespace {

Problem Of(int status, std::string code, std::string detail, int retry_after = 0) {
  return {.status = status,
          .code = std::move(code),
          .detail = std::move(detail),
          .fields = {},
          .retry_after = retry_after};
}

}  // namespace

Chat::Chat(Needs needs)
    : loop_(needs.loop),
      records_(std::move(needs.records)),
      tickets_(needs.tickets),
      tokens_(needs.tokens),
      public_url_(std::move(needs.public_url)),
      limits_(needs.limits),
      presence_(loop_, hub_),
      answers_({loop_, *records_, hub_, needs.models, limits_}),
      announcer_(hub_, answers_),
      house_(std::make_shared<Session::House>(
          Session::House{loop_, *records_, hub_, presence_, answers_, announcer_, tokens_, limits_,
                         [this](Session* session) { Over(session); }})),
      watch_(needs.session_events.Add(this)) {}

Chat::~Chat() {
  // Sessions leave their rooms while these are there.
  sessions_.clear();
}

std::vector<server::Route> Chat::Routes() {
  return {{.method = "GET",
           .pattern = "/ws/chat",
           .operation = "openChat",
           // Who has neither ticket nor token is refused here, with 401.
           .access = {.who = server::Access::Who::kAnyone, .scope = "chat"},
           .handler = [this](server::CallRef call) { Open(call); }}};
}

void Chat::Open(const server::CallRef& call) {
  if (draining_) return call->Fail(Of(503, "draining", "The server is going down.", 5));
  const Handshake handshake = ReadHandshake(*call, public_url_);
  Identity identity = call->identity();
  switch (handshake.credentials) {
    case Handshake::Credentials::kTicket: {
      // Used up, whatever follows.
      std::optional<Identity> redeemed = tickets_.Redeem(handshake.secret);
      if (!redeemed) {
        return call->Fail(Of(401, "ticket", "The ticket was used or is too old; ask for another."));
      }
      identity = *std::move(redeemed);
      break;
    }
    case Handshake::Credentials::kSubprotocol: {
      Result<Identity> verified = tokens_.VerifyAccessToken(handshake.secret);
      if (!verified.ok()) {
        MainLog().Write(LogLevel::kInfo,
                        "chat: a token among sub-protocols: " + verified.error().message);
        return call->Fail(Of(401, "invalid_token", "The token does not hold."));
      }
      identity = std::move(verified).value();
      break;
    }
    case Handshake::Credentials::kField:
      break;
  }
  if (!identity.known()) {
    return call->Fail(Of(401, "unauthorized", "A ticket or a bearer token is needed."));
  }
  if (!handshake.origin_allowed) {
    return call->Fail(Of(403, "origin", "Sockets are opened from " + public_url_ + " only."));
  }
  if (!identity.HasScope("chat")) {
    return call->Fail(Of(403, "insufficient_scope", "The API key lacks the scope chat."));
  }
  size_t& open = by_user_[identity.user];
  if (open >= limits_.sockets_per_user) {
    return call->Fail(
        Of(429, "too_many_sockets",
           "At most " + std::to_string(limits_.sockets_per_user) + " sockets to a user.", 5));
  }
  ++open;
  openings_.push_back({identity});
  const auto opening = std::prev(openings_.end());
  records_->FindPerson(identity.user, [this, house = std::weak_ptr(house_), call,
                                       opening](Result<std::optional<Person>> person) {
    if (house.expired()) return;
    const Opening opened = std::move(*opening);
    openings_.erase(opening);
    Uncount(opened.identity.user);
    if (call->gone()) return;
    if (!person.ok()) return call->Fail(person.error());
    if (opened.ended || !person->has_value()) {
      return call->Fail(Of(401, "unauthorized", "The session is over."));
    }
    Accept(call, opened.identity, **std::move(person));
  });
}

void Chat::Uncount(const std::string& user) {
  const auto at = by_user_.find(user);
  if (at != by_user_.end() && --at->second == 0) by_user_.erase(at);
}

void Chat::Accept(const server::CallRef& call, const Identity& identity, Person person) {
  if (draining_) return call->Fail(Of(503, "draining", "The server is going down.", 5));
  auto socket =
      call->AnswerWithSocket({.max_message = limits_.message_octets,
                              .max_unsent = limits_.unsent,
                              .ping_interval_ms = limits_.ping_interval_ms,
                              .subprotocol = OffersChat(call->head()) ? "framewall.chat" : ""});
  if (socket == nullptr) return;
  ++by_user_[identity.user];
  const auto session = std::make_shared<Session>(house_, identity, std::move(person));
  sessions_.emplace(session.get(), session);
  session->Start(std::move(socket));
}

void Chat::Over(Session* session) {
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) return;
  Uncount(session->identity().user);
  loop_.Retire(std::shared_ptr<void>(std::move(at->second)));
  sessions_.erase(at);
}

void Chat::OnSessionEnd(const auth::SessionEnd& end) {
  const auto is_of = [&end](const Identity& identity) {
    return identity.user == end.user && (end.session.empty() || identity.session == end.session);
  };
  for (Opening& opening : openings_) opening.ended = opening.ended || is_of(opening.identity);
  for (const auto& [session, owned] : sessions_) {
    if (is_of(session->identity())) session->Close(kCloseSessionOver, end.reason);
  }
}

void Chat::Drain() {
  draining_ = true;
  answers_.CutAll();
  for (const auto& [session, owned] : sessions_) {
    session->Close(ws::CodeOf(ws::CloseCode::kGoingAway), "the server goes down");
  }
}

}  // namespace framewall::backend::chat
