// redis NAME { ... }: a Redis that zones of limits share with other machines.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/parse.h"
#include "proxy/config/directive.h"

namespace framewall::config {

struct RedisServer {
  std::string name;  // as written
  std::string host;  // a name or an address without brackets
  uint16_t port = 0;
  std::string unix_path;  // instead of host and port
  std::vector<SocketAddress> addresses;
  SourceLocation at;
};

struct RedisConfig {
  std::string name;
  // One server; or some of the Cluster's nodes; or the Sentinels, where `sentinel` is set.
  std::vector<RedisServer> servers;
  std::string sentinel;  // the master's name; empty: no Sentinels
  bool cluster = false;
  uint64_t database = 0;
  std::string prefix = "framewall:";
  Milliseconds timeout{100};        // for an answer, from the question on
  uint64_t max_fails = 3;           // questions in a row without an answer open the breaker
  Milliseconds fail_timeout{1000};  // for which nothing is asked then

  // From credentials_file; empty: none.
  std::string user;
  std::string password;
  std::string sentinel_user;
  std::string sentinel_password;

  bool ssl = false;  // towards Sentinels too
  bool ssl_verify = true;
  std::string ssl_name;  // empty: the server's as written, without port
  std::string ssl_trusted_certificate;
  std::string ssl_certificate;
  std::string ssl_certificate_key;

  int index = 0;  // in HttpConfig::redis
  SourceLocation database_at;
  SourceLocation at;
};

}  // namespace framewall::config
