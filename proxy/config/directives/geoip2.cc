// geoip2: variables read from a MaxMind database, with the names and meaning of the well-known
// nginx module of that name.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

using Kind = Geoip2Variable::Kind;

constexpr std::array<Word<Kind>, 3> kMetadata = {{{"build_epoch", Kind::kBuildEpoch},
                                                  {"last_check", Kind::kLastCheck},
                                                  {"last_change", Kind::kLastChange}}};

class Geoip2Block {
 public:
  Geoip2Block(BuildContext& context, size_t database) : context_(context), database_(database) {}

  void ReadLine(const Directive& line) {
    if (line.has_block) {
      context_.Error(line, fmt::format("\"{}\" takes no block in \"geoip2\"", line.name));
    } else if (line.name == "auto_reload") {
      ReadAutoReload(line);
    } else if (!VariableNameOf(line.name).empty()) {
      ReadVariable(line);
    } else {
      context_.Error(line, fmt::format("invalid setting \"{}\" in \"geoip2\", $NAME PATH...; or "
                                       "auto_reload TIME; was expected",
                                       line.name));
    }
  }

 private:
  void ReadAutoReload(const Directive& line) {
    if (line.args.size() != 1) {
      context_.Error(line, "invalid number of arguments in \"auto_reload\", it takes TIME");
      return;
    }
    if (const auto time = ReadTime(context_, line, line.args[0])) {
      context_.config.http.geoip2_databases[database_].auto_reload = *time;
    }
  }

  void ReadVariable(const Directive& line) {
    Geoip2Variable variable;
    variable.database = database_;
    const bool is_metadata = !line.args.empty() && line.args[0] == "metadata";
    if (is_metadata ? !ReadMetadata(line, variable) : !ReadRecord(line, variable)) return;
    auto& all = context_.config.http.geoip2_variables;
    all.push_back(std::move(variable));
    context_.config.variables.Define(ToLower(VariableNameOf(line.name)), VariableKind::kGeoip2,
                                     static_cast<int>(all.size()) - 1, line.at);
  }

  bool ReadMetadata(const Directive& line, Geoip2Variable& variable) {
    const std::string_view field = line.args.size() == 2 ? std::string_view(line.args[1]) : "";
    const auto found = std::find_if(kMetadata.begin(), kMetadata.end(),
                                    [&](const auto& word) { return word.word == field; });
    if (found == kMetadata.end()) {
      context_.Error(line,
                     fmt::format("invalid metadata \"{}\" for \"{}\", build_epoch, last_check "
                                 "or last_change was expected",
                                 field, line.name));
      return false;
    }
    variable.kind = found->value;
    return true;
  }

  // Settings have a '='; the first word without one begins the path.
  bool ReadRecord(const Directive& line, Geoip2Variable& variable) {
    size_t next = 0;
    bool has_default = false;
    for (; next < line.args.size() && line.args[next].find('=') != std::string::npos; ++next) {
      const std::string& setting = line.args[next];
      const auto default_value = AfterPrefix(setting, "default=");
      const auto source = AfterPrefix(setting, "source=");
      if (default_value && !default_value->empty() && !std::exchange(has_default, true)) {
        variable.default_value = *default_value;
      } else if (source && source->starts_with('$') && !variable.source) {
        variable.source = ReadTemplate(context_, line, *source);
        if (!variable.source) return false;
      } else {
        context_.Error(line, fmt::format("invalid setting \"{}\" for \"{}\", one default=TEXT and "
                                         "one source=$VARIABLE were expected before the path",
                                         setting, line.name));
        return false;
      }
    }
    variable.path.assign(line.args.begin() + static_cast<std::ptrdiff_t>(next), line.args.end());
    return true;
  }

  BuildContext& context_;
  const size_t database_;
};

void ApplyGeoip2(BuildContext& context, const Directive& directive) {
  auto& databases = context.config.http.geoip2_databases;
  Geoip2Database database{.path = context.config.FullPath(directive.args[0]), .at = directive.at};
  for (const Geoip2Database& known : databases) {
    if (known.path != database.path) continue;
    context.Error(directive, fmt::format("duplicate geoip2 database \"{}\"", database.path));
    return;
  }
  databases.push_back(std::move(database));
  Geoip2Block block(context, databases.size() - 1);
  for (const Directive& line : directive.block) block.ReadLine(line);
}

void ApplyGeoip2Proxy(BuildContext& context, const Directive& directive) {
  bool host_bits_set = false;
  const auto network = Cidr::Parse(directive.args[0], &host_bits_set);
  if (!network) {
    ReportInvalidParameter(context, directive, directive.args[0], "ADDRESS | ADDRESS/BITS");
    return;
  }
  if (host_bits_set) {
    context.diagnostics.Warn(
        directive.at, fmt::format("low address bits of {} are meaningless", directive.args[0]));
  }
  context.config.http.geoip2_proxies.Add(*network);
  context.config.http.geoip2_proxies.Build();
}

void ApplyGeoip2ProxyRecursive(BuildContext& context, const Directive& directive) {
  if (const auto value = ReadFlag(context, directive)) {
    context.config.http.geoip2_proxy_recursive = *value;
  }
}

constexpr DirectiveSpec kRows[] = {
    {.name = "geoip2",
     .contexts = kHttp,
     .arity = {1, 1},
     .block = true,
     .apply = ApplyGeoip2,
     .repeatable = true,
     .doc = "FILE { [auto_reload TIME;] $NAME [default=TEXT] [source=$ADDRESS] PATH...; $NAME "
            "metadata build_epoch | last_check | last_change; ... }: variables from a MaxMind "
            "database, as the nginx module geoip2 writes it"},
    {.name = "geoip2_proxy",
     .contexts = kHttp,
     .arity = {1, 1},
     .apply = ApplyGeoip2Proxy,
     .repeatable = true,
     .doc = "ADDRESS | NETWORK: from there X-Forwarded-For says whom geoip2 looks up"},
    One("geoip2_proxy_recursive", kHttp, ApplyGeoip2ProxyRecursive,
        "on | off: the last address of X-Forwarded-For that is no geoip2_proxy; off unless set"),
};

}  // namespace

std::span<const DirectiveSpec> Geoip2Directives() { return kRows; }

}  // namespace framewall::config
