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

struct Route {
  std::string_view method;     // "GET"; HEAD is answered as GET without body
  std::string_view pattern;    // "/api/v1/rooms/{room}/members/{user}"; "{rest...}" takes slashes
  std::string_view operation;  // operationId of the OpenAPI document; unique
  Access access;
  Handler handler;
  size_t body_limit = 65536;  // octets; more: 413
};

// Turns credentials into an identity. `done` is called once, at once or later: with a Problem (401,
// 403) where there are credentials but they do not hold; without any the identity is anonymous.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  using Done = std::function<void(Identity, const Problem*)>;
  virtual void Authenticate(CallRef call, Done done) = 0;
};

}  // namespace framewall::backend::server
