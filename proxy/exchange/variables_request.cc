// Variables of the request: its line, its fields, where it leads.
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/exchange/builtin_variables.h"
#include "proxy/http/cookie.h"

namespace framewall::exchange {

bool FieldMatchesSuffix(std::string_view field_name, std::string_view suffix) {
  if (field_name.size() != suffix.size()) return false;
  for (size_t i = 0; i < suffix.size(); ++i) {
    const char c = field_name[i] == '-' ? '_' : ToLowerAscii(field_name[i]);
    if (c != suffix[i]) return false;
  }
  return true;
}

void SetFromFields(Exchange& exchange, const http::HeaderMap& fields, std::string_view suffix,
                   std::string_view separator, Value& value) {
  const http::Field* only = nullptr;
  std::string joined;
  for (const http::Field& field : fields) {
    if (!FieldMatchesSuffix(field.name, suffix)) continue;
    if (only == nullptr) {
      only = &field;
      continue;
    }
    if (joined.empty()) joined = only->value;
    joined += separator;
    joined += field.value;
  }
  if (only == nullptr) {
    SetAbsent(value);
  } else if (joined.empty()) {
    SetView(value, only->value);
  } else {
    SetCopy(exchange, value, joined);
  }
}

namespace {

void GetUri(Exchange& exchange, std::string_view, Value& value) { SetView(value, exchange.uri); }
void GetRequestUri(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.request.target);
}
void GetRequest(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.request.request_line);
}
void GetMethod(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.client_method.empty() ? exchange.request.method_name
                                                        : exchange.client_method);
}
void GetProtocol(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.request.request_line.empty()) return SetAbsent(value);
  SetView(value, exchange.request.version_name.empty() ? http::VersionName(exchange.request.version)
                                                       : exchange.request.version_name);
}
void GetArgs(Exchange& exchange, std::string_view, Value& value) { SetView(value, exchange.args); }
void GetIsArgs(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.args.empty() ? std::string_view() : std::string_view("?"));
}
void GetHost(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.host.empty() && exchange.server != nullptr) {
    return SetCopy(exchange, value, exchange.server->primary_name());
  }
  SetView(value, exchange.host);
}
void GetHostname(Exchange&, std::string_view, Value& value) {
  static const std::string name = [] {
    std::array<char, 256> buffer{};
    if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return std::string("localhost");
    return std::string(buffer.data());
  }();
  SetView(value, name);
}
void GetHttp(Exchange& exchange, std::string_view suffix, Value& value) {
  SetFromFields(exchange, exchange.request.fields, suffix, suffix == "cookie" ? "; " : ", ", value);
}
void GetCookie(Exchange& exchange, std::string_view suffix, Value& value) {
  if (const auto found = http::FindCookie(exchange.request.fields, suffix)) {
    SetView(value, *found);
  } else {
    SetAbsent(value);
  }
}
// $arg_NAME: the first argument of that name, as sent; names compare without regard to case.
void GetArg(Exchange& exchange, std::string_view suffix, Value& value) {
  std::string_view rest = exchange.args;
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    if (pair.size() > suffix.size() && pair[suffix.size()] == '=' &&
        EqualsIgnoreCase(pair.substr(0, suffix.size()), suffix)) {
      return SetView(value, pair.substr(suffix.size() + 1));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  SetAbsent(value);
}
void GetContentLength(Exchange& exchange, std::string_view, Value& value) {
  if (const http::Field* field = exchange.request.fields.Find(http::FieldId::kContentLength)) {
    return SetView(value, field->value);
  }
  if (exchange.body_collected && exchange.framing.kind == http::BodyFraming::Kind::kChunked) {
    return SetCopy(exchange, value, std::to_string(exchange.body.size()));
  }
  SetAbsent(value);
}
void GetContentType(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.request.fields.Get(http::FieldId::kContentType));
}
void GetRequestLength(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value, std::to_string(exchange.request_length));
}
// Only what is in memory, as in nginx.
void GetRequestBody(Exchange& exchange, std::string_view, Value& value) {
  if (!exchange.body_collected || exchange.body.in_file() || exchange.body.empty()) {
    return SetAbsent(value);
  }
  SetView(value, exchange.body.memory());
}
void GetRequestBodyFile(Exchange& exchange, std::string_view, Value& value) {
  SetViewOrAbsent(value, exchange.body.file_path());
}
void GetRequestId(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.request_id.empty()) {
    exchange.request_id = exchange.arena.Copy(HexEncode(RandomBytes(16)));
  }
  SetView(value, exchange.request_id);
}
void GetScheme(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.connection.tls != nullptr ? "https" : "http");
}
void GetHttps(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.connection.tls != nullptr ? "on" : "");
}
void GetHttp2(Exchange& exchange, std::string_view, Value& value) {
  if (!exchange.connection.http2) return SetView(value, "");
  SetView(value, exchange.connection.tls != nullptr ? "h2" : "h2c");
}
void GetServerName(Exchange& exchange, std::string_view, Value& value) {
  if (exchange.server == nullptr || exchange.server->names.empty()) return SetView(value, "");
  // ".example.com" is shown without its dot, as nginx has it.
  std::string_view name = exchange.server->names[0].source;
  if (name.starts_with('.')) name.remove_prefix(1);
  SetView(value, name);
}
void GetRemoteUser(Exchange& exchange, std::string_view, Value& value) {
  if (!exchange.remote_user_known) {
    exchange.remote_user_known = true;
    const std::string_view field = exchange.request.fields.Get(http::FieldId::kAuthorization);
    if (StartsWithIgnoreCase(field, "Basic ")) {
      if (const auto decoded = Base64Decode(Trim(field.substr(6)))) {
        const size_t colon = decoded->find(':');
        if (colon != std::string::npos) {
          exchange.remote_user = exchange.arena.Copy(std::string_view(*decoded).substr(0, colon));
        }
      }
    }
  }
  SetViewOrAbsent(value, exchange.remote_user);
}
// root expanded; alias gives the replaced prefix.
void GetDocumentRoot(Exchange& exchange, std::string_view, Value& value) {
  SetCopy(exchange, value,
          exchange.config.FullPath(exchange.Expand(exchange.settings().core.root)));
}
void GetRealpathRoot(Exchange& exchange, std::string_view, Value& value) {
  const std::string path = exchange.config.FullPath(exchange.Expand(exchange.settings().core.root));
  std::array<char, PATH_MAX> resolved{};
  if (::realpath(path.c_str(), resolved.data()) == nullptr) return SetAbsent(value);
  SetCopy(exchange, value, resolved.data());
}
void GetRequestFilename(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.FilePath(exchange.uri));
}
void GetRequestTime(Exchange& exchange, std::string_view, Value& value) {
  const int64_t ms = std::max<int64_t>(
      0, std::chrono::duration_cast<Milliseconds>(CachedNow().steady - exchange.started).count());
  SetCopy(exchange, value, fmt::format("{}.{:03}", ms / 1000, ms % 1000));
}
void GetRequestCompletion(Exchange& exchange, std::string_view, Value& value) {
  SetView(value, exchange.response_ended ? "OK" : "");
}
void GetLimitRate(Exchange& exchange, std::string_view, Value& value) {
  // In octets, whatever unit it was set in; 0 where there is none.
  const std::string_view text = exchange.limit_rate.empty()
                                    ? exchange.Expand(exchange.settings().core.limit_rate)
                                    : exchange.limit_rate;
  SetCopy(exchange, value, std::to_string(ParseSize(text).value_or(0)));
}
void GetVersion(Exchange&, std::string_view, Value& value) { SetView(value, "1.22.1"); }

