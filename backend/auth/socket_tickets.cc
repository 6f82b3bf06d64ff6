#include "backend/auth/socket_tickets.h"

#include <utility>

#include "backend/base/time.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {

std::optional<std::string> SocketTickets::Issue(const Identity& identity, int64_t now) {
  if (tickets_.size() >= kMost || of_user_[identity.user] >= kMostOfOneUser ||
      now - cleaned_ > kLife) {
    Clean(now);
  }
  size_t& of_user = of_user_[identity.user];
  if (tickets_.size() >= kMost || of_user >= kMostOfOneUser) return std::nullopt;
  ++of_user;
  std::string ticket = Base64UrlEncode(RandomBytes(32));
  tickets_.emplace(Sha256(ticket), Ticket{identity, now + kLife});
  return ticket;
}

std::optional<Identity> SocketTickets::Redeem(std::string_view ticket) {
  return RedeemAt(ticket, UnixMilliseconds());
}

std::optional<Identity> SocketTickets::RedeemAt(std::string_view ticket, int64_t now) {
  const auto found = tickets_.find(Sha256(ticket));
  if (found == tickets_.end()) return std::nullopt;
  Ticket taken = std::move(found->second);
  tickets_.erase(found);
  const auto count = of_user_.find(taken.identity.user);
  if (count != of_user_.end() && --count->second == 0) of_user_.erase(count);
  if (taken.until <= now) return std::nullopt;
  return std::move(taken.identity);
}

void SocketTickets::OnSessionEnd(const SessionEnd& end) {
  std::erase_if(tickets_, [&](const auto& entry) {
    const Identity& identity = entry.second.identity;
    const bool ends =
        identity.user == end.user && (end.session.empty() || identity.session == end.session);
    if (ends) --of_user_[identity.user];
    return ends;
  });
}

void SocketTickets::Clean(int64_t now) {
  cleaned_ = now;
  std::erase_if(tickets_, [&](const auto& entry) {
    if (entry.second.until > now) return false;
    --of_user_[entry.second.identity.user];
    return true;
  });
  std::erase_if(of_user_, [](const auto& entry) { return entry.second == 0; });
}

}  // namespace framewall::backend::auth
