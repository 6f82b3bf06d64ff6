// The tickets themselves: in memory, used once, 30 seconds long. On the loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/auth/ended_sessions.h"
#include "backend/auth/tickets.h"

namespace framewall::backend::auth {

class SocketTickets final : public Tickets, private SessionWatcher {
 public:
  static constexpr int64_t kLife = 30'000;      // milliseconds
  static constexpr size_t kMostOfOneUser = 16;  // not used yet
  static constexpr size_t kMost = 20'000;

  explicit SocketTickets(SessionEvents& events) : watch_(events.Add(this)) {}

  // Nothing where the user has, or all have, too many. `now`: milliseconds since 1970.
  std::optional<std::string> Issue(const Identity& identity, int64_t now);
  std::optional<Identity> Redeem(std::string_view ticket) override;
  std::optional<Identity> RedeemAt(std::string_view ticket, int64_t now);

 private:
  struct Ticket {
    Identity identity;
    int64_t until = 0;
  };
  void OnSessionEnd(const SessionEnd& end) override;
  void Clean(int64_t now);

  std::unordered_map<std::string, Ticket> tickets_;  // by SHA-256
  std::unordered_map<std::string, size_t> of_user_;
  int64_t cleaned_ = 0;
  std::unique_ptr<SessionEvents::Watch> watch_;
};

}  // namespace framewall::backend::auth
