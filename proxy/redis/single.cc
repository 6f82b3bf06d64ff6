// One Redis: every command goes there.
#include <utility>

#include "proxy/redis/router.h"

namespace framewall::redis {
namespace {

class SingleRouter final : public Router {
 public:
  explicit SingleRouter(const RouterContext& context)
      : Router(context),
        link_(context.loop, context.settings, context.counters, context.settings.servers.front(),
              MakeGreeting(), *this) {}

  Status Route(RequestPtr request) override { return link_.Send(std::move(request)); }

  void Probe(std::function<void(Status)> done) override {
    Ask(link_, {"PING"}, [done = std::move(done)](Result<Reply> reply) {
      done(reply.ok() ? OkStatus() : Status(reply.error()));
    });
  }

 private:
  Link link_;
};

}  // namespace

std::unique_ptr<Router> MakeSingleRouter(const RouterContext& context) {
  return std::make_unique<SingleRouter>(context);
}

}  // namespace framewall::redis
