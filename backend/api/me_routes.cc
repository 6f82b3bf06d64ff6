#include "backend/api/handlers.h"
#include "backend/api/outcome.h"
#include "backend/api/route_rows.h"
#include "backend/api/routes.h"
#include "backend/base/time.h"
#include "backend/store/users.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {
namespace {

json::Node MeNode(const store::User& user) {
  return json::Node::Object()
      .Set("id", user.id)
      .Set("name", user.name)
      .Set("display_name", user.display_name)
      .Set("role", RoleName(user.role))
      .Set("must_change_password", user.must_change_password)
      .Set("created", Rfc3339(user.created));
}

Outcome<store::User> FindMe(store::Connection& db, const std::string& id) {
  FW_ASSIGN(std::optional<store::User> user, store::FindUser(db, id));
  if (!user) return Refused(NotFound());
  return *std::move(user);
}

void AnswerMe(server::Call& call, const store::User& user) { call.Answer(200, MeNode(user)); }

void GetMe(const Services& services, const server::CallRef& call) {
  Read<store::User>(
      services, call,
      [user = call->identity().user](store::Connection& db) { return FindMe(db, user); }, AnswerMe);
}

void ChangeMe(const Services& services, const server::CallRef& call) {
  const auto asked = ReadBody<MeChange>(call, ReadMeChange);
  if (!asked) return;
  Write<store::User>(
      services, call,
      [user = call->identity().user,
       asked = *asked](store::Connection& db) -> Outcome<store::User> {
        const auto changed =
            store::SetDisplayName(db, user, asked.display_name, UnixMilliseconds());
        if (!changed.ok()) return changed.error();
        return FindMe(db, user);
      },
      AnswerMe);
}

}  // namespace

void AddMeRoutes(RouteList& routes, const Services& services) {
  using Object = server::Access::Object;
  constexpr std::string_view kMe = "/api/v1/me";
  AddRow(routes, services, {"GET", kMe, "getMe", UserAccess(Object::kNone, "me:read"), GetMe});
  AddRow(routes, services, {"PATCH", kMe, "changeMe", UserAccess(Object::kNone, {}), ChangeMe});
}

}  // namespace framewall::backend::api
