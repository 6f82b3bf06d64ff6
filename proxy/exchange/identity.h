// What a verified token says of the client, for variables. Implemented by filter/auth_jwt.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace framewall::exchange {

class Identity {
 public:
  virtual ~Identity() = default;
  // The claim under these names, one within the other, as text; false where there is none.
  virtual bool AppendClaim(std::span<const std::string> path, std::string& out) const = 0;
  virtual bool AppendHeader(std::span<const std::string> path, std::string& out) const = 0;
  // The claim or header of a name that a variable spells in lower case.
  virtual bool AppendClaimOf(std::string_view lower_name, std::string& out) const = 0;
  virtual bool AppendHeaderOf(std::string_view lower_name, std::string& out) const = 0;
  // The claims as JSON.
  virtual std::string_view payload() const = 0;
};

// The bearer token among the sub-protocols of a WebSocket handshake: "bearer, TOKEN", or
// "base64url.bearer.authorization.k8s.io." with the token in base64url behind it.
struct SubprotocolToken {
  bool any = false;    // the list names one, whatever it is
  std::string token;   // empty: there is none, or there are several
  std::string others;  // what is left of the list without it; may be empty
};
SubprotocolToken FindSubprotocolToken(const http::RequestHead& request);

}  // namespace framewall::exchange
