#include "proxy/route/location_tree.h"

#include <algorithm>

namespace framewall::route {

using config::LocationConfig;
using Match = LocationConfig::Match;

LocationTree::LocationTree(const LocationConfig& level) {
  for (const auto& location : level.locations) {
    switch (location->match) {
      case Match::kExact:
        exact_.emplace(location->name, MakeNode(*location));
        break;
      case Match::kPrefix:
      case Match::kPrefixNoRegex:
        prefixes_.emplace(location->name, MakeNode(*location));
        prefix_lengths_.push_back(location->name.size());
        break;
      case Match::kRegex:
        regexes_.push_back(MakeNode(*location));
        break;
      case Match::kNamed:
        named_.emplace(location->name, location.get());
        break;
      case Match::kServer:
      case Match::kIf:
      case Match::kExcept:
        break;
    }
  }
  std::sort(prefix_lengths_.begin(), prefix_lengths_.end(), std::greater<>());
  prefix_lengths_.erase(std::unique(prefix_lengths_.begin(), prefix_lengths_.end()),
                        prefix_lengths_.end());
}

LocationTree::~LocationTree() = default;

LocationTree::Node LocationTree::MakeNode(const LocationConfig& location) {
  Node node{&location, nullptr};
  if (!location.locations.empty()) node.nested = std::make_unique<LocationTree>(location);
  return node;
}

LocationTree::Answer LocationTree::Find(exchange::Exchange& exchange, std::string_view uri) const {
  if (const auto exact = exact_.find(uri); exact != exact_.end()) {
    return {exact->second.location, nullptr};
  }
  Answer best;
  for (const size_t length : prefix_lengths_) {
    if (length > uri.size()) {
      // "/a" does not reach the proxied location "/a/": nginx redirects there.
      if (length == uri.size() + 1) {
        std::string with_slash(uri);
        with_slash += '/';
        const auto found = prefixes_.find(with_slash);
        if (found != prefixes_.end() && found->second.location->proxy_pass.set) {
          return {found->second.location, found->second.location};
        }
      }
      continue;
    }
    const auto found = prefixes_.find(uri.substr(0, length));
    if (found == prefixes_.end()) continue;
    bool is_final = false;
    best = Descend(found->second, exchange, uri, &is_final);
    if (is_final) return best;
    break;
  }
  for (const Node& node : regexes_) {
    if (!exchange.MatchRegex(node.location->regex, uri)) continue;
    bool is_final = false;
    return Descend(node, exchange, uri, &is_final);
  }
  return best;
}

LocationTree::Answer LocationTree::Descend(const Node& node, exchange::Exchange& exchange,
                                           std::string_view uri, bool* is_final) {
  *is_final = node.location->match == Match::kPrefixNoRegex;
  if (node.nested == nullptr) return {node.location, nullptr};
  const Answer nested = node.nested->Find(exchange, uri);
  if (nested.location == nullptr) return {node.location, nullptr};
  // An exact, regex or "^~" hit below ends the search; a plain prefix leaves it open.
  if (nested.redirect_to != nullptr || nested.location->match != Match::kPrefix) *is_final = true;
  return nested;
}

const LocationConfig* LocationTree::FindNamed(std::string_view name) const {
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : found->second;
}

}  // namespace framewall::route
