// limit_req, limit_conn: zones in shared memory and their use in a location.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

// What a zone with redis= does while its Redis does not answer.
enum class RedisDown : uint8_t {
  kLocal,   // this machine counts for itself, in its own table
  kPass,    // nothing is counted
  kRefuse,  // everything is refused
};

struct LimitZone {
  std::string name;
  bool is_request_zone = false;  // limit_req_zone; else limit_conn_zone
  Template key;
  uint64_t size = 0;
  uint64_t rate = 0;  // requests per second times 1000
  int index = 0;
  // The key is made of identity (config/identity): counted behind the access phase, not before it.
  bool by_identity = false;
  std::string redis_name;  // empty: none
  int redis = -1;          // index into HttpConfig::redis
  RedisDown redis_down = RedisDown::kLocal;
  // The largest burst of all uses: no state is further ahead of its time.
  uint64_t largest_burst = 0;
  SourceLocation at;
};

struct LimitReqUse {
  int zone = -1;  // index into HttpConfig::limit_zones
  std::string zone_name;
  uint64_t burst = 0;  // requests
  bool nodelay = false;
  uint64_t delay = 0;
  SourceLocation at;
};

// websocket_limit_message: what becomes of a message that its zone refuses.
enum class OverMessageLimit : uint8_t {
  kClose,  // close with 1008
  kDrop,   // the message is left out, the socket goes on
  kError,  // as kDrop, and the client is sent `error`
};

struct MessageLimitUse {
  LimitReqUse limit;
  OverMessageLimit over = OverMessageLimit::kClose;
  std::string error;  // a text message
};

struct LimitConnUse {
  int zone = -1;
  std::string zone_name;
  uint64_t connections = 0;
  SourceLocation at;
};

struct LimitSettings {
  std::vector<LimitReqUse> limit_req;     // replaced as a list
  std::vector<LimitConnUse> limit_conn;   // replaced as a list
  std::vector<MessageLimitUse> messages;  // replaced as a list
  int limit_req_status = 503;
  int limit_conn_status = 503;
  int limit_req_log_level = 4;  // kError; delays one level less severe
  int limit_conn_log_level = 4;
  bool limit_req_dry_run = false;
  bool limit_req_headers = false;
  bool limit_conn_dry_run = false;
};

}  // namespace framewall::config
