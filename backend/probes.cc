#include "backend/probes.h"

#include <memory>
#include <utility>

#include "proxy/json/node.h"
#include "proxy/metrics/exposition.h"

namespace framewall::backend {
namespace {

using server::Access;
using server::CallRef;

// The answers so far of what /ready asked.
struct Readiness {
  CallRef call;
  size_t waiting = 0;
  bool ready = true;
  json::Node details = json::Node::Object();

  void Finish() {
    json::Node answer = json::Node::Object();
    answer.Set("status", ready ? "ready" : "not ready");
    // Outside nobody needs to know what we stand on.
    if (call->inside()) answer.Set("dependencies", std::move(details));
    call->Answer(ready ? 200 : 503, answer);
  }
};

void AnswerReady(const CallRef& call, const std::vector<Dependency>& dependencies) {
  auto state = std::make_shared<Readiness>();
  state->call = call;
  state->waiting = dependencies.size() + 1;
  for (const Dependency& dependency : dependencies) {
    dependency.ask([state, &dependency](const Status& status) {
      json::Node one = json::Node::Object();
      one.Set("ok", status.ok()).Set("decisive", dependency.decisive);
      if (!status.ok()) one.Set("detail", status.error().message);
      state->details.Set(dependency.name, std::move(one));
      if (!status.ok() && dependency.decisive) state->ready = false;
      if (--state->waiting == 0) state->Finish();
    });
  }
  if (--state->waiting == 0) state->Finish();
}

}  // namespace

std::string_view VersionNumber() { return FW_VERSION; }

std::string_view BuildText() { return "g++ " __VERSION__ FW_BUILD_KIND; }

std::vector<server::Route> ProbeRoutes(const Metrics& metrics,
                                       const std::vector<Dependency>& dependencies) {
  const Access anyone{.who = Access::Who::kAnyone};
  const Access inside{.who = Access::Who::kInside};
  return {
      {.method = "GET",
       .pattern = "/health",
       .operation = "getHealth",
       .access = anyone,
       .handler =
           [](CallRef call) { call->Answer(200, json::Node::Object().Set("status", "alive")); }},
      {.method = "GET",
       .pattern = "/ready",
       .operation = "getReady",
       .access = anyone,
       .handler = [&dependencies](CallRef call) { AnswerReady(call, dependencies); }},
      {.method = "GET",
       .pattern = "/version",
       .operation = "getVersion",
       .access = anyone,
       .handler =
           [](CallRef call) {
             json::Node answer = json::Node::Object();
             answer.Set("name", "framewall-backend").Set("version", VersionNumber());
             answer.Set("build", BuildText());
             call->Answer(200, answer);
           }},
      {.method = "GET",
       .pattern = "/metrics",
       .operation = "getMetrics",
       .access = inside,
       .handler =
           [&metrics](CallRef call) {
             call->Answer(server::Reply{.status = 200,
                                        .body = metrics.Exposition(),
                                        .content_type = std::string(metrics::kExpositionType),
                                        .fields = {}});
           }},
  };
}

}  // namespace framewall::backend
