// Settings that administrators change while the program runs. The database has them, and memory
// what all others ask; a change is in the database before it counts.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/api/handlers.h"
#include "backend/api/outcome.h"
#include "backend/api/route_rows.h"
#include "backend/api/routes.h"
#include "backend/base/time.h"
#include "backend/store/settings_store.h"
#include "proxy/base/log.h"
#include "proxy/json/node.h"

namespace framewall::backend::api {
namespace {

std::string_view KindName(LiveSpec::Kind kind) {
  switch (kind) {
    case LiveSpec::Kind::kFlag:
      return "flag";
    case LiveSpec::Kind::kInteger:
      return "integer";
    case LiveSpec::Kind::kProse:
      return "text";
    case LiveSpec::Kind::kModel:
      break;
  }
  return "model";
}

json::Node ValueNode(const LiveValue& value) {
  return std::visit([](const auto& held) { return json::Node(held); }, value);
}

// As it was stored.
json::Node StoredNode(const std::optional<std::string>& json) {
  const std::optional<LiveValue> value = json ? ParseLiveValue(*json) : std::nullopt;
  return value ? ValueNode(*value) : json::Node::Null();
}

json::Node SettingNode(const LiveSettings& live, const LiveSpec& spec) {
  json::Node node = json::Node::Object();
  node.Set("key", spec.key);
  node.Set("kind", KindName(spec.kind));
  node.Set("value", ValueNode(live.Get(spec.key)));
  node.Set("default", ValueNode(live.Default(spec.key)));
  node.Set("is_default", live.is_default(spec.key));
  if (spec.kind != LiveSpec::Kind::kFlag) node.Set("min", spec.min).Set("max", spec.max);
  node.Set("meaning", spec.meaning);
  return node;
}

json::Node ChangeNode(const store::SettingChange& change) {
  return json::Node::Object()
      .Set("at", Rfc3339(change.at))
      .Set("user", change.user)
      .Set("before", StoredNode(change.before))
      .Set("after", StoredNode(change.after));
}

// Null where the call is answered already.
const LiveSpec* SpecOf(server::Call& call) {
  const LiveSpec* const spec = LiveSettings::Find(call.Parameter("key"));
  if (spec == nullptr) call.Fail(NotFound());
  return spec;
}

void ListAll(const Services& services, const server::CallRef& call) {
  json::Node items = json::Node::Array();
  for (const LiveSpec& spec : LiveSettings::Specs()) items.Add(SettingNode(services.live, spec));
  call->Answer(200, json::Node::Object().Set("items", std::move(items)));
}

void Get(const Services& services, const server::CallRef& call) {
  if (const LiveSpec* const spec = SpecOf(*call)) {
    call->Answer(200, SettingNode(services.live, *spec));
  }
}

std::optional<LiveValue> ReadValue(Body& body, const LiveSettings& live, const LiveSpec& spec) {
  const std::optional<json::Value> json = body.Any("value");
  if (!json) return std::nullopt;
  std::optional<LiveValue> value = ParseLiveValue(json->Text());
  // None of the three kinds is as wrong as one that the key does not take.
  std::optional<std::string> fault =
      value ? live.Check(spec, *value) : live.Check(spec, LiveValue(int64_t{INT64_MIN}));
  if (fault) body.Refuse("value", *std::move(fault));
  return value;
}

void Change(const Services& services, const server::CallRef& call) {
  const LiveSpec* const spec = SpecOf(*call);
  if (spec == nullptr) return;
  const auto asked = ReadBody<std::optional<LiveValue>>(
      call, [&](Body& body) { return ReadValue(body, services.live, *spec); });
  if (!asked) return;
  Write<Done>(
      services, call,
      [key = std::string(spec->key), value = LiveValueText(**asked),
       user = call->identity().user](store::Connection& db) -> Outcome<Done> {
        FW_TRY(store::SetSetting(db, {key, value, UnixMilliseconds(), user}));
        return Done();
      },
      [&services, spec, value = **asked](server::Call& answer, Done) {
        services.live.Set(spec->key, value);
        MainLog().Write(LogLevel::kNotice, "setting " + std::string(spec->key) + " changed by " +
                                               answer.identity().name);
        answer.Answer(200, SettingNode(services.live, *spec));
      });
}

void Reset(const Services& services, const server::CallRef& call) {
  const LiveSpec* const spec = SpecOf(*call);
  if (spec == nullptr) return;
  Write<Done>(
      services, call,
      [key = std::string(spec->key),
       user = call->identity().user](store::Connection& db) -> Outcome<Done> {
        FW_TRY(store::ResetSetting(db, key, user, UnixMilliseconds()));
        return Done();
      },
      [&services, spec](server::Call& answer, Done) {
        services.live.Reset(spec->key);
        MainLog().Write(LogLevel::kNotice, "setting " + std::string(spec->key) + " reset by " +
                                               answer.identity().name);
        answer.Answer(200, SettingNode(services.live, *spec));
      });
}

void ListChanges(const Services& services, const server::CallRef& call) {
  const LiveSpec* const spec = SpecOf(*call);
  if (spec == nullptr) return;
  const std::string list = "changes/" + std::string(spec->key);
  Query query(*call);
  const PageRequest page = ReadPage(query, list, PageLimitsOf(services.settings));
  const int64_t behind = NumberBehind(query, page).value_or(0);
  if (!Accepted(*call, query)) return;
  using Found = std::vector<store::SettingChange>;
  Read<Found>(
      services, call,
      [key = std::string(spec->key), behind,
       limit = RowsFor(page)](store::Connection& db) -> Outcome<Found> {
        FW_ASSIGN(Found found, store::ListSettingChanges(db, key, behind, limit));
        return found;
      },
      [page, list](server::Call& answer, const Found& found) {
        answer.Answer(200,
                      ToPage(found, page, list, ChangeNode, [](const store::SettingChange& change) {
                        return std::to_string(change.position);
                      }));
      });
}

void Take(LiveSettings& live, const store::StoredSetting& stored) {
  const LiveSpec* const spec = LiveSettings::Find(stored.key);
  const std::optional<LiveValue> value = ParseLiveValue(stored.value);
  const std::optional<std::string> fault =
      spec == nullptr ? "there is no such setting any more"
                      : (value ? live.Check(*spec, *value) : "it is no value");
  if (!fault) return live.Set(stored.key, *value);
  MainLog().Write(LogLevel::kWarn,
                  "setting " + stored.key + " of the database is left out: " + *fault);
}

}  // namespace

void LoadLiveSettings(const Services& services, std::function<void(Status)> done) {
  using Stored = std::vector<store::StoredSetting>;
  services.database.Read<Stored>([](store::Connection& db) { return store::ListSettings(db); },
                                 [&services, done = std::move(done)](Result<Stored> stored) {
                                   if (!stored.ok()) return done(std::move(stored).error());
                                   for (const store::StoredSetting& one : *stored)
                                     Take(services.live, one);
                                   done(OkStatus());
                                 });
}

void AddSettingRoutes(RouteList& routes, const Services& services) {
  const server::Access admin{.who = server::Access::Who::kAdmin};
  constexpr std::string_view kOne = "/api/v1/settings/{key}";
  AddRow(routes, services, {"GET", "/api/v1/settings", "listSettings", admin, ListAll});
  AddRow(routes, services, {"GET", kOne, "getSetting", admin, Get});
  AddRow(routes, services, {"PUT", kOne, "changeSetting", admin, Change});
  AddRow(routes, services, {"DELETE", kOne, "resetSetting", admin, Reset});
  AddRow(routes, services,
         {"GET", "/api/v1/settings/{key}/changes", "listSettingChanges", admin, ListChanges});
}

}  // namespace framewall::backend::api
