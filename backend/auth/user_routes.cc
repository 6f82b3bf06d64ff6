// /api/v1/users, for administrators: list, make, change, lock, reset a password, end sessions, see
// the trail of log-ins.
#include <optional>
#include <utility>

#include "backend/auth/account_rules.h"
#include "backend/auth/routes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "backend/store/login_audit.h"
#include "backend/store/sessions.h"

namespace framewall::backend::auth {
namespace {

// As administrators see it.
json::Node FullNode(const store::User& user) {
  return UserNode(user).Set("locked", user.locked).Set("changed", Rfc3339(user.changed));
}

json::Node LoginNode(const store::LoginRecord& record) {
  return json::Node::Object()
      .Set("at", Rfc3339(record.at))
      .Set("address", record.address)
      .Set("outcome", record.outcome);
}

Problem LastAdmin() {
  return {.status = 409,
          .code = "last_admin",
          .detail = "This is the last administrator; make another one first.",
          .fields = {}};
}

std::optional<Role> RoleOf(std::string_view name) {
  for (const Role role : {Role::kUser, Role::kAdmin}) {
    if (name == RoleName(role)) return role;
  }
  return std::nullopt;
}

// The {user} of the path; empty: the call is answered.
std::string UserOfPath(server::Call& call) {
  const std::string_view id = call.Parameter("user");
  if (IsId(id)) return std::string(id);
  call.Fail(NotFound());
  return {};
}

void ListUsers(const ServicesRef& services, const server::CallRef& call) {
  constexpr std::string_view kList = "users";
  Query query(*call);
  const PageRequest page = ReadPage(query, kList, services->page_limits());
  if (!Accepted(*call, query)) return;
  using Users = std::vector<store::User>;
  services->database.Read<Users>(
      [page](store::Connection& db) { return store::ListUsers(db, page.behind, RowsFor(page)); },
      [call, page, kList](const Result<Users>& users) {
        if (!users.ok()) return call->Fail(users.error());
        call->Answer(200, ToPage(users.value(), page, kList, FullNode,
                                 [](const store::User& user) { return user.id; }));
      });
}

void GetUser(const ServicesRef& services, const server::CallRef& call) {
  const std::string id = UserOfPath(*call);
  if (id.empty()) return;
  using Found = std::optional<store::User>;
  services->database.Read<Found>([id](store::Connection& db) { return store::FindUser(db, id); },
                                 [call](const Result<Found>& user) {
                                   if (!user.ok()) return call->Fail(user.error());
                                   if (!user.value()) return call->Fail(NotFound());
                                   call->Answer(200, FullNode(*user.value()));
                                 });
}

// With a password of the administrator's choice, or a random one, which is shown once; both have to
// be changed at the first log-in.
void CreateUser(const ServicesRef& services, const server::CallRef& call) {
  const json::Value* json = call->JsonBody();
  if (json == nullptr) return;
  Body body(*json);
  store::User user;
  std::string password;
  const bool is_given = json->Find("password").has_value();
  ReadNewAccount(body, services->settings, user, is_given ? &password : nullptr);
  if (const auto role = body.OptionalAnyText("role")) {
    if (!RoleOf(*role)) body.Expect("role", "\"user\" or \"admin\"");
    user.role = RoleOf(*role).value_or(Role::kUser);
  }
  if (!Accepted(*call, body)) return;
  if (!is_given) password = RandomPassword();
  user.must_change_password = true;
  const bool is_taken = services->hasher.Hash(
      password, [services, call, user,
                 shown = is_given ? std::string() : password](Result<std::string> hash) mutable {
        if (!hash.ok()) return call->Fail(hash.error());
        user.password = std::move(hash).value();
        user.created = user.changed = UnixMilliseconds();
        services->database.Write<bool>(
            [user](store::Connection& db) -> Result<bool> {
              FW_TRY(store::InsertUser(db, user));
              return true;
            },
            [call, user, shown = std::move(shown)](const Result<bool>& done) {
              if (!done.ok() && done.error().kind == ErrorKind::kRefused) {
                return call->Fail(NameTaken());
              }
              if (!done.ok()) return call->Fail(done.error());
              json::Node answer = FullNode(user);
              if (!shown.empty()) answer.Set("password", shown);
              call->Answer(201, answer);
            });
      });
  if (!is_taken) call->Fail(TooBusy());
}

struct UserChange {
  std::optional<std::string> display_name;
  std::optional<Role> role;
  std::optional<bool> locked;
};

struct UserChanged {
  enum class Outcome : uint8_t { kDone, kUnknown, kLastAdmin };
  Outcome outcome = Outcome::kDone;
  std::optional<store::User> user;
  std::vector<std::string> ended;
  std::string reason;  // of the end; empty: sessions go on
};

Result<UserChanged> ChangeUserIn(store::Connection& db, const std::string& id,
                                 const UserChange& change, int64_t now) {
  UserChanged changed;
  FW_ASSIGN(const auto before, store::FindUser(db, id));
  if (!before) return UserChanged{.outcome = UserChanged::Outcome::kUnknown};
  const bool changes_role = change.role && *change.role != before->role;
  const bool changes_lock = change.locked && *change.locked != before->locked;
  const Role role = change.role.value_or(before->role);
  const bool locked = change.locked.value_or(before->locked);
  if (before->role == Role::kAdmin && !before->locked && (role != Role::kAdmin || locked)) {
    FW_ASSIGN(const int64_t others, store::CountAdmins(db, id));
    if (others == 0) return UserChanged{.outcome = UserChanged::Outcome::kLastAdmin};
  }
  if (change.display_name) FW_TRY(store::SetDisplayName(db, id, *change.display_name, now));
  if (changes_role) FW_TRY(store::SetRole(db, id, role, now));
  if (changes_lock) FW_TRY(store::SetLocked(db, id, locked, now));
  // Tokens say the role, so those of the old one have to end.
  if (changes_lock && locked) {
    changed.reason = "lock";
  } else if (changes_role) {
    changed.reason = "role";
  }
  if (!changed.reason.empty()) {
    FW_ASSIGN(changed.ended, store::EndSessionsOf(db, id, changed.reason, now));
  }
  FW_ASSIGN(changed.user, store::FindUser(db, id));
  return changed;
}

void ChangeUser(const ServicesRef& services, const server::CallRef& call) {
  const std::string id = UserOfPath(*call);
  if (id.empty()) return;
  const json::Value* json = call->JsonBody();
  if (json == nullptr) return;
  Body body(*json);
  UserChange change;
  if (const auto display_name = body.OptionalAnyText("display_name")) {
    body.Expect("display_name", WhyNoDisplayName(*display_name));
    change.display_name = *display_name;
  }
  if (const auto role = body.OptionalAnyText("role")) {
    change.role = RoleOf(*role);
    if (!change.role) body.Expect("role", "\"user\" or \"admin\"");
  }
  change.locked = body.Flag("locked");
  if (!Accepted(*call, body)) return;
  const int64_t now = UnixMilliseconds();
  services->database.Write<UserChanged>(
      [id, change, now](store::Connection& db) { return ChangeUserIn(db, id, change, now); },
      [services, call, id, now](const Result<UserChanged>& result) {
        if (!result.ok()) return call->Fail(result.error());
        const UserChanged& changed = result.value();
        if (changed.outcome == UserChanged::Outcome::kLastAdmin) return call->Fail(LastAdmin());
        if (!changed.user) return call->Fail(NotFound());
        for (const std::string& session : changed.ended) {
          services->ended.End({id, session, changed.reason}, now);
        }
        // What is open with a key of theirs too.
        if (!changed.reason.empty()) services->ended.End({id, {}, changed.reason}, now);
        call->Answer(200, FullNode(*changed.user));
      });
}

void EndAll(Services& services, const std::string& user, const std::vector<std::string>& sessions,
            const std::string& reason, int64_t now) {
  for (const std::string& session : sessions) services.ended.End({user, session, reason}, now);
}

struct Reset {
  bool found = false;
  std::vector<std::string> ended;
};

void ResetPassword(const ServicesRef& services, const server::CallRef& call) {
  const std::string id = UserOfPath(*call);
  if (id.empty()) return;
  const std::string password = RandomPassword();
  const bool is_taken =
      services->hasher.Hash(password, [services, call, id, password](Result<std::string> hash) {
        if (!hash.ok()) return call->Fail(hash.error());
        const int64_t now = UnixMilliseconds();
        services->database.Write<Reset>(
            [id, hash = std::move(hash).value(), now](store::Connection& db) -> Result<Reset> {
              FW_ASSIGN(const int64_t count, store::SetPassword(db, id, hash, true, now));
              if (count == 0) return Reset();
              Reset reset{.found = true, .ended = {}};
              FW_ASSIGN(reset.ended, store::EndSessionsOf(db, id, "password", now));
              return reset;
            },
            [services, call, id, password, now](const Result<Reset>& reset) {
              if (!reset.ok()) return call->Fail(reset.error());
              if (!reset.value().found) return call->Fail(NotFound());
              EndAll(*services, id, reset.value().ended, "password", now);
              // Keys do nothing until it is changed, so what is open with one ends too.
              services->ended.End({id, {}, "password"}, now);
              call->Answer(200, json::Node::Object().Set("password", password));
            });
      });
  if (!is_taken) call->Fail(TooBusy());
}

void EndSessions(const ServicesRef& services, const server::CallRef& call) {
  const std::string id = UserOfPath(*call);
  if (id.empty()) return;
  const int64_t now = UnixMilliseconds();
  services->database.Write<Reset>(
      [id, now](store::Connection& db) -> Result<Reset> {
        FW_ASSIGN(const auto user, store::FindUser(db, id));
        Reset reset{.found = user.has_value(), .ended = {}};
        FW_ASSIGN(reset.ended, store::EndSessionsOf(db, id, "logout", now));
        return reset;
      },
      [services, call, id, now](const Result<Reset>& reset) {
        if (!reset.ok()) return call->Fail(reset.error());
        if (!reset.value().found) return call->Fail(NotFound());
        EndAll(*services, id, reset.value().ended, "logout", now);
        call->Answer(server::Reply{.status = 204, .body = {}, .content_type = {}, .fields = {}});
      });
}

void ListLogins(const ServicesRef& services, const server::CallRef& call) {
  const std::string id = UserOfPath(*call);
  if (id.empty()) return;
  const std::string list = "logins/" + id;
  Query query(*call);
  const PageRequest page = ReadPage(query, list, services->page_limits());
  const int64_t before = NumberBehind(query, page).value_or(0);
  if (!Accepted(*call, query)) return;
  using Records = std::vector<store::LoginRecord>;
  services->database.Read<std::optional<Records>>(
      [id, before, page](store::Connection& db) -> Result<std::optional<Records>> {
        FW_ASSIGN(const auto user, store::FindUser(db, id));
        if (!user) return std::optional<Records>();
        FW_ASSIGN(Records records, store::ListLogins(db, id, before, RowsFor(page)));
        return std::optional<Records>(std::move(records));
      },
      [call, page, list](const Result<std::optional<Records>>& records) {
        if (!records.ok()) return call->Fail(records.error());
        if (!records.value()) return call->Fail(NotFound());
        call->Answer(200, ToPage(*records.value(), page, list, LoginNode,
                                 [](const store::LoginRecord& record) {
                                   return std::to_string(record.id);
                                 }));
      });
}

}  // namespace

void AddUserRoutes(Routes& routes, const ServicesRef& services) {
  const auto add = [&](std::string_view method, std::string_view pattern,
                       std::string_view operation,
                       void (*handle)(const ServicesRef&, const server::CallRef&)) {
    routes.push_back(
        {.method = method,
         .pattern = pattern,
         .operation = operation,
         .access = {.who = server::Access::Who::kAdmin},
         .handler = [services, handle](const server::CallRef& call) { handle(services, call); },
         .body_limit = 8192});
  };
  add("GET", "/api/v1/users", "listUsers", ListUsers);
  add("POST", "/api/v1/users", "createUser", CreateUser);
  add("GET", "/api/v1/users/{user}", "getUser", GetUser);
  add("PATCH", "/api/v1/users/{user}", "changeUser", ChangeUser);
  add("POST", "/api/v1/users/{user}/password", "resetPassword", ResetPassword);
  add("DELETE", "/api/v1/users/{user}/sessions", "endSessions", EndSessions);
  add("GET", "/api/v1/users/{user}/logins", "listLogins", ListLogins);
}

}  // namespace framewall::backend::auth
