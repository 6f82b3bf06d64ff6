// Which key signs, which still verify, and when a new one is made; times alone, no keys.
//
//   made ──ahead──► signs ───────────► the next one signs ──token time──► obsolete
//
// A new key is published before it signs, so that whoever keeps a copy of the key set (the gateway)
// has it by then; the old one is published until the last token that it signed has ended. All times
// in milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace framewall::backend::auth {

struct KeyPolicy {
  int64_t period = 90 * 86'400'000LL;  // from being made until the next one signs
  int64_t ahead = 86'400'000;          // published so long before it signs
  int64_t token = 600'000;             // the longest life of a token

  // A day ahead, or a quarter of a short period.
  static KeyPolicy Of(int64_t days, int64_t token_seconds);
};

struct KeyPlan {
  size_t signer = 0;
  size_t obsolete = 0;  // so many of the first ones are
  bool make_new = false;
};

// `made`: of each key, oldest first. Requires: at least one.
KeyPlan PlanKeys(std::span<const int64_t> made, int64_t now, const KeyPolicy& policy);

}  // namespace framewall::backend::auth
