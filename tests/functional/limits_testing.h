// What the tests of limits over Redis share: a Redis, framewalls before it, what they counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/paced_load.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"
#include "tests/support/redis_server.h"

namespace framewall::test {

using namespace std::chrono_literals;

// Two workers that share nothing but the port; `redis` is what stands in the block, `http` and
// `server` what is added there. "/" is a picture, in the content phase, so that limits come first.
inline std::string LimitConfig(const std::string& redis, const std::string& http,
                               const std::string& server, int workers = 2) {
  return "worker_processes " + std::to_string(workers) + ";\nevents {}\nhttp {\n" +
         (redis.empty() ? "" : "redis edge { " + redis + " }\n") + http +
         "\nserver {\n  listen 127.0.0.1:%%PORT_0%% reuseport;\n  limit_req_status 429;\n"
         "  limit_req_log_level info;\n  location = /metrics { metrics; }\n" +
         server + "\n}\n}";
}

// The sum of a counter's samples whose labels hold `labels` ("zone=\"a\"").
inline int64_t Metric(const ProxyProcess& proxy, std::string_view name, std::string_view labels) {
  const std::string text = Get(proxy.port(0), "/metrics").body;
  int64_t sum = 0;
  for (size_t at = 0; (at = text.find(std::string(name) + "{", at)) != text.npos; ++at) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.find(labels) != line.npos) sum += std::stoll(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

}  // namespace framewall::test
