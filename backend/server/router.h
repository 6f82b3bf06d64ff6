// Method and path to handler, and who may come in: one list of routes for the whole backend.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/server/call.h"
#include "proxy/http/method.h"

namespace framewall::backend::server {

// Who may call a route at all. What belongs to somebody is looked at by the handler (Object), and
// others' things are answered with 404.
struct Access {
  enum class Who : uint8_t {
    kAnyone,  // also without credentials; wrong ones are still refused
    kInside,  // only from the machine itself: no request that came through the gateway
    kUser,
    kAdmin,
  };
  enum class Object : uint8_t {
    kNone,
    kMember,  // members of the room
    kOwner,   // the owner of the object
  };
  Who who = Who::kUser;
  Object object = Object::kNone;
  // What a key must have; empty: no key may, only a session.
  std::string_view scope = {};
};

// An error in another dialect than RFC 9457's (OpenAI's, Ollama's); status and body. What a status
// needs besides (Allow, WWW-Authenticate, Retry-After) is added to it.
using ErrorShape = std::function<Reply(const Problem&)>;

struct Route {
  std::string_view method;     // "GET"; HEAD is answered as GET without body
  std::string_view pattern;    // "/api/v1/rooms/{room}/members/{user}"; "{rest...}" takes slashes
  std::string_view operation;  // operationId of the OpenAPI document; unique
  Access access;
  Handler handler;
  size_t body_limit = 65536;  // octets; more: 413
  // For all its errors, the router's own (401, 403, 405, 413) too; null: what its path's prefix
  // says.
  ErrorShape error_shape = nullptr;
};

// Paths below it have errors of that shape, also where there is no route (404). The longest prefix
// counts; others have RFC 9457's.
struct ErrorPrefix {
  std::string prefix;  // "/v1/"
  ErrorShape shape;
};

// Turns credentials into an identity. `done` is called once, at once or later: with a Problem (401,
// 403) where there are credentials but they do not hold; without any the identity is anonymous.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  using Done = std::function<void(Identity, const Problem*)>;
  virtual void Authenticate(CallRef call, Done done) = 0;
};

using Parameters = std::vector<std::pair<std::string_view, std::string>>;

// Where a request belongs. Literal segments win over {name}, and that over {rest...}. Segments are
// cut before they are decoded: %2F stays within its segment.
class Router {
 public:
  struct Match {
    const Route* route = nullptr;
    Parameters parameters;  // names are the pattern's
    // Where there is no route: what may be asked of this path ("GET, HEAD, POST"), empty for 404.
    std::string allow;
    // Of the route or the path; null: RFC 9457.
    const ErrorShape* error_shape = nullptr;
  };

  // An error names what is wrong with the list: a pattern that is none, two routes for the same,
  // two operations of one name.
  static Result<std::unique_ptr<Router>> Make(std::vector<Route> routes,
                                              std::vector<ErrorPrefix> error_prefixes = {});
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // `path` as SplitPath takes it, `segments` as it gives them. HEAD finds GET.
  Match Find(std::string_view method, std::string_view path,
             const std::vector<std::string>& segments) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  Router();
  Status Add(const Route& route);
  static const Node* Walk(const Node& node, const std::vector<std::string>& segments, size_t at,
                          std::vector<std::string>& values);

  std::vector<Route> routes_;
  std::vector<ErrorPrefix> error_prefixes_;
  std::unique_ptr<Node> root_;
};

}  // namespace framewall::backend::server
