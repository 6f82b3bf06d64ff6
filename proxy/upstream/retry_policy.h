// proxy_next_upstream: may a failed try be repeated with another peer? Only while the client has
// seen nothing, and only where the request can be sent again.
#pragma once

#include <cstdint>

#include "proxy/base/clock.h"
#include "proxy/config/model/proxy.h"
#include "proxy/http/method.h"

namespace framewall::upstream {

// The condition of proxy_next_upstream that a response's status meets; 0 where none does.
uint32_t ConditionOfStatus(int status);

struct RetryQuestion {
  uint32_t condition = 0;  // one of config::NextUpstream; 0 never allows
  int tries_left = 0;
  http::Method method = http::Method::kGet;
  bool request_begun = false;  // octets of the request may have reached the peer
  bool body_is_gone = false;   // its body was not kept (proxy_request_buffering off)
  SteadyTime first_started{};  // of the first try
};

bool MayRetry(const config::ProxySettings& settings, const RetryQuestion& question);

}  // namespace framewall::upstream
