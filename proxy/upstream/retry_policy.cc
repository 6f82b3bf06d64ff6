#include "proxy/upstream/retry_policy.h"

namespace framewall::upstream {

uint32_t ConditionOfStatus(int status) {
  switch (status) {
    case 500:
      return config::kNextHttp500;
    case 502:
      return config::kNextHttp502;
    case 503:
      return config::kNextHttp503;
    case 504:
      return config::kNextHttp504;
    case 403:
      return config::kNextHttp403;
    case 404:
      return config::kNextHttp404;
    case 429:
      return config::kNextHttp429;
    default:
      return 0;
  }
}

bool MayRetry(const config::ProxySettings& settings, const RetryQuestion& question) {
  if (question.condition == 0 || question.tries_left <= 0) return false;
  uint32_t needed = question.condition;
  if (question.request_begun) {
    if (question.body_is_gone) return false;
    // nginx's list; a method that is not known may do anything, but is repeated by nginx too.
    if (question.method == http::Method::kPost || question.method == http::Method::kLock ||
        question.method == http::Method::kPatch) {
      needed |= config::kNextNonIdempotent;
    }
  }
  if ((settings.next_upstream & needed) != needed) return false;
  return settings.next_upstream_timeout.count() == 0 ||
         CachedNow().steady - question.first_started < settings.next_upstream_timeout;
}

}  // namespace framewall::upstream
