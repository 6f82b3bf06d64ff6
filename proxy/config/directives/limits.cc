// limit_req, limit_conn, websocket_limit_message: zones and their use.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/identity.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr auto kLimits = &LocationSettings::limits;

constexpr std::array<Word<int>, 4> kLevels = {{{"info", static_cast<int>(LogLevel::kInfo)},
                                               {"notice", static_cast<int>(LogLevel::kNotice)},
                                               {"warn", static_cast<int>(LogLevel::kWarn)},
                                               {"error", static_cast<int>(LogLevel::kError)}}};
constexpr Range kStatuses{400, 599};

// "NAME:SIZE" after "zone=".
bool ReadZone(BuildContext& context, const Directive& directive, std::string_view text,
              LimitZone& zone) {
  const size_t colon = text.find(':');
  const auto size =
      colon == std::string_view::npos ? std::nullopt : ParseSize(text.substr(colon + 1));
  if (!size || colon == 0) {
    context.Error(directive,
                  fmt::format("invalid zone size \"zone={}\", zone=NAME:SIZE was expected", text));
    return false;
  }
  zone.name = std::string(text.substr(0, colon));
  zone.size = *size;
  if (zone.size < 8 * 4096) {
    context.Error(directive,
                  fmt::format("zone \"{}\" is too small, 32k and more was expected", zone.name));
    return false;
  }
  return true;
}

