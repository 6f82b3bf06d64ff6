// upstream blocks, and the implied ones of a proxy_pass to an address.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/parse.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct UpstreamServer {
  std::string name;                      // as written: $upstream_addr shows addresses, logs names
  std::vector<SocketAddress> addresses;  // resolved at start
  int weight = 1;
  int max_conns = 0;  // 0: no limit
  int max_fails = 1;
  Milliseconds fail_timeout{10000};
  bool backup = false;
  bool down = false;
  SourceLocation at;
};

enum class BalancerKind : uint8_t {
  kRoundRobin,
  kLeastConn,
  kIpHash,
  kHash,
  kConsistentHash,
  kRandom,
  kRandomTwoLeastConn,
};

struct UpstreamConfig {
  std::string name;
  bool implied = false;  // from a proxy_pass; 80 or 443 by default
  uint16_t default_port = 0;
  std::vector<UpstreamServer> servers;
  BalancerKind balancer = BalancerKind::kRoundRobin;
  Template hash_key;
  std::string zone_name;
  uint64_t zone_size = 0;
  uint64_t keepalive = 0;  // idle connections kept per worker
  uint64_t keepalive_requests = 1000;
  Milliseconds keepalive_timeout{60000};
  Milliseconds keepalive_time{3600000};
  int index = 0;  // in HttpConfig::upstreams
  SourceLocation at;
};

}  // namespace framewall::config
