#include "backend/auth/login_delays.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "proxy/base/address.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kSecond = 1000;
// Quiet for so long: forgotten.
constexpr int64_t kForgottenAfter = 3600 * kSecond;

// `free` failures cost nothing; then `first`, doubling, up to `longest`. In milliseconds.
struct Growth {
  int free;
  int64_t first;
  int64_t longest;

  int64_t After(int failures) const {
    if (failures < free) return 0;
    const int doublings = std::min(failures - free, 20);
    return std::min(longest, first << doublings);
  }
};

constexpr Growth kPlace{3, 1 * kSecond, 900 * kSecond};
constexpr Growth kFamiliarPlace{3, 1 * kSecond, 60 * kSecond};
constexpr Growth kPlaceUnderAttack{1, 30 * kSecond, 900 * kSecond};
constexpr Growth kAddress{20, 1 * kSecond, 300 * kSecond};
// An account with more failures than this at unfamiliar places is under attack.
constexpr int kFailuresOfAPerson = 20;

bool IsFamiliar(const LoginAttempt& attempt) { return attempt.familiar || !attempt.device.empty(); }

// Neither names nor addresses have a zero octet in them.
std::string PlaceOf(const LoginAttempt& attempt) {
  const std::string where =
      attempt.device.empty() ? "a" + NetworkOf(attempt.address) : "d" + attempt.device;
  return attempt.account + '\0' + where;
}

}  // namespace

LoginDelays::LoginDelays(size_t most_entries)
    : places_(most_entries), addresses_(most_entries), accounts_(most_entries) {}

std::optional<LoginDelays::Refusal> LoginDelays::Begin(const LoginAttempt& attempt, int64_t now) {
  const bool is_familiar = IsFamiliar(attempt);
  const std::string place_key = PlaceOf(attempt);
  const std::string address_key = NetworkOf(attempt.address);
  Counter* refusing = places_.Find(place_key, now);
  if (refusing != nullptr && refusing->not_before <= now) refusing = nullptr;
  if (!is_familiar) {
    Counter* address = addresses_.Find(address_key, now);
    if (address != nullptr && address->not_before > now &&
        (refusing == nullptr || refusing->not_before < address->not_before)) {
      refusing = address;
    }
  }
  if (refusing != nullptr) {
    const int64_t seconds = (refusing->not_before - now + kSecond - 1) / kSecond;
    Refusal refusal{.seconds = static_cast<int>(seconds), .is_first = !refusing->told};
    refusing->told = true;
    return refusal;
  }

  Growth growth = is_familiar ? kFamiliarPlace : kPlace;
  if (!is_familiar) {
    Counter& account = accounts_.Use(attempt.account, now);
    if (++account.failures > kFailuresOfAPerson) growth = kPlaceUnderAttack;
    Counter& address = addresses_.Use(address_key, now);
    address.not_before = now + kAddress.After(++address.failures);
    address.told = false;
  }
  Counter& place = places_.Use(place_key, now);
  place.not_before = now + growth.After(++place.failures);
  place.told = false;
  return std::nullopt;
}

void LoginDelays::Succeeded(const LoginAttempt& attempt) {
  places_.Remove(PlaceOf(attempt));
  if (IsFamiliar(attempt)) return;
  // Only its own: a log-in to the guesser's own account must not pay for the others.
  accounts_.TakeBack(attempt.account);
  addresses_.TakeBack(NetworkOf(attempt.address));
}

void LoginDelays::Withdraw(const LoginAttempt& attempt) {
  places_.TakeBack(PlaceOf(attempt));
  if (IsFamiliar(attempt)) return;
  accounts_.TakeBack(attempt.account);
  addresses_.TakeBack(NetworkOf(attempt.address));
}

LoginDelays::Counter* LoginDelays::Table::Find(const std::string& key, int64_t now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  Counter& counter = *found->second;
  const bool is_quiet = now - counter.last > kForgottenAfter && counter.not_before <= now;
  if (!is_quiet) return &counter;
  Remove(key);
  return nullptr;
}

LoginDelays::Counter& LoginDelays::Table::Use(const std::string& key, int64_t now) {
  if (Find(key, now) == nullptr) {
    if (order_.size() >= most_) {
      by_key_.erase(order_.back().key);
      order_.pop_back();
    }
    order_.emplace_front();
    order_.front().key = key;
    by_key_.emplace(order_.front().key, order_.begin());
  } else {
    order_.splice(order_.begin(), order_, by_key_.find(key)->second);
  }
  order_.front().last = now;
  return order_.front();
}

void LoginDelays::Table::Remove(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto counter = found->second;
  by_key_.erase(found);
  order_.erase(counter);
}

void LoginDelays::Table::TakeBack(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  Counter& counter = *found->second;
  counter.not_before = 0;
  if (--counter.failures <= 0) Remove(key);
}

std::string NetworkOf(std::string_view address) {
  const auto ip = IpAddress::Parse(address);
  if (!ip) return std::string(address);
  const IpAddress plain = ip->Unmapped();
  if (plain.is_v4()) return plain.ToText();
  std::array<uint8_t, 16> octets{};
  const std::string_view bytes = plain.bytes();
  for (size_t i = 0; i < 8; ++i) octets[i] = static_cast<uint8_t>(bytes[i]);
  return IpAddress::FromV6(octets).ToText() + "/64";
}

}  // namespace framewall::backend::auth
