// Which fields of requests, responses and messages hold secrets, by their names.
//
// A name is compared without regard to case, '_' and '-' ("clientSecret" is "client_secret"), part
// by part where it has parts ("user[password]", "json.auth.password.array_0"). A '*' at an end of a
// listed name stands for anything.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::waf {

// What stands where a secret was.
constexpr std::string_view kMasked = "***";

// The names that are secret unless a configuration says otherwise.
std::span<const std::string_view> DefaultSecretFields();

// Views: the lists outlive every transaction that has them.
struct SecretFields {
  // False: neither the names below nor Authorization, cookies and their kin are masked.
  bool on = true;
  bool defaults = true;  // DefaultSecretFields() are among them
  std::span<const std::string> names;
  // Query arguments that no log shows; they count whatever `on` says.
  std::span<const std::string> arguments;

  bool masks_anything() const { return on || !arguments.empty(); }
  // Is `name` (decoded) that of a secret?
  bool Names(std::string_view name) const;
};

// The values of secrets, to be found again where no name stands beside them.
class SecretValues {
 public:
  // Shorter ones would be found everywhere.
  static constexpr std::size_t kShortest = 8;
  static constexpr std::size_t kMost = 64;

  void Add(std::string_view value);
  bool empty() const { return values_.empty(); }
  // More than kMost were added: what quotes a value cannot be trusted to be clean.
  bool overflown() const { return overflown_; }
  void Clear();

  // All of them, in any case, and one that `text` ends in the middle of ("... (12 characters
  // omitted)" included). False where there is none; `out` is untouched then.
  bool Replace(std::string_view text, std::string* out) const;
  // Is `piece` a part of one of them? Fewer than four octets are no part of anything.
  bool Contain(std::string_view piece) const;

 private:
  std::vector<std::string> values_;  // lower case, the longest first
  bool overflown_ = false;
};

}  // namespace framewall::waf
