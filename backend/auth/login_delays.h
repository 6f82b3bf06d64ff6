// How long somebody has to wait before a password is checked again.
//
// Guessing has to become slow, and nobody may be able to lock another out: a delay that is kept for
// an account alone is a switch that turns off anybody whose name is known. So:
//
// * A place is what asks: a browser that has logged in to this account before (its device cookie),
//   else the network address (of IPv6 the /64). Delays of an account are kept for each place, and
//   double with each failure there, up to 15 minutes. Failures elsewhere do not touch the owner's.
// * Guessing from many addresses: once an account has more failures at unfamiliar places than a
//   person makes, such a place has one try and begins at 30 seconds. The owner who comes from
//   somewhere new still gets in with the right password at the first try, at once.
// * Guessing over many accounts: an address has a count of all its failures, and waits too, up to 5
//   minutes. This does not hold for familiar places: who shares an address with an attacker (an
//   office behind one address) and has logged in from there before is not held up by it.
// * Familiar is an address this account succeeded from within 90 days, and a device. There the
//   delay ends at one minute. An attacker at the very same address can still use up the tries of
//   that address; the owner's browser is a place of its own, so not his.
// * A try is counted as failed when it begins: a hundred at once are a hundred failures. Refused
//   tries are not counted, so asking too early does not make it longer.
//
// All of it is memory of this process, bounded: where a table is full, the entry that was quiet
// for longest goes. A restart forgets. What remains for an attacker with many addresses is bounded
// by the threads that hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace framewall::backend::auth {

struct LoginAttempt {
  std::string account;    // name, lower case; whether there is such an account plays no part
  std::string address;    // as Call::client_address()
  std::string device;     // a device cookie's name, which fits the account; empty: none
  bool familiar = false;  // the account succeeded from this address before
};

class LoginDelays {
 public:
  static constexpr size_t kMostEntries = 65536;  // of each table
  explicit LoginDelays(size_t most_entries = kMostEntries);

  struct Refusal {
    int seconds = 1;
    bool is_first = false;  // since the delay began; the others need no line in the trail
  };
  // Nothing: the password may be checked now, and the try counts as failed until one of the two
  // below is called. `now`: milliseconds of any steady clock.
  std::optional<Refusal> Begin(const LoginAttempt& attempt, int64_t now);
  void Succeeded(const LoginAttempt& attempt);
  // It was not checked after all.
  void Withdraw(const LoginAttempt& attempt);

 private:
  struct Counter {
    std::string key;
    int failures = 0;
    int64_t last = 0;
    int64_t not_before = 0;
    bool told = false;
  };
  class Table {
   public:
    explicit Table(size_t most) : most_(most) {}
    // Null where there is none, or it is old enough to be forgotten.
    Counter* Find(const std::string& key, int64_t now);
    // Makes it where there is none, and moves it to the front.
    Counter& Use(const std::string& key, int64_t now);
    void Remove(const std::string& key);
    // One failure less.
    void TakeBack(const std::string& key);

   private:
    size_t most_;
    std::list<Counter> order_;  // used last first
    std::unordered_map<std::string_view, std::list<Counter>::iterator> by_key_;
  };

  Table places_;
  Table addresses_;
  Table accounts_;
};

// The address, or of IPv6 its /64.
std::string NetworkOf(std::string_view address);

}  // namespace framewall::backend::auth
