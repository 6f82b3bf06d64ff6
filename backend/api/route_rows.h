// Rows of the list of routes, as most of this room are: for users, with a scope for keys.
#pragma once

#include <string_view>

#include "backend/api/routes.h"

namespace framewall::backend::api {

struct RouteRow {
  std::string_view method;
  std::string_view pattern;
  std::string_view operation;
  server::Access access;
  void (*handler)(const Services&, const server::CallRef&);
};

inline void AddRow(RouteList& routes, const Services& services, const RouteRow& row) {
  routes.push_back({.method = row.method,
                    .pattern = row.pattern,
                    .operation = row.operation,
                    .access = row.access,
                    .handler = [&services, handler = row.handler](
                                   const server::CallRef& call) { handler(services, call); },
                    .body_limit = services.settings.body_limit});
}

inline server::Access UserAccess(server::Access::Object object, std::string_view scope) {
  return {.who = server::Access::Who::kUser, .object = object, .scope = scope};
}

// 204.
inline void AnswerNothing(server::Call& call) {
  call.Answer(server::Reply{.status = 204, .body = {}, .content_type = {}, .fields = {}});
}

}  // namespace framewall::backend::api
