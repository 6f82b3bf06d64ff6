// limit_req, limit_conn: zones in shared memory and their use in a location.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct LimitZone {
  std::string name;
  bool is_request_zone = false;  // limit_req_zone; else limit_conn_zone
  Template key;
  uint64_t size = 0;
  uint64_t rate = 0;  // requests per second times 1000
  int index = 0;
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

struct LimitConnUse {
  int zone = -1;
  std::string zone_name;
  uint64_t connections = 0;
  SourceLocation at;
};

struct LimitSettings {
  std::vector<LimitReqUse> limit_req;    // replaced as a list
  std::vector<LimitConnUse> limit_conn;  // replaced as a list
  int limit_req_status = 503;
  int limit_conn_status = 503;
  int limit_req_log_level = 4;  // kError; delays one level less severe
  int limit_conn_log_level = 4;
  bool limit_req_dry_run = false;
  bool limit_conn_dry_run = false;
};

}  // namespace framewall::config
