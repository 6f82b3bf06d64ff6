// Names to addresses at run time: nginx's `resolver`, asked by UDP with TCP when truncated, answers
// cached for their TTL (or `valid=`), one question for all who wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"

namespace framewall::event {

struct ResolverOptions {
  std::vector<SocketAddress> servers;  // asked in turn
  std::optional<std::chrono::seconds> valid;
  bool ipv4 = true;
  bool ipv6 = true;
  std::chrono::milliseconds ask_again{5000};  // without an answer: the next server
};

class Resolver {
 public:
  Resolver(EventLoop& loop, const ResolverOptions& options);
  ~Resolver();

  // A question under way; destroying it cancels, then no call comes.
  class Query {
   public:
    virtual ~Query() = default;
  };
  // Addresses without port, IPv4 first, or why not: nginx's words ("3: Host not found", "110:
  // Operation timed out").
  using OnAnswer = std::function<void(Result<std::vector<IpAddress>>)>;
  // Null where the answer was in the cache: `answer` has then been called already.
  std::unique_ptr<Query> Resolve(std::string_view name, std::chrono::milliseconds timeout,
                                 OnAnswer answer);

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Blocking, through the system's resolver: for names in the configuration at start.
Result<std::vector<IpAddress>> ResolveBlocking(const std::string& name);

}  // namespace framewall::event
