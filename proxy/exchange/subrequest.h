// A subrequest: what a check asks of a location of this configuration while its own exchange waits
// (auth_request, auth_jwt_key_request). Started by Driver::StartSubrequest.
//
// It is a GET with the fields of the client's request and no body, in the same server, from
// server-rewrite on. As in nginx internal locations are open to it, the access phase is not run
// over it, limits that the request has passed do not count it, conditions, ranges, added fields and
// limit_rate do not concern it, and it has a line in the access log only with log_subrequest. The
// rules do not see it. Its deadlines are those of the location's proxy settings.
//
// Variables: `set` in one is seen in the other; $request, $request_uri, $request_method and
// $http_… are the client's, $uri and $args its own.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace framewall::exchange {

class Exchange;

struct SubrequestOptions {
  std::string_view uri;   // "/auth"; copied
  std::string_view args;  // without '?'; copied
  // The body is collected in memory up to so many octets; over it the subrequest fails. Nothing:
  // only the head is wanted, and the answer does not wait for a body.
  std::optional<size_t> body_limit;
  // It does not end with its client, but with its handle, which may then outlive the exchange that
  // it was started from; it knows nothing of that one's TLS then, and its `set` stays with it.
  bool detached = false;
};

// Views and the exchange are valid for the call only.
struct SubrequestAnswer {
  // Why there is no whole answer, for the error log; empty where there is one.
  std::string_view failure;
  int status = 0;  // of the response; 0 where none came
  std::string_view body;
  // The subrequest's own: $upstream_…, $sent_http_… are evaluated here, and the fields are in its
  // response. Null where it did not begin.
  Exchange* exchange = nullptr;

  bool whole() const { return failure.empty(); }
};

// Called once, from the loop, never from inside StartSubrequest, and not after the handle is gone.
// May destroy the handle.
using SubrequestCallback = std::function<void(const SubrequestAnswer&)>;

// Destroying it cancels what is still under way. Must not outlive the worker, nor the exchange it
// was started from (the end of a Filter or its OnLog is early enough) unless it is detached.
class Subrequest {
 public:
  virtual ~Subrequest() = default;
};

// Subrequests of subrequests are not deeper than this; one more fails at once.
inline constexpr int kDeepestSubrequest = 2;

}  // namespace framewall::exchange
