// proxy_pass: the URL's parts at once, its upstream after the whole file is known.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/host_port.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {

void ApplyProxyPass(BuildContext& context, const Directive& directive);

namespace {

using Match = LocationConfig::Match;

uint16_t DefaultPort(const ProxyPass& pass) { return pass.secure ? 443 : 80; }

// The part of the URL after "http://".
std::string_view AfterScheme(const ProxyPass& pass) {
  return std::string_view(pass.url.source).substr(pass.secure ? 8 : 7);
}

class Resolution {
 public:
  Resolution(Config& config, Diagnostics& diagnostics)
      : upstreams_(config.http.upstreams), diagnostics_(diagnostics) {}

  void Visit(LocationConfig& location) {
    if (location.proxy_pass.set) {
      CheckBuffers(location);
      if (!location.proxy_pass.has_variables) Bind(location.proxy_pass);
    }
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

  // The sizes that only make sense together, after all of them are known.
  void CheckBuffers(const LocationConfig& location) {
    const ProxySettings& proxy = location.settings.proxy;
    const uint64_t largest = std::max(proxy.buffer_size, proxy.buffers_size);
    if (proxy.busy_buffers_size < largest) {
      diagnostics_.Error(location.proxy_pass.at,
                         "\"proxy_busy_buffers_size\" must be equal to or greater than the maximum "
                         "of the value of \"proxy_buffer_size\" and one of the \"proxy_buffers\"");
    } else if (proxy.busy_buffers_size > (proxy.buffers_count - 1) * proxy.buffers_size) {
      diagnostics_.Error(location.proxy_pass.at,
                         "\"proxy_busy_buffers_size\" must be less than the size of all "
                         "\"proxy_buffers\" minus one buffer");
    }
    if (proxy.max_temp_file_size != 0 && proxy.max_temp_file_size < largest) {
      diagnostics_.Error(location.proxy_pass.at,
                         "\"proxy_max_temp_file_size\" must be equal to zero to disable temporary "
                         "files usage or must be equal to or greater than the maximum of the value "
                         "of \"proxy_buffer_size\" and one of the \"proxy_buffers\"");
    }
  }

  void Bind(ProxyPass& pass) {
    const auto where = ParseHostPort(AfterScheme(pass), true);
    if (!where) return;  // reported when it was read
    if (!where->is_unix()) {
      for (const auto& upstream : upstreams_) {
        if (upstream->implied || !EqualsIgnoreCase(upstream->name, where->host)) continue;
        if (where->port != 0) {
          diagnostics_.Error(pass.at, fmt::format("upstream \"{}\" may not have port {}",
                                                  upstream->name, where->port));
        }
        pass.upstream = upstream.get();
        return;
      }
    }
    pass.upstream = Implied(pass, *where);
  }

  // One for each address as written and default port; those who name the same share it.
  UpstreamConfig* Implied(const ProxyPass& pass, const HostPort& where) {
    for (const auto& upstream : upstreams_) {
      if (upstream->implied && upstream->default_port == DefaultPort(pass) &&
          EqualsIgnoreCase(upstream->name, where.text)) {
        return upstream.get();
      }
    }
    UpstreamServer server;
    server.name = where.text;
    server.at = pass.at;
    auto addresses = ResolveHostPort(where, DefaultPort(pass));
    if (addresses) {
      server.addresses = std::move(*addresses);
    } else {
      diagnostics_.Error(
          pass.at, fmt::format("{} in upstream \"{}\"", addresses.error().message, where.text));
    }
    auto upstream = std::make_unique<UpstreamConfig>();
    upstream->name = where.text;
    upstream->implied = true;
    upstream->default_port = DefaultPort(pass);
    upstream->servers.push_back(std::move(server));
    upstream->index = static_cast<int>(upstreams_.size());
    upstream->at = pass.at;
    upstreams_.push_back(std::move(upstream));
    return upstreams_.back().get();
  }

  std::vector<std::unique_ptr<UpstreamConfig>>& upstreams_;
  Diagnostics& diagnostics_;
};

}  // namespace

void ApplyProxyPass(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  auto url = ReadTemplate(context, directive, text);
  if (!url) return;
  // `if` and limit_except start with a copy of the location's own.
  ProxyPass pass;
  pass.set = true;
  pass.at = directive.at;
  pass.url = std::move(*url);
  pass.has_variables = !pass.url.constant();
  if (pass.has_variables) {
    pass.secure = StartsWithIgnoreCase(text, "https://");
  } else {
    pass.secure = StartsWithIgnoreCase(text, "https://");
    if (!pass.secure && !StartsWithIgnoreCase(text, "http://")) {
      context.Error(
          directive,
          fmt::format("invalid URL prefix in \"{}\", http:// or https:// was expected", text));
      return;
    }
    const auto where = ParseHostPort(AfterScheme(pass), true);
    if (!where) {
      context.Error(directive,
                    fmt::format("{} in upstream \"{}\"", where.error().message, AfterScheme(pass)));
      return;
    }
    pass.has_uri = !where->uri.empty();
    pass.uri = where->uri;
    // $proxy_host: without the port where that is the scheme's own.
    pass.host_text = where->is_unix() ? "localhost" : where->text;
    if (!where->is_unix() && where->port == DefaultPort(pass)) {
      pass.host_text = where->bracketed ? fmt::format("[{}]", where->host) : where->host;
    }
    const Match match = context.location->match;
    const bool has_no_prefix = match == Match::kRegex || match == Match::kNamed ||
                               match == Match::kIf || match == Match::kExcept;
    if (has_no_prefix && pass.has_uri) {
      context.Error(directive,
                    "\"proxy_pass\" cannot have URI part in location given by regular expression, "
                    "or inside named location, or inside \"if\" statement, or inside "
                    "\"limit_except\" block");
      return;
    }
  }
  context.location->content = ContentKind::kProxy;
  context.location->proxy_pass = std::move(pass);
}

void ResolveProxyPasses(Config& config, Diagnostics& diagnostics) {
  for (const auto& upstream : config.http.upstreams) {
    if (!upstream->implied && upstream->servers.empty()) {
      diagnostics.Error(upstream->at,
                        fmt::format("no servers are inside upstream \"{}\"", upstream->name));
    }
  }
  Resolution resolution(config, diagnostics);
  for (const auto& server : config.http.servers) resolution.Visit(server->root);
}

}  // namespace framewall::config
