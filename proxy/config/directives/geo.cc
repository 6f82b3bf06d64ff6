// geo: a variable computed from an address.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
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
        if (!entries_.empty()) {
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
      if (const auto network = ReadNetwork(line, line.args[0])) geo_.proxies.Add(*network);
    } else if (line.name == "delete") {
      Delete(line);
    } else if (const auto entry = ReadEntry(line, line.name)) {
      Add(line, *entry);
    }
  }

  // After the last line.
  void Finish() {
    for (const auto& [bounds, entry] : entries_) {
      geo_.networks.AddRange(bounds.first, bounds.second, entry.value, entry.rank);
    }
    geo_.networks.Build();
    geo_.proxies.Build();
  }

 private:
  using Bounds = std::pair<IpAddress, IpAddress>;
  struct Entry {
    uint32_t value = 0;  // in geo_.values
    uint32_t rank = 0;   // a network's length; a range's number
  };

  std::optional<Cidr> ReadNetwork(const Directive& line, std::string_view text) {
    bool host_bits_set = false;
    const auto network = Cidr::Parse(text, &host_bits_set);
    if (!network) {
      context_.Error(line, fmt::format("invalid network \"{}\"", text));
      return std::nullopt;
    }
    if (host_bits_set) {
      context_.diagnostics.Warn(line.at,
                                fmt::format("low address bits of {} are meaningless", text));
    }
    return network->Unmapped();
  }

  struct Line {
    Bounds bounds;
    uint32_t rank;
  };
  std::optional<Line> ReadEntry(const Directive& line, std::string_view text) {
    if (!geo_.ranges) {
      const auto network = ReadNetwork(line, text);
      if (!network) return std::nullopt;
      return Line{{network->base(), network->last()},
                  static_cast<uint32_t>(network->prefix_length())};
    }
    const size_t dash = text.find('-');
    auto first = IpAddress::Parse(text.substr(0, dash));
    auto last = dash == std::string_view::npos ? first : IpAddress::Parse(text.substr(dash + 1));
    if (first && last && first->Unmapped().is_v4() == last->Unmapped().is_v4()) {
      first = first->Unmapped();
      last = last->Unmapped();
    }
    if (dash == std::string_view::npos || !first || !last || first->is_v4() != last->is_v4() ||
        *last < *first) {
      context_.Error(line, fmt::format("invalid range \"{}\", FIRST-LAST was expected", text));
      return std::nullopt;
    }
    return Line{{*first, *last}, ++ranges_};
  }

  void Add(const Directive& line, const Line& read) {
    const std::string& value = line.args[0];
    const auto [known, is_new_value] =
        values_.emplace(value, static_cast<uint32_t>(geo_.values.size()));
    if (is_new_value) geo_.values.push_back(value);
    const auto [found, is_new] = entries_.emplace(read.bounds, Entry{});
    if (!is_new) {
      context_.diagnostics.Warn(line.at,
                                fmt::format("duplicate {} \"{}\", value: \"{}\", old value: \"{}\"",
                                            geo_.ranges ? "range" : "network", line.name, value,
                                            geo_.values[found->second.value]));
    }
    found->second = {known->second, read.rank};
  }

  void Delete(const Directive& line) {
    const std::string& text = line.args[0];
    const auto read = ReadEntry(line, text);
    if (!read || entries_.erase(read->bounds) > 0) return;
    context_.diagnostics.Warn(
        line.at,
        fmt::format("no {} \"{}\" to delete", geo_.ranges ? "address range" : "network", text));
  }

  BuildContext& context_;
  GeoConfig& geo_;
  std::map<Bounds, Entry> entries_;
  std::unordered_map<std::string, uint32_t> values_;
  uint32_t ranges_ = 0;
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
  block.Finish();
}

}  // namespace framewall::config