// Does `host_and_path` of a Referer fit a name of valid_referers?
bool RefererFits(std::string_view host, std::string_view path, std::string_view name) {
  const size_t slash = name.find('/');
  const std::string_view name_path = slash == std::string_view::npos ? "" : name.substr(slash);
  name = name.substr(0, slash);
  if (!name_path.empty() && !path.starts_with(name_path)) return false;
  if (name.starts_with("*.")) return EndsWithIgnoreCase(host, name.substr(1));
  if (name.starts_with(".")) {
    return EndsWithIgnoreCase(host, name) || EqualsIgnoreCase(host, name.substr(1));
  }
  if (name.ends_with(".*")) {
    return StartsWithIgnoreCase(host, name.substr(0, name.size() - 1));
  }
  return EqualsIgnoreCase(host, name);
}

// "" where the Referer is valid or valid_referers is not set, "1" where it is not.
void GetInvalidReferer(Exchange& exchange, std::string_view, Value& value) {
  const auto& rules = exchange.settings().referers;
  SetView(value, "");
  if (!rules.set) return;
  const http::Field* field = exchange.request.fields.Find(http::FieldId::kReferer);
  if (field == nullptr) {
    if (!rules.none) SetView(value, "1");
    return;
  }
  std::string_view referer = field->value;
  // Shorter than "http://i.ru" is no referer at all.
  constexpr size_t kShortest = 11;
  if (referer.size() >= kShortest && StartsWithIgnoreCase(referer, "http://")) {
    referer.remove_prefix(7);
  } else if (referer.size() >= kShortest && StartsWithIgnoreCase(referer, "https://")) {
    referer.remove_prefix(8);
  } else {
    if (!rules.blocked) SetView(value, "1");
    return;
  }
  const size_t path_start = referer.find('/');
  std::string_view path = path_start == std::string_view::npos ? "/" : referer.substr(path_start);
  path = path.substr(0, path.find('?'));
  const std::string_view authority = referer.substr(0, path_start);
  const std::string_view host = authority.substr(0, authority.find(':'));
  constexpr size_t kLongestHost = 256;
  if (host.size() > kLongestHost) return SetView(value, "1");
  for (const std::string& name : rules.names) {
    if (RefererFits(host, path, name)) return;
  }
  for (const Regex* regex : rules.regexes) {
    if (regex->Matches(referer)) return;
  }
  if (rules.server_names && exchange.server != nullptr) {
    for (const config::ServerName& name : exchange.server->names) {
      if (name.regex != nullptr ? name.regex->Matches(ToLower(host))
                                : RefererFits(host, path, name.source)) {
        return;
      }
    }
  }
  SetView(value, "1");
}

