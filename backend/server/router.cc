#include "backend/server/router.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "proxy/base/text.h"

namespace framewall::backend::server {

// One segment of the patterns that begin alike.
struct Router::Node {
  struct Leaf {
    const Route* route;
    std::vector<std::string_view> names;  // of {name}s, in order
  };
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> any;   // {name}
  std::unique_ptr<Node> rest;  // {rest...}; no segment follows
  std::vector<Leaf> leaves;    // a method each
};

namespace {

Error BadRoute(const Route& route, std::string_view what) {
  return Error{ErrorKind::kSyntax, ErrorSource::kInternal,
               std::string("route ") + std::string(route.method) + " " +
                   std::string(route.pattern) + ": " + std::string(what),
               0};
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Result<std::unique_ptr<Router>> Router::Make(std::vector<Route> routes,
                                             std::vector<ErrorPrefix> error_prefixes) {
  std::unique_ptr<Router> router(new Router());
  router->routes_ = std::move(routes);
  router->error_prefixes_ = std::move(error_prefixes);
  std::set<std::string_view> operations;
  for (const Route& route : router->routes_) {
    if (!operations.insert(route.operation).second) {
      return BadRoute(route, "another route has the operation " + std::string(route.operation));
    }
    FW_TRY(router->Add(route));
  }
  return router;
}

Status Router::Add(const Route& route) {
  if (!IsToken(route.method)) return BadRoute(route, "a method was expected");
  if (route.operation.empty()) return BadRoute(route, "an operation was expected");
  if (route.handler == nullptr) return BadRoute(route, "a handler was expected");
  if (route.pattern.empty() || route.pattern.front() != '/') {
    return BadRoute(route, "a pattern that begins with / was expected");
  }
  Node* node = root_.get();
  std::vector<std::string_view> names;
  bool ended = false;
  for (const std::string_view segment : Split(route.pattern.substr(1), '/')) {
    if (ended) return BadRoute(route, "nothing can follow {rest...}");
    std::unique_ptr<Node>* next = nullptr;
    if (!IsParameter(segment)) {
      if (segment.find_first_of("{}%") != std::string_view::npos) {
        return BadRoute(route, "a segment is either literal or {name}");
      }
      next = &node->literals[std::string(segment)];
    } else {
      std::string_view name = segment.substr(1, segment.size() - 2);
      ended = name.size() > 3 && name.ends_with("...");
      if (ended) name.remove_suffix(3);
      if (!IsToken(name)) return BadRoute(route, "a name was expected between { and }");
      if (std::find(names.begin(), names.end(), name) != names.end()) {
        return BadRoute(route, "a name stands there twice");
      }
      names.push_back(name);
      next = ended ? &node->rest : &node->any;
    }
    if (*next == nullptr) *next = std::make_unique<Node>();
    node = next->get();
  }
  for (const Node::Leaf& leaf : node->leaves) {
    if (leaf.route->method == route.method) {
      return BadRoute(route, "the same as " + std::string(leaf.route->pattern));
    }
  }
  node->leaves.push_back({&route, std::move(names)});
  return OkStatus();
}

const Router::Node* Router::Walk(const Node& node, const std::vector<std::string>& segments,
                                 size_t at, std::vector<std::string>& values) {
  if (at == segments.size()) return node.leaves.empty() ? nullptr : &node;
  const std::string& segment = segments[at];
  if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
    if (const Node* found = Walk(*literal->second, segments, at + 1, values)) return found;
  }
  if (segment.empty()) return nullptr;
  if (node.any != nullptr) {
    values.push_back(segment);
    if (const Node* found = Walk(*node.any, segments, at + 1, values)) return found;
    values.pop_back();
  }
  if (node.rest == nullptr) return nullptr;
  std::string rest = segment;
  for (size_t i = at + 1; i < segments.size(); ++i) rest.append("/").append(segments[i]);
  values.push_back(std::move(rest));
  return node.rest.get();
}

Router::Match Router::Find(std::string_view method, std::string_view path,
                           const std::vector<std::string>& segments) const {
  Match match;
  size_t longest = 0;
  for (const ErrorPrefix& one : error_prefixes_) {
    if (one.prefix.size() >= longest && path.starts_with(one.prefix)) {
      longest = one.prefix.size();
      match.error_shape = &one.shape;
    }
  }
  std::vector<std::string> values;
  const Node* node = Walk(*root_, segments, 0, values);
  if (node == nullptr) return match;
  const auto find = [node](std::string_view name) {
    return std::find_if(node->leaves.begin(), node->leaves.end(),
                        [name](const Node::Leaf& leaf) { return leaf.route->method == name; });
  };
  auto leaf = find(method);
  if (leaf == node->leaves.end() && method == "HEAD") leaf = find("GET");
  const Node::Leaf& speaker = leaf == node->leaves.end() ? node->leaves.front() : *leaf;
  if (speaker.route->error_shape != nullptr) match.error_shape = &speaker.route->error_shape;
  if (leaf != node->leaves.end()) {
    match.route = leaf->route;
    for (size_t i = 0; i < values.size(); ++i) {
      match.parameters.emplace_back(leaf->names[i], std::move(values[i]));
    }
    return match;
  }
  std::set<std::string_view> methods;
  for (const Node::Leaf& one : node->leaves) {
    methods.insert(one.route->method);
    if (one.route->method == "GET") methods.insert("HEAD");
  }
  for (const std::string_view one : methods) {
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += one;
  }
  return match;
}

}  // namespace framewall::backend::server
