// What handlers of this room have in common: a request to typed things, or its refusal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backend/api/requests.h"
#include "backend/llm/provider.h"
#include "backend/server/body.h"
#include "backend/server/call.h"
#include "backend/server/page.h"
#include "backend/server/query.h"
#include "backend/settings/settings.h"

namespace framewall::backend::api {

using server::PageLimits;
using server::PageRequest;
using server::Query;

// Nothing where the call is answered already.
template <class T, class Reader>
std::optional<T> ReadBody(const server::CallRef& call, Reader read,
                          Body::Members members = Body::Members::kAny) {
  const json::Value* const json = call->JsonBody();
  if (json == nullptr) return std::nullopt;
  Body body(*json);
  T asked = read(body);
  if (!Accepted(*call, body, members)) return std::nullopt;
  return asked;
}

inline PageLimits PageLimitsOf(const Settings& settings) {
  return {.otherwise = settings.page_size, .most = settings.page_limit};
}

// A "/assistant" that is no model is refused.
inline void CheckAssistant(Body& body, const Assistant& assistant, const llm::Models& models) {
  if (!assistant || !*assistant) return;
  for (const llm::Models::Model& model : models.all()) {
    if (model.name == **assistant) return;
  }
  body.Refuse("assistant", "expected the name of a model; /api/v1/models lists them");
}

}  // namespace framewall::backend::api
