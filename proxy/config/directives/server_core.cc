// listen and server_name: where a server is reached.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/host_port.h"
#include "proxy/config/regex_use.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

constexpr std::string_view kListenParameters =
    "default_server, ssl, http2, proxy_protocol, setfib=, fastopen=, backlog=, rcvbuf=, sndbuf=, "
    "accept_filter=, deferred, bind, ipv6only=, reuseport and so_keepalive=";

bool ReadKeepalive(ListenConfig& listen, std::string_view text) {
  if (text == "on" || text == "off") {
    listen.keepalive = text == "on";
    return true;
  }
  const std::vector<std::string_view> parts = Split(text, ':');
  if (parts.size() != 3) return false;
  bool has_any = false;
  int* const seconds[] = {&listen.keepalive_idle, &listen.keepalive_interval};
  for (size_t i = 0; i < 2; ++i) {
    if (parts[i].empty()) continue;
    const auto time = ParseTime(parts[i]);
    if (!time || time->count() < 1000 || time->count() / 1000 > 32767) return false;
    *seconds[i] = static_cast<int>(time->count() / 1000);
    has_any = true;
  }
  if (!parts[2].empty()) {
    const auto count = ParseUnsigned(parts[2]);
    if (!count || *count == 0 || *count > 127) return false;
    listen.keepalive_count = static_cast<int>(*count);
    has_any = true;
  }
  listen.keepalive = true;
  return has_any;
}

// One parameter after the address. Reports what it does not know.
void ReadListenParameter(BuildContext& context, const Directive& directive, ListenConfig& listen,
                         std::string_view text) {
  // Reads the positive number of "backlog=" and the like; sizes for buffers.
  const auto number = [&](std::string_view value, bool is_size, int lowest,
                          std::string_view what) -> int {
    const auto parsed = is_size ? ParseSize(value) : ParseUnsigned(value);
    if (parsed && *parsed >= static_cast<uint64_t>(lowest) && *parsed <= 0x7fffffff) {
      return static_cast<int>(*parsed);
    }
    context.Error(directive, fmt::format("invalid {} \"{}\", a {} of at least {} was expected",
                                         what, text, is_size ? "size" : "number", lowest));
    return lowest;
  };
  const auto socket_option = [&] {
    listen.has_socket_options = true;
    listen.bind = true;
  };

  if (text == "default_server" || text == "default") {
    listen.default_server = true;
  } else if (text == "bind") {
    socket_option();
  } else if (text == "ssl") {
    listen.ssl = true;
  } else if (text == "http2") {
    listen.http2 = true;
    context.diagnostics.Warn(directive.at,
                             "the \"http2\" parameter has no effect yet: HTTP/2 is not served, "
                             "clients are answered with HTTP/1.1");
  } else if (text == "proxy_protocol") {
    listen.proxy_protocol = true;
  } else if (text == "reuseport") {
    socket_option();
    listen.reuseport = true;
  } else if (text == "deferred") {
    socket_option();
    listen.deferred = true;
  } else if (auto backlog = AfterPrefix(text, "backlog=")) {
    socket_option();
    listen.backlog = number(*backlog, false, 1, "backlog");
  } else if (auto rcvbuf = AfterPrefix(text, "rcvbuf=")) {
    socket_option();
    listen.receive_buffer = number(*rcvbuf, true, 1, "rcvbuf");
  } else if (auto sndbuf = AfterPrefix(text, "sndbuf=")) {
    socket_option();
    listen.send_buffer = number(*sndbuf, true, 1, "sndbuf");
  } else if (auto fastopen = AfterPrefix(text, "fastopen=")) {
    socket_option();
    listen.fastopen = number(*fastopen, false, 0, "fastopen");
  } else if (auto ipv6only = AfterPrefix(text, "ipv6only=")) {
    socket_option();
    if (*ipv6only != "on" && *ipv6only != "off") {
      context.Error(directive, fmt::format("invalid ipv6only flags \"{}\", on or off was expected",
                                           *ipv6only));
    }
    listen.ipv6only = *ipv6only == "on";
  } else if (auto keepalive = AfterPrefix(text, "so_keepalive=")) {
    socket_option();
    if (!ReadKeepalive(listen, *keepalive)) {
      context.Error(directive, fmt::format("invalid so_keepalive value: \"{}\", on, off or "
                                           "[IDLE]:[INTERVAL]:[COUNT] was expected",
                                           *keepalive));
    }
  } else if (text.starts_with("setfib=") || text.starts_with("accept_filter=")) {
    context.diagnostics.Warn(
        directive.at,
        fmt::format("\"{}\" of the \"listen\" directive is not supported on this platform, ignored",
                    text));
  } else if (text == "quic") {
    context.Error(directive, "the \"quic\" parameter is not supported: HTTP/3 is not served");
  } else {
    ReportInvalidParameter(context, directive, text, kListenParameters);
  }
}