// "10r/s", "30r/m" in thousandths of a request per second.
std::optional<uint64_t> ReadRate(std::string_view text) {
  const bool per_minute = text.ends_with("r/m");
  if (!per_minute && !text.ends_with("r/s")) return std::nullopt;
  const auto number = ParseUnsigned(text.substr(0, text.size() - 3));
  if (!number || *number == 0 || *number > 1'000'000'000) return std::nullopt;
  return *number * 1000 / (per_minute ? 60 : 1);
}

constexpr std::array<Word<RedisDown>, 3> kRedisDown = {
    {{"local", RedisDown::kLocal}, {"pass", RedisDown::kPass}, {"refuse", RedisDown::kRefuse}}};
// A period of fewer microseconds would be far from the rate (filter/limit_script).
constexpr uint64_t kFastestRedisRate = uint64_t{100'000} * 1000;

// redis=NAME and redis_down=WORD. Nothing: `text` is neither; false: it was reported.
std::optional<bool> ReadRedis(BuildContext& context, const Directive& directive,
                              const std::string& text, LimitZone& zone) {
  const auto name = AfterPrefix(text, "redis=");
  const auto down = AfterPrefix(text, "redis_down=");
  if (!name && !down) return std::nullopt;
  if (!zone.is_request_zone) {
    context.Error(directive,
                  fmt::format("invalid parameter \"{}\": connections are counted on this machine "
                              "alone, because the counts of one that dies could never be given "
                              "back; \"redis=\" belongs to \"limit_req_zone\"",
                              text));
    return false;
  }
  if (name) {
    if (name->empty()) {
      ReportInvalidParameter(context, directive, text, "redis=NAME of a redis block");
      return false;
    }
    zone.redis_name = *name;
    return true;
  }
  for (const auto& word : kRedisDown) {
    if (word.word != *down) continue;
    zone.redis_down = word.value;
    return true;
  }
  ReportInvalidParameter(context, directive, text, "redis_down=local, pass or refuse");
  return false;
}

void ApplyZone(BuildContext& context, const Directive& directive) {
  auto& zones = context.config.http.limit_zones;
  auto zone = std::make_unique<LimitZone>();
  zone->is_request_zone = directive.name == "limit_req_zone";
  zone->at = directive.at;
  auto key = ReadTemplate(context, directive, directive.args[0]);
  if (!key) return;
  zone->key = std::move(*key);
  if (zone->is_request_zone) zone->rate = 1000;
  bool has_redis_down = false;
  for (size_t i = 1; i < directive.args.size(); ++i) {
    const std::string& text = directive.args[i];
    if (const auto name = AfterPrefix(text, "zone=")) {
      if (!ReadZone(context, directive, *name, *zone)) return;
    } else if (const auto rate = AfterPrefix(text, "rate="); rate && zone->is_request_zone) {
      const auto value = ReadRate(*rate);
      if (!value) {
        context.Error(
            directive,
            fmt::format("invalid rate \"{}\", such as rate=10r/s or rate=30r/m was expected",
                        text));
        return;
      }
      zone->rate = *value;
    } else if (const auto known = ReadRedis(context, directive, text, *zone)) {
      if (!*known) return;
      has_redis_down = has_redis_down || text.starts_with("redis_down=");
    } else {
      ReportInvalidParameter(context, directive, text,
                             zone->is_request_zone
                                 ? "KEY zone=NAME:SIZE rate=RATE [redis=NAME [redis_down=WORD]]"
                                 : "KEY zone=NAME:SIZE");
      return;
    }
  }
  if (has_redis_down && zone->redis_name.empty()) {
    context.Error(directive, "\"redis_down\" without \"redis=NAME\" has no meaning");
    return;
  }
  if (!zone->redis_name.empty() && zone->rate > kFastestRedisRate) {
    context.Error(directive, "a rate with \"redis=\" is 100000r/s at most");
    return;
  }
  if (zone->name.empty()) {
    context.Error(directive, fmt::format("\"{}\" must have \"zone\" parameter", directive.name));
    return;
  }
  for (const auto& other : zones) {
    if (other->name != zone->name) continue;
    context.Error(directive, fmt::format("{} \"{}\" is already bound to key \"{}\"", directive.name,
                                         zone->name, other->key.source));
    return;
  }
  zone->index = static_cast<int>(zones.size());
  zones.push_back(std::move(zone));
}

// zone=, burst=, delay= and nodelay. Nothing: `text` is none of them; false: it was reported.
std::optional<bool> ReadUse(BuildContext& context, const Directive& directive,
                            const std::string& text, LimitReqUse& use) {
  const auto number = [&](std::string_view value, std::string_view what, uint64_t& into) {
    const auto parsed = ParseUnsigned(value);
    if (parsed && *parsed > 0) {
      into = *parsed;
      return true;
    }
    context.Error(
        directive,
        fmt::format("invalid {} value \"{}\", a number of at least 1 was expected", what, text));
    return false;
  };
  if (const auto zone = AfterPrefix(text, "zone=")) {
    use.zone_name = std::string(*zone);
    return true;
  }
  if (const auto burst = AfterPrefix(text, "burst=")) return number(*burst, "burst", use.burst);
  if (const auto delay = AfterPrefix(text, "delay=")) return number(*delay, "delay", use.delay);
  if (text != "nodelay") return std::nullopt;
  use.nodelay = true;
  return true;
}

// False: it was reported.
template <class List, class NameOf>
bool CheckUse(BuildContext& context, const Directive& directive, const LimitReqUse& use,
              const List& list, NameOf name_of) {
  if (use.zone_name.empty()) {
    context.Error(directive, fmt::format("\"{}\" must have \"zone\" parameter", directive.name));
    return false;
  }
  for (const auto& other : list) {
    if (name_of(other) != use.zone_name) continue;
    context.Error(directive, fmt::format("\"{}\" directive is duplicate", directive.name));
    return false;
  }
  return true;
}

void ApplyLimitReq(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->limits.limit_req;
  if (context.first_in_block) list.clear();
  LimitReqUse use;
  use.at = directive.at;
  for (const std::string& text : directive.args) {
    const auto known = ReadUse(context, directive, text, use);
    if (!known) {
      ReportInvalidParameter(context, directive, text, "zone=NAME [burst=N] [nodelay | delay=N]");
    }
    if (!known || !*known) return;
  }
  const auto name_of = [](const LimitReqUse& other) { return other.zone_name; };
  if (CheckUse(context, directive, use, list, name_of)) list.push_back(std::move(use));
}

void ApplyMessageLimit(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->limits.messages;
  if (context.first_in_block) list.clear();
  if (directive.args.size() == 1 && directive.args[0] == "off") return;
  MessageLimitUse use;
  use.limit.at = directive.at;
  for (const std::string& text : directive.args) {
    if (const auto error = AfterPrefix(text, "error="); error && !error->empty()) {
      use.over = OverMessageLimit::kError;
      use.error = *error;
    } else if (text == "close") {
      use.over = OverMessageLimit::kClose;
    } else if (text == "drop") {
      use.over = OverMessageLimit::kDrop;
    } else {
      const auto known = ReadUse(context, directive, text, use.limit);
      if (!known) {
        ReportInvalidParameter(
            context, directive, text,
            "zone=NAME [burst=N] [nodelay | delay=N] [close | drop | error=TEXT]");
      }
      if (!known || !*known) return;
    }
  }
  const auto name_of = [](const MessageLimitUse& other) { return other.limit.zone_name; };
  if (CheckUse(context, directive, use.limit, list, name_of)) list.push_back(std::move(use));
}

void ApplyLimitConn(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->limits.limit_conn;
  if (context.first_in_block) list.clear();
  const auto number = ParseUnsigned(directive.args[1]);
  if (!number || *number == 0) {
    context.Error(directive,
                  fmt::format("invalid number of connections \"{}\"", directive.args[1]));
    return;
  }
  if (*number > 65535) {
    context.Error(directive, "connection limit must be less 65536");
    return;
  }
  for (const LimitConnUse& other : list) {
    if (other.zone_name == directive.args[0]) {
      context.Error(directive, "\"limit_conn\" directive is duplicate");
      return;
    }
  }
  list.push_back(
      LimitConnUse{.zone_name = directive.args[0], .connections = *number, .at = directive.at});
}

class ZoneResolution {
 public:
  ZoneResolution(Config& config, Diagnostics& diagnostics)
      : config_(config), zones_(config.http.limit_zones), diagnostics_(diagnostics) {}

  void ResolveZones() {
    for (const auto& zone : zones_) {
      zone->by_identity = DependsOnIdentity(zone->key, config_.variables);
      if (zone->redis_name.empty()) continue;
      for (const auto& redis : config_.http.redis) {
        if (redis->name == zone->redis_name) zone->redis = redis->index;
      }
      if (zone->redis < 0) {
        diagnostics_.Error(zone->at, fmt::format("unknown redis \"{}\" of zone \"{}\": there is no "
                                                 "\"redis {} {{ ... }}\"",
                                                 zone->redis_name, zone->name, zone->redis_name));
      }
    }
  }

  void Resolve(LimitSettings& limits) {
    for (LimitReqUse& use : limits.limit_req) ResolveUse(use);
    for (MessageLimitUse& use : limits.messages) ResolveUse(use.limit);
    for (LimitConnUse& use : limits.limit_conn) use.zone = Find(use.zone_name, false, use.at);
  }
  void Visit(LocationConfig& location) {
    Resolve(location.settings.limits);
    VisitProgram(location.rewrite);
    if (location.limit_except) Visit(*location.limit_except);
    for (const auto& inner : location.locations) Visit(*inner);
  }

 private:
  void VisitProgram(RewriteProgram& program) {
    for (RewriteInstruction& instruction : program) {
      if (instruction.location) Visit(*instruction.location);
      VisitProgram(instruction.block);
    }
  }

  void ResolveUse(LimitReqUse& use) {
    use.zone = Find(use.zone_name, true, use.at);
    if (use.zone < 0) return;
    uint64_t& largest = zones_[static_cast<size_t>(use.zone)]->largest_burst;
    largest = std::max(largest, use.burst);
  }

  int Find(const std::string& name, bool is_request_zone, const SourceLocation& at) {
    for (const auto& zone : zones_) {
      if (zone->name == name && zone->is_request_zone == is_request_zone) return zone->index;
    }
    // Settings are copied into many locations; one line of the file is reported once.
    for (const SourceLocation& seen : reported_) {
      if (seen.line == at.line && seen.file == at.file) return -1;
    }
    reported_.push_back(at);
    diagnostics_.Error(at,
                       fmt::format("zero size shared memory zone \"{}\": no {} of this name", name,
                                   is_request_zone ? "limit_req_zone" : "limit_conn_zone"));
    return -1;
  }

  const Config& config_;
  const std::vector<std::unique_ptr<LimitZone>>& zones_;
  Diagnostics& diagnostics_;
  std::vector<SourceLocation> reported_;
};

constexpr ContextSet kHsl = kHttpServerLocation;

constexpr DirectiveSpec kRows[] = {
    {.name = "limit_req_zone",
     .contexts = kHttp,
     .arity = {3, 5},
     .apply = ApplyZone,
     .repeatable = true,
     .doc = "KEY zone=NAME:SIZE rate=N(r/s|r/m) [redis=NAME [redis_down=local|pass|refuse]]: where "
            "requests are counted: here, or in a Redis that machines share, and what is done while "
            "that is down (local unless set)"},
    {.name = "limit_conn_zone",
     .contexts = kHttp,
     .arity = {2, 3},
     .apply = ApplyZone,
     .repeatable = true,
     .doc = "KEY zone=NAME:SIZE: where connections are counted"},
    List("limit_req", kHsl, {1, 3}, ApplyLimitReq, "zone=NAME [burst=N] [nodelay | delay=N]"),
    List("limit_conn", kHsl, {2, 2}, ApplyLimitConn, "ZONE NUMBER"),
    One("limit_req_status", kHsl, NumberIn<kStatuses, kLimits, &LimitSettings::limit_req_status>,
        "STATUS: of a refused request; 503 unless set"),
    One("limit_conn_status", kHsl, NumberIn<kStatuses, kLimits, &LimitSettings::limit_conn_status>,
        "STATUS: of a refused request; 503 unless set"),
    One("limit_req_log_level", kHsl, Enum<kLevels, kLimits, &LimitSettings::limit_req_log_level>,
        "info | notice | warn | error: of refusals; delays are one less severe"),
    One("limit_conn_log_level", kHsl, Enum<kLevels, kLimits, &LimitSettings::limit_conn_log_level>,
        "info | notice | warn | error: of refusals"),
    One("limit_req_dry_run", kHsl, Flag<kLimits, &LimitSettings::limit_req_dry_run>,
        "on | off: count and log only"),
    One("limit_req_headers", kHsl, Flag<kLimits, &LimitSettings::limit_req_headers>,
        "on | off: RateLimit and RateLimit-Policy in every answer that was counted, Retry-After in "
        "refusals; off unless set"),
    List("websocket_limit_message", kHsl, {1, 5}, ApplyMessageLimit,
         "off | zone=NAME [burst=N] [nodelay | delay=N] [close | drop | error=TEXT]: clients' "
         "WebSocket messages are counted in a zone of limit_req_zone; one too many closes with "
         "1008, is left out, or is left out and answered with TEXT; close unless set"),
    One("limit_conn_dry_run", kHsl, Flag<kLimits, &LimitSettings::limit_conn_dry_run>,
        "on | off: count and log only"),
};

}  // namespace

std::span<const DirectiveSpec> LimitsDirectives() { return kRows; }

void ResolveLimitZones(Config& config, Diagnostics& diagnostics) {
  ZoneResolution resolution(config, diagnostics);
  resolution.ResolveZones();
  resolution.Resolve(config.http.settings.limits);
  for (const auto& server : config.http.servers) resolution.Visit(server->root);
}

}  // namespace framewall::config
