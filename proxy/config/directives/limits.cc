// limit_req and limit_conn: zones and their use.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
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

void ApplyZone(BuildContext& context, const Directive& directive) {
  auto& zones = context.config.http.limit_zones;
  auto zone = std::make_unique<LimitZone>();
  zone->is_request_zone = directive.name == "limit_req_zone";
  zone->at = directive.at;
  auto key = ReadTemplate(context, directive, directive.args[0]);
  if (!key) return;
  zone->key = std::move(*key);
  if (zone->is_request_zone) zone->rate = 1000;
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
    } else {
      ReportInvalidParameter(
          context, directive, text,
          zone->is_request_zone ? "KEY zone=NAME:SIZE rate=RATE" : "KEY zone=NAME:SIZE");
      return;
    }
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

void ApplyLimitReq(BuildContext& context, const Directive& directive) {
  auto& list = context.settings->limits.limit_req;
  if (context.first_in_block) list.clear();
  LimitReqUse use;
  use.at = directive.at;
  for (const std::string& text : directive.args) {
    if (const auto zone = AfterPrefix(text, "zone=")) {
      use.zone_name = std::string(*zone);
    } else if (const auto burst = AfterPrefix(text, "burst=")) {
      const auto number = ParseUnsigned(*burst);
      if (!number || *number == 0) {
        context.Error(
            directive,
            fmt::format("invalid burst value \"{}\", a number of at least 1 was expected", text));
        return;
      }
      use.burst = *number;
    } else if (const auto delay = AfterPrefix(text, "delay=")) {
      const auto number = ParseUnsigned(*delay);
      if (!number || *number == 0) {
        context.Error(
            directive,
            fmt::format("invalid delay value \"{}\", a number of at least 1 was expected", text));
        return;
      }
      use.delay = *number;
    } else if (text == "nodelay") {
      use.nodelay = true;
    } else {
      ReportInvalidParameter(context, directive, text, "zone=NAME [burst=N] [nodelay | delay=N]");
      return;
    }
  }
  if (use.zone_name.empty()) {
    context.Error(directive, "\"limit_req\" must have \"zone\" parameter");
    return;
  }
  for (const LimitReqUse& other : list) {
    if (other.zone_name == use.zone_name) {
      context.Error(directive, "\"limit_req\" directive is duplicate");
      return;
    }
  }
  list.push_back(std::move(use));
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
      : zones_(config.http.limit_zones), diagnostics_(diagnostics) {}

  void Resolve(LimitSettings& limits) {
    for (LimitReqUse& use : limits.limit_req) use.zone = Find(use.zone_name, true, use.at);
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

  const std::vector<std::unique_ptr<LimitZone>>& zones_;
  Diagnostics& diagnostics_;
  std::vector<SourceLocation> reported_;
};

constexpr ContextSet kHsl = kHttpServerLocation;

constexpr DirectiveSpec kRows[] = {
    {.name = "limit_req_zone",
     .contexts = kHttp,
     .arity = {3, 3},
     .apply = ApplyZone,
     .repeatable = true,
     .doc = "KEY zone=NAME:SIZE rate=N(r/s|r/m): where requests are counted"},
    {.name = "limit_conn_zone",
     .contexts = kHttp,
     .arity = {2, 2},
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
    One("limit_conn_dry_run", kHsl, Flag<kLimits, &LimitSettings::limit_conn_dry_run>,
        "on | off: count and log only"),
};

}  // namespace

std::span<const DirectiveSpec> LimitsDirectives() { return kRows; }

void ResolveLimitZones(Config& config, Diagnostics& diagnostics) {
  ZoneResolution resolution(config, diagnostics);
  resolution.Resolve(config.http.settings.limits);
  for (const auto& server : config.http.servers) resolution.Visit(server->root);
}

}  // namespace framewall::config