void ApplyListen(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  auto addresses = ParseListenAddress(text);
  if (!addresses) {
    context.Error(directive, fmt::format("{} in \"{}\" of the \"listen\" directive",
                                         addresses.error().message, text));
    return;
  }
  ListenConfig listen;
  listen.text = text;
  listen.at = directive.at;
  for (size_t i = 1; i < directive.args.size(); ++i) {
    ReadListenParameter(context, directive, listen, directive.args[i]);
  }
  if (listen.ipv6only && (*addresses)[0].family() != AF_INET6) {
    context.Error(directive, fmt::format("ipv6only is not supported on addr \"{}\"", text));
  }
  for (const SocketAddress& address : *addresses) {
    listen.address = address;
    const auto same = [&](const ListenConfig& other) { return other.address == address; };
    auto& listens = context.server->listens;
    if (std::any_of(listens.begin(), listens.end(), same)) {
      context.Error(directive, fmt::format("a duplicate listen {}", address.ToText()));
      continue;
    }
    listens.push_back(listen);
  }
}

// "*.example.com", ".example.com", "www.example.*" or exact. False where a wildcard stands
// elsewhere.
bool ReadPlainName(ServerName& name) {
  const std::string text = ToLower(name.source);
  std::string_view rest = text;
  if (rest.starts_with("*.")) {
    name.kind = ServerName::Kind::kLeadingWildcard;
    rest.remove_prefix(2);
  } else if (rest.starts_with('.')) {
    name.kind = ServerName::Kind::kLeadingWildcard;
    name.also_exact = true;
    rest.remove_prefix(1);
  } else if (rest.ends_with(".*")) {
    name.kind = ServerName::Kind::kTrailingWildcard;
    rest.remove_suffix(2);
  }
  name.name = std::string(rest);
  if (name.kind != ServerName::Kind::kExact && rest.empty()) return false;
  return rest.find('*') == std::string_view::npos && rest.find("..") == std::string_view::npos;
}

std::string HostName() {
  char buffer[256] = {};
  if (gethostname(buffer, sizeof(buffer) - 1) != 0) return {};
  return ToLower(buffer);
}

void ApplyServerName(BuildContext& context, const Directive& directive) {
  for (const std::string& text : directive.args) {
    if (text.find('/') != std::string::npos) {
      context.diagnostics.Warn(directive.at,
                               fmt::format("server name \"{}\" has suspicious symbols", text));
    }
    ServerName name;
    name.source = text == "$hostname" ? HostName() : text;
    if (text.starts_with('~')) {
      if (text.size() == 1) {
        context.Error(directive, "empty regex in server name \"~\"");
        continue;
      }
      // Host names are compared in lower case; a pattern that is not written so still means them.
      const std::string_view pattern = std::string_view(text).substr(1);
      const bool has_upper =
          std::any_of(pattern.begin(), pattern.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      auto use = CompileRegex(context.config, pattern,
                              has_upper ? Regex::Case::kInsensitive : Regex::Case::kSensitive,
                              directive.at);
      if (!use) {
        context.Error(directive, use.error().message);
        continue;
      }
      name.kind = ServerName::Kind::kRegex;
      name.regex = use->regex;
      name.capture_slots = use->capture_slots;
    } else {
      name.source = ToLower(name.source);
      if (!ReadPlainName(name)) {
        context.Error(directive, fmt::format("invalid server name or wildcard \"{}\", a wildcard "
                                             "stands for the whole first or last label",
                                             text));
        continue;
      }
    }
    context.server->names.push_back(std::move(name));
  }
}

constexpr DirectiveSpec kRows[] = {
    {.name = "listen",
     .contexts = kServer,
     .arity = {1, kMany},
     .apply = ApplyListen,
     .repeatable = true,
     .doc = "ADDRESS[:PORT] | PORT | unix:PATH [default_server] [ssl] [proxy_protocol] [reuseport] "
            "[backlog=N] ...: where the server is reached"},
    {.name = "server_name",
     .contexts = kServer,
     .arity = {1, kMany},
     .apply = ApplyServerName,
     .repeatable = true,
     .doc = "NAME ...: exact, *.example.com, .example.com, www.example.*, ~REGEX or \"\""},
};

}  // namespace

std::span<const DirectiveSpec> ServerCoreDirectives() { return kRows; }

ListenConfig DefaultListen() {
  ListenConfig listen;
  const uint16_t port = geteuid() == 0 ? 80 : 8000;
  listen.address = SocketAddress::FromIp(IpAddress::FromV4(0), port);
  listen.text = fmt::format("*:{}", port);
  return listen;
}

}  // namespace framewall::config
