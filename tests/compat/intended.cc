#include "tests/compat/intended.h"

#include <fnmatch.h>
#include <yaml-cpp/yaml.h>

namespace framewall::test {
namespace {

bool Matches(const std::string& pattern, std::string_view text) {
  return ::fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
}

}  // namespace

IntendedDifferences::IntendedDifferences(const std::string& section) {
  const YAML::Node root = YAML::LoadFile(FW_COMPAT_DATA "/intended_differences.yaml");
  for (const auto& node : root[section]) {
    entries_.push_back({node["what"].as<std::string>(),
                        node["nginx"].as<std::string>(),
                        node["framewall"].as<std::string>(),
                        node["why"].as<std::string>(),
                        {}});
    for (const auto& rule : node["unfired"]) entries_.back().unfired.insert(rule.as<long>());
  }
}

const IntendedDifference* IntendedDifferences::Find(std::string_view what, std::string_view nginx,
                                                    std::string_view framewall) const {
  for (const IntendedDifference& entry : entries_) {
    if (Matches(entry.what, what) && Matches(entry.nginx, nginx) &&
        Matches(entry.framewall, framewall)) {
      entry.used = true;
      return &entry;
    }
  }
  return nullptr;
}

std::vector<std::string> IntendedDifferences::Unused() const {
  std::vector<std::string> unused;
  for (const IntendedDifference& entry : entries_) {
    if (!entry.used) unused.push_back(entry.what);
  }
  return unused;
}

}  // namespace framewall::test
