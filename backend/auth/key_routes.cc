// /api/v1/keys: a personal key acts for its owner; a service key, made by an administrator, is for
// a program: every administrator sees it and may revoke it, and it never has the role of one.
#include <algorithm>
#include <optional>
#include <utility>

#include "backend/auth/account_rules.h"
#include "backend/auth/routes.h"
#include "backend/auth/scopes.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "backend/store/api_keys.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"

namespace framewall::backend::auth {
namespace {

constexpr int64_t kMostDays = 3650;
constexpr int64_t kKeysPerUser = 50;
constexpr size_t kHintOctets = 8;

json::Node KeyNode(const store::ApiKey& key) {
  json::Node scopes = json::Node::Array();
  for (const std::string& scope : key.scopes) scopes.Add(scope);
  const auto time = [](int64_t at) {
    return at == 0 ? json::Node::Null() : json::Node(Rfc3339(at));
  };
  return json::Node::Object()
      .Set("id", key.id)
      .Set("name", key.name)
      .Set("hint", key.hint)
      .Set("service", key.service)
      .Set("owner", key.user)
      .Set("scopes", std::move(scopes))
      .Set("created", Rfc3339(key.created))
      .Set("expires", time(key.expires))
      .Set("last_used", time(key.last_used));
}

std::vector<std::string> ReadScopes(Body& body) {
  std::vector<std::string> scopes;
  for (const std::string_view scope : body.Texts("scopes", kScopes.size())) {
    if (!IsScope(scope)) {
      std::string known;
      for (const Scope& one : kScopes) known.append(known.empty() ? "" : ", ").append(one.name);
      body.Expect("scopes", "some of " + known);
    } else if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) {
      scopes.emplace_back(scope);
    }
  }
  if (scopes.empty()) body.Expect("scopes", "at least one");
  return scopes;
}

// Nothing: the call is answered.
std::optional<store::ApiKey> ReadNewKey(server::Call& call, int64_t now) {
  const json::Value* json = call.JsonBody();
  if (json == nullptr) return std::nullopt;
  Body body(*json);
  store::ApiKey key;
  key.id = NewId();
  key.user = call.identity().user;
  key.name = body.AnyText("name");
  body.Expect("name", WhyNoDisplayName(key.name));
  key.scopes = ReadScopes(body);
  if (const auto days = body.Integer("expires_in_days", 1, kMostDays)) {
    key.expires = now + *days * 86'400'000;
  }
  key.service = body.Flag("service").value_or(false);
  key.created = now;
  if (!Accepted(call, body)) return std::nullopt;
  if (key.service && !call.identity().is_admin()) {
    call.Fail({.status = 403,
               .code = "forbidden",
               .detail = "Only administrators may make service keys.",
               .fields = {}});
    return std::nullopt;
  }
  return key;
}

void CreateKey(const ServicesRef& services, const server::CallRef& call) {
  std::optional<store::ApiKey> key = ReadNewKey(*call, UnixMilliseconds());
  if (!key) return;
  const std::string text = std::string(kKeyPrefix) + Base64UrlEncode(RandomBytes(32));
  key->hash = Sha256(text);
  key->hint = text.substr(0, kHintOctets);
  const int64_t most = services->live.keys_per_user ? services->live.keys_per_user() : kKeysPerUser;
  // Is there room for another one?
  services->database.Write<bool>(
      [key = *key, most](store::Connection& db) -> Result<bool> {
        FW_ASSIGN(const int64_t count, store::CountApiKeys(db, key.user));
        if (count >= most) return false;
        FW_TRY(store::InsertApiKey(db, key));
        return true;
      },
      [call, key = *key, text, most](const Result<bool>& done) {
        if (!done.ok()) return call->Fail(done.error());
        if (!done.value()) {
          return call->Fail({.status = 409,
                             .code = "too_many_keys",
                             .detail = "There may be " + std::to_string(most) +
                                       " keys; revoke one of them first.",
                             .fields = {}});
        }
        call->Answer(201, KeyNode(key).Set("key", text));
      });
}

void ListKeys(const ServicesRef& services, const server::CallRef& call) {
  constexpr std::string_view kList = "keys";
  Query query(*call);
  const PageRequest page = ReadPage(query, kList, services->page_limits());
  if (!Accepted(*call, query)) return;
  using Keys = std::vector<store::ApiKey>;
  services->database.Read<Keys>(
      [user = call->identity().user, services_too = call->identity().is_admin(),
       page](store::Connection& db) {
        return store::ListApiKeys(db, user, services_too, page.behind, RowsFor(page));
      },
      [call, page, kList](const Result<Keys>& keys) {
        if (!keys.ok()) return call->Fail(keys.error());
        call->Answer(200, ToPage(keys.value(), page, kList, KeyNode,
                                 [](const store::ApiKey& key) { return key.id; }));
      });
}

void RevokeKey(const ServicesRef& services, const server::CallRef& call) {
  const std::string id(call->Parameter("key"));
  if (!IsId(id)) return call->Fail(NotFound());
  using Owner = std::optional<std::string>;
  const int64_t now = UnixMilliseconds();
  services->database.Write<Owner>(
      [id, user = call->identity().user, services_too = call->identity().is_admin(),
       now](store::Connection& db) { return store::RevokeApiKey(db, id, user, services_too, now); },
      [services, call, id, now](const Result<Owner>& owner) {
        if (!owner.ok()) return call->Fail(owner.error());
        if (!owner.value()) return call->Fail(NotFound());
        services->key_uses.erase(id);
        services->ended.End({*owner.value(), id, "revoked"}, now);
        call->Answer(server::Reply{.status = 204, .body = {}, .content_type = {}, .fields = {}});
      });
}

void ListScopes(server::Call& call) {
  json::Node items = json::Node::Array();
  for (const Scope& scope : kScopes) {
    items.Add(json::Node::Object().Set("name", scope.name).Set("allows", scope.allows));
  }
  call.Answer(200, json::Node::Object().Set("items", std::move(items)));
}

}  // namespace

void AddKeyRoutes(Routes& routes, const ServicesRef& services) {
  using Who = server::Access::Who;
  using Object = server::Access::Object;
  const auto add = [&](std::string_view method, std::string_view pattern,
                       std::string_view operation, Object object,
                       void (*handle)(const ServicesRef&, const server::CallRef&)) {
    routes.push_back(
        {.method = method,
         .pattern = pattern,
         .operation = operation,
         .access = {.who = Who::kUser, .object = object},
         .handler = [services, handle](const server::CallRef& call) { handle(services, call); },
         .body_limit = 8192});
  };
  add("POST", "/api/v1/keys", "createKey", Object::kNone, CreateKey);
  add("GET", "/api/v1/keys", "listKeys", Object::kNone, ListKeys);
  add("DELETE", "/api/v1/keys/{key}", "revokeKey", Object::kOwner, RevokeKey);
  routes.push_back({.method = "GET",
                    .pattern = "/api/v1/scopes",
                    .operation = "listScopes",
                    .access = {.who = Who::kUser},
                    .handler = [](const server::CallRef& call) { ListScopes(*call); }});
}

}  // namespace framewall::backend::auth