constexpr BuiltinVariable kVariables[] = {
    {.name = "uri", .get = GetUri},
    {.name = "document_uri", .get = GetUri},
    {.name = "request_uri", .get = GetRequestUri},
    {.name = "request", .get = GetRequest},
    {.name = "request_method", .get = GetMethod},
    {.name = "server_protocol", .get = GetProtocol},
    {.name = "args", .get = GetArgs, .changeable = true},
    {.name = "query_string", .get = GetArgs},
    {.name = "is_args", .get = GetIsArgs},
    {.name = "host", .get = GetHost},
    {.name = "hostname", .get = GetHostname},
    {.name = "http_", .get = GetHttp, .is_family = true},
    {.name = "cookie_", .get = GetCookie, .is_family = true},
    {.name = "arg_", .get = GetArg, .is_family = true},
    {.name = "content_length", .get = GetContentLength},
    {.name = "content_type", .get = GetContentType},
    {.name = "request_length", .get = GetRequestLength},
    {.name = "request_body", .get = GetRequestBody},
    {.name = "request_body_file", .get = GetRequestBodyFile},
    {.name = "request_id", .get = GetRequestId, .cacheable = true},
    {.name = "scheme", .get = GetScheme},
    {.name = "https", .get = GetHttps},
    {.name = "http2", .get = GetHttp2},
    {.name = "server_name", .get = GetServerName},
    {.name = "remote_user", .get = GetRemoteUser},
    {.name = "document_root", .get = GetDocumentRoot},
    {.name = "realpath_root", .get = GetRealpathRoot},
    {.name = "request_filename", .get = GetRequestFilename},
    {.name = "request_time", .get = GetRequestTime},
    {.name = "request_completion", .get = GetRequestCompletion},
    {.name = "limit_rate", .get = GetLimitRate, .changeable = true},
    {.name = "nginx_version", .get = GetVersion},
    {.name = "invalid_referer", .get = GetInvalidReferer},
};

}  // namespace

std::span<const BuiltinVariable> RequestVariables() { return kVariables; }

}  // namespace framewall::exchange
