// What handlers of this room have in common: a request to typed things, or its refusal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backend/api/body.h"
#include "backend/api/page.h"
#include "backend/api/query.h"
#include "backend/api/requests.h"
#include "backend/llm/provider.h"
#include "backend/server/call.h"
#include "backend/settings/settings.h"

namespace framewall::backend::api {

// Nothing where the call is answered already.
template <class T, class Reader>
std::optional<T> ReadBody(const server::CallRef& call, Reader read,
                          Body::Members members = Body::Members::kAny) {
  const json::Value* const json = call->JsonBody();
  if (json == nullptr) return std::nullopt;
  Body body(*json);
  T asked = read(body);
  std::vector<FieldProblem> problems = body.Finish(members);
  if (problems.empty()) return asked;
  call->Fail(Invalid(std::move(problems)));
  return std::nullopt;
}

inline Query QueryOf(const server::Call& call) {
  return Query([&call](std::string_view name) { return call.Argument(name); });
}

// True where the query is as expected; else the call is answered.
inline bool Accepted(server::Call& call, Query& query) {
  std::vector<FieldProblem> problems = query.Finish();
  if (problems.empty()) return true;
  call.Fail(Invalid(std::move(problems)));
  return false;
}

inline PageLimits PageLimitsOf(const Settings& settings) {
  return {.otherwise = settings.page_size, .most = settings.page_limit};
}

// One more than the page has: it says whether there is another page.
inline int64_t RowsFor(const PageRequest& page) { return static_cast<int64_t>(page.limit) + 1; }

// A "/assistant" that is no model is refused.
inline void CheckAssistant(Body& body, const Assistant& assistant, const llm::Models& models) {
  if (!assistant || !*assistant) return;
  for (const llm::Models::Model& model : models.all()) {
    if (model.name == **assistant) return;
  }
  body.Refuse("assistant", "expected the name of a model; /api/v1/models lists them");
}

}  // namespace framewall::backend::api
