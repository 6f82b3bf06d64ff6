#include "backend/server/access.h"

namespace framewall::backend::server {
namespace {

Problem Refusal(int status, std::string code, std::string detail) {
  return {.status = status, .code = std::move(code), .detail = std::move(detail), .fields = {}};
}

}  // namespace

std::optional<Problem> CheckAccess(const Access& access, const Identity& identity) {
  if (access.who == Access::Who::kAnyone) return std::nullopt;
  if (!identity.known()) {
    return Refusal(401, "unauthorized", "Log in first: an access token or an API key is needed.");
  }
  if (access.who == Access::Who::kAdmin && !identity.is_admin()) {
    return Refusal(403, "forbidden", "Only administrators may do this.");
  }
  if (identity.kind != Identity::Kind::kKey) return std::nullopt;
  if (access.scope.empty()) {
    return Refusal(403, "session_required", "An API key cannot do this; log in.");
  }
  if (!identity.HasScope(access.scope)) {
    return Refusal(403, "insufficient_scope",
                   "The API key lacks the scope " + std::string(access.scope) + ".");
  }
  return std::nullopt;
}

std::string Challenge(const Problem& problem, bool has_credentials, const Access* access) {
  if (problem.status == 403) {
    if (problem.code != "insufficient_scope" || access == nullptr) return {};
    return "Bearer error=\"insufficient_scope\", scope=\"" + std::string(access->scope) + "\"";
  }
  return has_credentials ? "Bearer error=\"invalid_token\"" : "Bearer";
}

}  // namespace framewall::backend::server
