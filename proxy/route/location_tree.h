// Which location answers a URI, in nginx's order.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/config/model/http.h"
#include "proxy/exchange/exchange.h"

namespace framewall::route {

// The locations of one level, arranged for look-up; nested levels below. Points into the Config.
class LocationTree {
 public:
  explicit LocationTree(const config::LocationConfig& level);
  ~LocationTree();

  struct Answer {
    const config::LocationConfig* location = nullptr;  // null: none at this level fits
    // The URI lacks the slash at the end of a proxied prefix location: redirect there (301).
    const config::LocationConfig* redirect_to = nullptr;
  };
  // Exact first; else the longest prefix, unless a regex of its level (or of a nested one) matches
  // and the prefix was not "^~". Captures are left in `exchange`.
  Answer Find(exchange::Exchange& exchange, std::string_view uri) const;
  const config::LocationConfig* FindNamed(std::string_view name) const;

 private:
  struct Node {
    const config::LocationConfig* location;
    std::unique_ptr<LocationTree> nested;  // null without nested locations
  };
  static Node MakeNode(const config::LocationConfig& location);
  // Below `node`: the nested location that fits, or the node's own.
  static Answer Descend(const Node& node, exchange::Exchange& exchange, std::string_view uri,
                        bool* is_final);

  std::unordered_map<std::string_view, Node> exact_;
  std::unordered_map<std::string_view, Node> prefixes_;
  std::vector<size_t> prefix_lengths_;  // distinct, longest first
  std::vector<Node> regexes_;
  std::unordered_map<std::string_view, const config::LocationConfig*> named_;
};

}  // namespace framewall::route
