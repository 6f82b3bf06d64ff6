// map and split_clients: variables computed from a text. geo stands in geo.cc.
#include <fmt/format.h>

#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/regex_use.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {

// geo.cc
void ApplyGeo(BuildContext& context, const Directive& directive);

namespace {

// The name in "$name", lower case; empty where it was reported.
std::string DefinedName(BuildContext& context, const Directive& directive,
                        const std::string& text) {
  const std::string_view name = VariableNameOf(text);
  if (name.empty()) {
    context.Error(directive, fmt::format("invalid variable name \"{}\" in \"{}\" directive", text,
                                         directive.name));
  }
  return ToLower(name);
}

class MapBlock {
 public:
  MapBlock(BuildContext& context, MapConfig& map) : context_(context), map_(map) {}

  // `hostnames` and `volatile` hold for the whole block, wherever they stand.
  void ReadSwitches(const std::vector<Directive>& block) {
    for (const Directive& line : block) {
      if (!line.args.empty()) continue;
      if (line.name == "hostnames") map_.hostnames = true;
      if (line.name == "volatile") map_.is_volatile = true;
    }
  }

  void ReadLine(const Directive& line) {
    if (line.args.empty() && (line.name == "hostnames" || line.name == "volatile")) return;
    if (line.args.size() != 1 || line.has_block) {
      context_.Error(line, "invalid number of the map parameters, VALUE RESULT; was expected");
      return;
    }
    auto result = ReadTemplate(context_, line, line.args[0]);
    if (!result) return;
    if (line.name == "default") {
      if (std::exchange(has_default_, true)) {
        context_.Error(line, "duplicate default map parameter");
        return;
      }
      map_.default_value = std::move(*result);
    } else if (line.name.starts_with('~')) {
      AddRegex(line, std::move(*result));
    } else {
      AddKey(line, std::move(*result));
    }
  }

 private:
  void AddRegex(const Directive& line, Template result) {
    std::string_view pattern = std::string_view(line.name).substr(1);
    Regex::Case sensitivity = Regex::Case::kSensitive;
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      sensitivity = Regex::Case::kInsensitive;
    }
    auto use = CompileRegex(context_.config, pattern, sensitivity, line.at);
    if (!use) {
      context_.Error(line, use.error().message);
      return;
    }
    map_.regexes.push_back({std::move(*use), std::move(result)});
  }

  void AddKey(const Directive& line, Template result) {
    std::string_view text = line.name;
    // "\default" is the word itself.
    if (text.starts_with('\\')) text.remove_prefix(1);
    std::string key = ToLower(text);
    if (!map_.hostnames) return Insert(line, map_.exact, std::move(key), std::move(result));
    const bool is_dotted = key.starts_with('.');
    const bool is_leading = is_dotted || key.starts_with("*.");
    const bool is_trailing = !is_leading && key.ends_with(".*");
    if (is_leading) key.erase(0, is_dotted ? 1 : 2);
    if (is_trailing) key.erase(key.size() - 2);
    if (key.find('*') != std::string::npos || key.find("..") != std::string::npos ||
        ((is_leading || is_trailing) && key.empty())) {
      context_.Error(line, fmt::format("invalid hostname or wildcard \"{}\"", line.name));
      return;
    }
    if (is_dotted) Insert(line, map_.exact, key, result);
    auto& into = is_leading    ? map_.leading_wildcards
                 : is_trailing ? map_.trailing_wildcards
                               : map_.exact;
    Insert(line, into, std::move(key), std::move(result));
  }

  void Insert(const Directive& line, std::map<std::string, Template, std::less<>>& into,
              std::string key, Template result) {
    if (!into.emplace(std::move(key), std::move(result)).second) {
      context_.Error(line, fmt::format("conflicting parameter \"{}\"", line.name));
    }
  }

  BuildContext& context_;
  MapConfig& map_;
  bool has_default_ = false;
};

