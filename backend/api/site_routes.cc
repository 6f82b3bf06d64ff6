#include <memory>
#include <string>

#include "backend/api/openapi.h"
#include "backend/api/routes.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {
namespace {

json::Node ModelsNode(const llm::Models& models) {
  json::Node items = json::Node::Array();
  for (const llm::Models::Model& model : models.all()) {
    items.Add(json::Node::Object().Set("name", model.name).Set("owned_by", model.owned_by));
  }
  return json::Node::Object().Set("items", std::move(items));
}

json::Node SiteNode(const Services& services) {
  const LiveSettings& live = services.live;
  return json::Node::Object()
      .Set("registration_open", live.registration_open())
      .Set("password_min", static_cast<int64_t>(services.settings.password_min))
      .Set("message_of_the_day", live.message_of_the_day())
      .Set("default_model", live.default_model());
}

}  // namespace

void AddSiteRoutes(RouteList& routes, const Services& services) {
  using Who = server::Access::Who;
  routes.push_back({.method = "GET",
                    .pattern = "/api/v1/models",
                    .operation = "listModels",
                    .access = {.who = Who::kUser, .scope = "llm"},
                    .handler = [&services](const server::CallRef& call) {
                      call->Answer(200, ModelsNode(services.models));
                    }});
  routes.push_back({.method = "GET",
                    .pattern = "/api/v1/site",
                    .operation = "getSite",
                    .access = {.who = Who::kAnyone},
                    .handler = [&services](const server::CallRef& call) {
                      call->Answer(200, SiteNode(services));
                    }});
  const auto document =
      std::make_shared<const std::string>(OpenApiText(services.settings, services.version));
  routes.push_back({.method = "GET",
                    .pattern = "/api/v1/openapi.json",
                    .operation = "getOpenApi",
                    .access = {.who = Who::kAnyone},
                    .handler = [document](const server::CallRef& call) {
                      call->Answer({.status = 200,
                                    .body = *document,
                                    .content_type = "application/json",
                                    .fields = {{"cache-control", "public, max-age=300"}}});
                    }});
}

}  // namespace framewall::backend::api
