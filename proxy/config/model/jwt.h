// auth_jwt: whose tokens are taken, from where, and what they must say. Names are nginx Plus's.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/parse.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

// Where keys come from: a file that the master reads, or a location that is asked for them.
struct JwtKeySource {
  enum class Kind : uint8_t { kFile, kRequest };
  Kind kind = Kind::kFile;
  std::string where;  // an absolute path, or a URI
  SourceLocation at;
};

// auth_jwt_require: each value must be there, and be none of "", "0" and "false".
struct JwtRequire {
  std::vector<Template> values;
  int status = 401;
};

struct JwtSettings {
  Template realm;  // "off" or empty: none
  Template token;  // empty: Authorization: Bearer
  // token= names $websocket_subprotocol_token: such a handshake goes on without it.
  bool token_of_subprotocol = false;
  std::vector<JwtKeySource> keys;  // replaced as a list
  Milliseconds key_cache{0};
  Milliseconds leeway{0};
  bool token_cache = true;
  std::vector<JwtRequire> require;  // replaced as a list

  bool enabled() const { return !realm.empty() && realm.source != "off"; }
};

// auth_jwt_claim_set, auth_jwt_header_set.
struct TokenVariable {
  bool of_header = false;
  std::vector<std::string> path;
};

// A message with which a socket's client shows a fresh token.
enum class WrongSocketToken : uint8_t { kClose, kIgnore };
struct SocketTokenSettings {
  bool enabled = true;
  std::string name = "auth";
  std::vector<std::string> name_at = {"type"};  // names, one within the other
  std::vector<std::string> token_at = {"token"};
  bool forward = false;
  WrongSocketToken wrong = WrongSocketToken::kClose;
};

}  // namespace framewall::config