void ApplyMap(BuildContext& context, const Directive& directive) {
  auto source = ReadTemplate(context, directive, directive.args[0]);
  const std::string name = DefinedName(context, directive, directive.args[1]);
  if (!source || name.empty()) return;
  auto& maps = context.config.http.maps;
  MapConfig& map = maps.emplace_back();
  map.source = std::move(*source);
  context.config.variables.Define(name, VariableKind::kMap, static_cast<int>(maps.size()) - 1,
                                  directive.at);
  MapBlock block(context, map);
  block.ReadSwitches(directive.block);
  for (const Directive& line : directive.block) block.ReadLine(line);
}

// "0.5%" in hundredths of a percent; nothing where it is none of 0.01% to 100%.
std::optional<uint64_t> ReadPercent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const size_t dot = text.find('.');
  const auto whole = ParseUnsigned(text.substr(0, dot));
  if (!whole || *whole > 100) return std::nullopt;
  uint64_t hundredths = *whole * 100;
  if (dot != std::string_view::npos) {
    const std::string_view fraction = text.substr(dot + 1);
    const auto value = ParseUnsigned(fraction);
    if (!value || fraction.size() > 2) return std::nullopt;
    hundredths += fraction.size() == 1 ? *value * 10 : *value;
  }
  if (hundredths == 0 || hundredths > 10000) return std::nullopt;
  return hundredths;
}

void ApplySplitClients(BuildContext& context, const Directive& directive) {
  auto source = ReadTemplate(context, directive, directive.args[0]);
  const std::string name = DefinedName(context, directive, directive.args[1]);
  if (!source || name.empty()) return;
  auto& all = context.config.http.split_clients;
  SplitClientsConfig& split = all.emplace_back();
  split.source = std::move(*source);
  context.config.variables.Define(name, VariableKind::kSplit, static_cast<int>(all.size()) - 1,
                                  directive.at);
  uint64_t sum = 0;
  uint64_t last = 0;
  for (const Directive& line : directive.block) {
    if (line.args.size() != 1 || line.has_block) {
      context.Error(line,
                    "invalid number of the split_clients parameters, PERCENT% VALUE; was "
                    "expected");
      continue;
    }
    SplitClientsConfig::Part part{.upper = 0, .value = line.args[0]};
    if (line.name == "*") {
      sum = 10000;
    } else {
      const auto percent = ReadPercent(line.name);
      if (!percent) {
        context.Error(line,
                      fmt::format("invalid percent value \"{}\", 0.01% to 100% or * was expected",
                                  line.name));
        continue;
      }
      sum += *percent;
      if (sum > 10000) {
        context.Error(line, "percent total is greater than 100%");
        return;
      }
      // nginx rounds each share down by itself; the hash must fall on the same side here.
      last += *percent * 0xffffffff / 10000;
      part.upper = static_cast<uint32_t>(last);
    }
    split.parts.push_back(std::move(part));
  }
}

constexpr DirectiveSpec kRows[] = {
    {.name = "map",
     .contexts = kHttp,
     .arity = {2, 2},
     .block = true,
     .apply = ApplyMap,
     .repeatable = true,
     .doc = "TEXT $NAME { [hostnames;] [volatile;] [default RESULT;] VALUE | ~REGEX RESULT; ... }"},
    {.name = "geo",
     .contexts = kHttp,
     .arity = {1, 2},
     .block = true,
     .apply = ApplyGeo,
     .repeatable = true,
     .doc = "[$ADDRESS] $NAME { [default VALUE;] [ranges;] [proxy NETWORK;] [proxy_recursive;] "
            "[delete NETWORK;] NETWORK VALUE; ... }"},
    {.name = "split_clients",
     .contexts = kHttp,
     .arity = {2, 2},
     .block = true,
     .apply = ApplySplitClients,
     .repeatable = true,
     .doc = "TEXT $NAME { PERCENT% VALUE; ... * VALUE; }: shares by a hash of the text"},
};

}  // namespace

std::span<const DirectiveSpec> MapDirectives() { return kRows; }

}  // namespace framewall::config
