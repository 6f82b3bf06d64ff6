// Where we differ from nginx on purpose: intended_differences.yaml.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::test {

struct IntendedDifference {
  std::string what;  // a case's name, or a pattern with '*'
  std::string nginx;
  std::string framewall;
  std::string why;
  std::set<long> unfired;  // rules that only nginx fires here; empty: not said
  mutable bool used = false;
};

class IntendedDifferences {
 public:
  // The list under `section`.
  explicit IntendedDifferences(const std::string& section);
  // The entry for this case that says exactly this of both sides; null where there is none.
  const IntendedDifference* Find(std::string_view what, std::string_view nginx,
                                 std::string_view framewall) const;
  // Entries that no case needed: they are stale.
  std::vector<std::string> Unused() const;

 private:
  std::vector<IntendedDifference> entries_;
};

}  // namespace framewall::test
