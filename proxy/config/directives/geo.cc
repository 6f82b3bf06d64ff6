// geo: a variable computed from an address.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {

void ApplyGeo(BuildContext& context, const Directive& directive);

namespace {

class GeoBlock {
 public:
  GeoBlock(BuildContext& context, GeoConfig& geo) : context_(context), geo_(geo) {}

  void ReadLine(const Directive& line) {
    if (line.args.empty() && !line.has_block) {
      if (line.name == "ranges") {
        if (!geo_.entries.empty()) {
          context_.Error(line,
                         "the \"ranges\" directive must be the first directive inside \"geo\" "
                         "block");
        }
        geo_.ranges = true;
        return;
      }
      if (line.name == "proxy_recursive") {
        geo_.proxy_recursive = true;
        return;
      }
    }
    if (line.args.size() != 1 || line.has_block) {
      context_.Error(line, "invalid number of the geo parameters, NETWORK VALUE; was expected");
      return;
    }
    if (line.name == "default") {
      geo_.default_value = line.args[0];
    } else if (line.name == "proxy") {
      if (const auto network = ReadNetwork(line, line.args[0])) geo_.proxies.push_back(*network);
    } else if (geo_.ranges) {
      ReadRange(line);
    } else {
      ReadEntry(line);
    }
  }

 private:
  std::optional<Cidr> ReadNetwork(const Directive& line, std::string_view text) {
    bool host_bits_set = false;
    const auto network = Cidr::Parse(text, &host_bits_set);
    if (!network) {
      context_.Error(line, fmt::format("invalid network \"{}\"", text));
    } else if (host_bits_set) {
      context_.diagnostics.Warn(line.at,
                                fmt::format("low address bits of {} are meaningless", text));
    }
    return network;
  }

  void ReadEntry(const Directive& line) {
    const bool is_delete = line.name == "delete";
    const std::string& text = is_delete ? line.args[0] : line.name;
    const auto network = ReadNetwork(line, text);
    if (!network) return;
    const auto found =
        std::find_if(geo_.entries.begin(), geo_.entries.end(),
                     [&](const GeoConfig::Entry& entry) { return entry.network == *network; });
    if (is_delete) {
      if (found == geo_.entries.end()) {
        context_.diagnostics.Warn(line.at, fmt::format("no network \"{}\" to delete", text));
      } else {
        geo_.entries.erase(found);
      }
      return;
    }
    if (found != geo_.entries.end()) {
      context_.diagnostics.Warn(line.at,
                                fmt::format("duplicate network \"{}\", value: \"{}\", old value: "
                                            "\"{}\"",
                                            text, line.args[0], found->value));
      found->value = line.args[0];
      return;
    }
    geo_.entries.push_back({*network, line.args[0]});
  }

  void ReadRange(const Directive& line) {
    const bool is_delete = line.name == "delete";
    const std::string_view text = is_delete ? line.args[0] : line.name;
    const size_t dash = text.find('-');
    const auto first = IpAddress::Parse(text.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : IpAddress::Parse(text.substr(dash + 1));
    if (dash == std::string_view::npos || !first || !last || first->is_v4() != last->is_v4() ||
        *last < *first) {
      context_.Error(line, fmt::format("invalid range \"{}\", FIRST-LAST was expected", text));
      return;
    }
    auto& ranges = geo_.range_entries;
    if (is_delete) {
      const auto same = [&](const GeoConfig::Range& range) {
        return range.first == *first && range.last == *last;
      };
      if (std::erase_if(ranges, same) == 0) {
        context_.diagnostics.Warn(line.at, fmt::format("no address range \"{}\" to delete", text));
      }
      return;
    }
    ranges.push_back({*first, *last, line.args[0]});
  }

  BuildContext& context_;
  GeoConfig& geo_;
};

}  // namespace

void ApplyGeo(BuildContext& context, const Directive& directive) {
  const bool has_address = directive.args.size() == 2;
  const std::string& text = directive.args.back();
  const std::string_view name = VariableNameOf(text);
  const std::string address = has_address ? directive.args[0] : "$remote_addr";
  for (const std::string& each : directive.args) {
    if (!VariableNameOf(each).empty()) continue;
    context.Error(directive,
                  fmt::format("invalid variable name \"{}\" in \"geo\" directive", each));
    return;
  }
  auto source = ReadTemplate(context, directive, address);
  if (!source) return;
  auto& geos = context.config.http.geos;
  GeoConfig& geo = geos.emplace_back();
  geo.address = std::move(*source);
  context.config.variables.Define(ToLower(name), VariableKind::kGeo,
                                  static_cast<int>(geos.size()) - 1, directive.at);
  GeoBlock block(context, geo);
  for (const Directive& line : directive.block) block.ReadLine(line);
}

}  // namespace framewall::config
