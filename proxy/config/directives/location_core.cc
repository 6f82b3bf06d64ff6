// The core directives of a location: files, bodies, timeouts, errors, content.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/host_port.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

constexpr std::array<Word<Satisfy>, 2> kSatisfy = {
    {{"all", Satisfy::kAll}, {"any", Satisfy::kAny}}};
constexpr std::array<Word<BodyInFile>, 3> kBodyInFile = {
    {{"off", BodyInFile::kOff}, {"on", BodyInFile::kOn}, {"clean", BodyInFile::kClean}}};
constexpr std::array<Word<LingeringClose>, 3> kLingering = {{{"off", LingeringClose::kOff},
                                                             {"on", LingeringClose::kOn},
                                                             {"always", LingeringClose::kAlways}}};
constexpr std::array<Word<IfModifiedSince>, 3> kIfModifiedSince = {
    {{"off", IfModifiedSince::kOff},
     {"exact", IfModifiedSince::kExact},
     {"before", IfModifiedSince::kBefore}}};
constexpr std::array<Word<ServerTokens>, 3> kServerTokens = {
    {{"off", ServerTokens::kOff}, {"on", ServerTokens::kOn}, {"build", ServerTokens::kBuild}}};

constexpr auto kCore = &LocationSettings::core;

// root and alias share a group: the builder lets one of them stand in a block.
void ApplyRoot(BuildContext& context, const Directive& directive) {
  const bool is_alias = directive.name == "alias";
  if (is_alias && context.location->match == LocationConfig::Match::kNamed) {
    context.Error(directive, "the \"alias\" directive cannot be used inside the named location");
    return;
  }
  std::string text = directive.args[0];
  if (!text.starts_with('$')) text = context.config.FullPath(text);
  if (!is_alias && text.size() > 1 && text.ends_with('/')) text.pop_back();
  auto value = ReadTemplate(context, directive, text);
  if (!value) return;
  for (const TemplatePart& part : value->parts) {
    if (part.variable == kNoVariable) continue;
    const std::string& name =
        context.config.variables.names()[static_cast<size_t>(part.variable)].name;
    if (name != "document_root" && name != "realpath_root") continue;
    context.Error(directive, fmt::format("the ${} variable cannot be used in the \"{}\" directive",
                                         name, directive.name));
    return;
  }
  context.settings->core.root = std::move(*value);
  context.settings->core.root_is_alias = is_alias;
  if (!is_alias) return;
  LocationConfig& location = *context.location;
  const bool is_regex = location.match == LocationConfig::Match::kRegex;
  location.alias_prefix_length = is_regex ? std::string::npos : location.name.size();
}

void ApplyIndex(BuildContext& context, const Directive& directive) {
  std::vector<Template>& index = context.settings->core.index;
  if (context.first_in_block) index.clear();
  for (size_t i = 0; i < directive.args.size(); ++i) {
    const std::string& text = directive.args[i];
    if (text.empty()) {
      context.Error(directive, "index \"\" in \"index\" directive is invalid");
      continue;
    }
    if (text.starts_with('/') && i + 1 != directive.args.size()) {
      context.diagnostics.Warn(directive.at,
                               "only the last index in \"index\" directive should be absolute");
    }
    if (auto value = ReadTemplate(context, directive, text)) index.push_back(std::move(*value));
  }
}

// types { text/html html htm; ... }
void ApplyTypes(BuildContext& context, const Directive& directive) {
  CoreSettings& core = context.settings->core;
  MediaTypes types;
  if (!context.first_in_block && core.types != nullptr) types = *core.types;
  for (const Directive& line : directive.block) {
    if (line.args.empty() || line.has_block) {
      context.Error(line, "invalid line in \"types\": TYPE EXTENSION...; was expected");
      continue;
    }
    for (const std::string& extension : line.args) {
      const auto [at, is_new] = types.try_emplace(ToLower(extension), line.name);
      if (is_new) continue;
      if (at->second != line.name) {
        context.diagnostics.Warn(
            line.at,
            fmt::format("duplicate extension \"{}\", content type: \"{}\", previous content "
                        "type: \"{}\"",
                        extension, line.name, at->second));
      }
      at->second = line.name;
    }
  }
  core.types = &context.config.http.types.emplace_back(std::move(types));
}

void ApplyErrorPage(BuildContext& context, const Directive& directive) {
  std::vector<ErrorPage>& pages = context.settings->core.error_pages;
  if (context.first_in_block) pages.clear();
  size_t codes = directive.args.size() - 1;
  ErrorPage page;
  if (directive.args[codes - 1].starts_with('=')) {
    const std::string_view text = std::string_view(directive.args[codes - 1]).substr(1);
    const auto status = text.empty() ? std::optional<uint64_t>(0) : ParseUnsigned(text);
    --codes;
    if (codes == 0 || !status || *status > 999) {
      context.Error(directive, fmt::format("invalid value \"={}\" in \"error_page\" directive, it "
                                           "takes CODE... [=[RESPONSE]] URI",
                                           text));
      return;
    }
    page.response_status = static_cast<int>(*status);
  }
  auto target = ReadTemplate(context, directive, directive.args.back());
  if (!target) return;
  page.target = std::move(*target);
  // nginx's own codes of TLS and head errors are shown to the client as 400.
  ErrorPage shown_as_400 = page;
  if (!page.response_status) shown_as_400.response_status = 400;
  for (size_t i = 0; i < codes; ++i) {
    const auto status = ParseUnsigned(directive.args[i]);
    if (!status || *status == 499) {
      context.Error(directive, fmt::format("invalid value \"{}\" in \"error_page\" directive, a "
                                           "status was expected",
                                           directive.args[i]));
      return;
    }
    if (*status < 300 || *status > 599) {
      context.Error(directive,
                    fmt::format("value \"{}\" must be between 300 and 599", directive.args[i]));
      return;
    }
    ErrorPage& into = *status >= 494 && *status <= 497 ? shown_as_400 : page;
    into.statuses.push_back(static_cast<int>(*status));
  }
  if (!page.statuses.empty()) pages.push_back(std::move(page));
  if (!shown_as_400.statuses.empty()) pages.push_back(std::move(shown_as_400));
}

void ApplyTryFiles(BuildContext& context, const Directive& directive) {
  TryFiles files;
  for (size_t i = 0; i + 1 < directive.args.size(); ++i) {
    if (auto value = ReadTemplate(context, directive, directive.args[i])) {
      files.files.push_back(std::move(*value));
    }
  }
  const std::string& last = directive.args.back();
  if (last.starts_with('=')) {
    const auto status = ParseUnsigned(std::string_view(last).substr(1));
    if (!status || *status > 999) {
      context.Error(directive, fmt::format("invalid code \"{}\" in \"try_files\" directive", last));
      return;
    }
    files.last_status = static_cast<int>(*status);
  } else if (auto value = ReadTemplate(context, directive, last)) {
    files.last = std::move(*value);
  }
  context.location->try_files = std::move(files);
}

void ApplyKeepaliveTimeout(BuildContext& context, const Directive& directive) {
  const auto time = ReadTime(context, directive, directive.args[0]);
  if (!time) return;
  CoreSettings& core = context.settings->core;
  core.keepalive_timeout = *time;
  core.keepalive_header_seconds = -1;
  if (directive.args.size() > 1) {
    const auto header = ReadTime(context, directive, directive.args[1]);
    if (header) core.keepalive_header_seconds = header->count() / 1000;
  }
}

void ApplyKeepaliveDisable(BuildContext& context, const Directive& directive) {
  CoreSettings& core = context.settings->core;
  core.keepalive_disable_msie6 = false;
  core.keepalive_disable_safari = false;
  for (const std::string& word : directive.args) {
    if (word == "msie6") {
      core.keepalive_disable_msie6 = true;
    } else if (word == "safari") {
      core.keepalive_disable_safari = true;
    } else if (word != "none") {
      ReportUnknownWord(context, directive, word, {"none", "msie6", "safari"});
    }
  }
}

// NUMBER SIZE: files are read in pieces of SIZE; how many are in flight is not ours to say.
void ApplyOutputBuffers(BuildContext& context, const Directive& directive) {
  const auto count = ReadNumber(context, directive, directive.args[0], Range{1});
  const auto size = ReadSize(context, directive, directive.args[1]);
  if (!count || !size) return;
  if (*size == 0) {
    context.Error(directive,
                  "\"output_buffers\" directive invalid value \"0\", a buffer has a size");
    return;
  }
  context.settings->core.output_buffer_size = *size;
}

// The levels of subfolders that nginx can spread files over are checked and not used.
void ApplyClientBodyTempPath(BuildContext& context, const Directive& directive) {
  for (size_t i = 1; i < directive.args.size(); ++i) {
    if (!ReadNumber(context, directive, directive.args[i], Range{1, 10})) return;
  }
  context.settings->core.client_body_temp_path = context.config.FullPath(directive.args[0]);
}

void ApplyResolver(BuildContext& context, const Directive& directive) {
  ResolverSettings resolver;
  const auto on_off = [&](std::string_view text, std::string_view value) {
    if (value != "on" && value != "off") {
      ReportInvalidParameter(context, directive, text, "on or off there");
    }
    return value != "off";
  };
  for (const std::string& text : directive.args) {
    if (auto valid = AfterPrefix(text, "valid=")) {
      const auto time = ParseTime(*valid);
      if (!time) {
        ReportInvalidParameter(context, directive, text, "a time there, such as valid=30s");
        return;
      }
      resolver.valid = *time;
    } else if (auto ipv4 = AfterPrefix(text, "ipv4=")) {
      resolver.ipv4 = on_off(text, *ipv4);
    } else if (auto ipv6 = AfterPrefix(text, "ipv6=")) {
      resolver.ipv6 = on_off(text, *ipv6);
    } else if (text.starts_with("status_zone=")) {
      ReportInvalidParameter(context, directive, text,
                             "ADDRESS... [valid=TIME] [ipv4=on|off] "
                             "[ipv6=on|off]");
    } else {
      const auto where = ParseHostPort(text, false);
      const auto addresses =
          where ? ResolveHostPort(*where, 53) : Result<std::vector<SocketAddress>>(where.error());
      if (!addresses) {
        context.Error(directive,
                      fmt::format("{} in resolver \"{}\"", addresses.error().message, text));
        return;
      }
      resolver.servers.insert(resolver.servers.end(), addresses->begin(), addresses->end());
    }
  }
  if (resolver.servers.empty()) {
    context.Error(directive, "no name servers defined in \"resolver\" directive");
    return;
  }
  if (!resolver.ipv4 && !resolver.ipv6) {
    context.Error(directive, "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
    return;
  }
  context.settings->core.resolver = std::move(resolver);
}

void ApplyInternal(BuildContext& context, const Directive&) {
  context.location->internal_only = true;
}

template <ContentKind kKind>
void Content(BuildContext& context, const Directive&) {
  context.location->content = kKind;
}

constexpr ContextSet kHslIf = kHttpServerLocation | kIfInLocation;

constexpr DirectiveSpec kRows[] = {
    {.name = "root",
     .contexts = kHslIf,
     .arity = {1, 1},
     .apply = ApplyRoot,
     .group = "root",
     .doc = "PATH: folder that the URI is looked up in; \"html\" unless set"},
    {.name = "alias",
     .contexts = kLocation,
     .arity = {1, 1},
     .apply = ApplyRoot,
     .group = "root",
     .doc = "PATH: stands in for the location's own part of the URI"},
    List("index", kHttpServerLocation, {1, kMany}, ApplyIndex,
         "FILE ...: what answers for a folder; index.html unless set"),
    {.name = "types",
     .contexts = kHttpServerLocation,
     .arity = {0, 0},
     .block = true,
     .apply = ApplyTypes,
     .inherits = Inherits::kReplacedAsList,
     .repeatable = true,
     .doc = "{ TYPE EXTENSION ...; }: media types of files"},
    One("default_type", kHttpServerLocation, TemplateText<kCore, &CoreSettings::default_type>,
        "TYPE: of files whose extension is unknown; text/plain unless set"),
    One("client_max_body_size", kHttpServerLocation,
        Size<kCore, &CoreSettings::client_max_body_size>,
        "SIZE: a longer request body is refused with 413; 0 is no limit; 1m unless set"),
    One("client_body_buffer_size", kHttpServerLocation,
        Size<kCore, &CoreSettings::client_body_buffer_size>,
        "SIZE: a longer request body goes to a file; 16k unless set"),
    One("client_body_timeout", kHttpServerLocation, Time<kCore, &CoreSettings::client_body_timeout>,
        "TIME: between two reads of a request body; 60s unless set"),
    {.name = "client_body_temp_path",
     .contexts = kHttpServerLocation,
     .arity = {1, 4},
     .apply = ApplyClientBodyTempPath,
     .doc = "PATH [LEVEL ...]: folder of request bodies; levels are checked and not used"},
    One("client_body_in_file_only", kHttpServerLocation,
        Enum<kBodyInFile, kCore, &CoreSettings::client_body_in_file_only>,
        "off | clean | on: keep each request body in a file"),
    One("client_body_in_single_buffer", kHttpServerLocation,
        Flag<kCore, &CoreSettings::client_body_in_single_buffer>,
        "on | off: keep the request body in one piece"),
    One("send_timeout", kHttpServerLocation, Time<kCore, &CoreSettings::send_timeout>,
        "TIME: between two writes to the client; 60s unless set"),
    {.name = "keepalive_timeout",
     .contexts = kHttpServerLocation,
     .arity = {1, 2},
     .apply = ApplyKeepaliveTimeout,
     .doc = "TIME [HEADER]: how long an idle connection stays; HEADER is sent as Keep-Alive; 75s "
            "unless set"},
    One("keepalive_requests", kHttpServerLocation, Number<kCore, &CoreSettings::keepalive_requests>,
        "NUMBER: requests on one connection; 1000 unless set"),
    One("keepalive_time", kHttpServerLocation, Time<kCore, &CoreSettings::keepalive_time>,
        "TIME: age after which a connection is closed once idle; 1h unless set"),
    {.name = "keepalive_disable",
     .contexts = kHttpServerLocation,
     .arity = {1, 2},
     .apply = ApplyKeepaliveDisable,
     .doc = "none | msie6 | safari: browsers that get no keep-alive"},
    One("lingering_close", kHttpServerLocation,
        Enum<kLingering, kCore, &CoreSettings::lingering_close>,
        "off | on | always: read on for a while before a close, so that the answer arrives"),
    One("lingering_time", kHttpServerLocation, Time<kCore, &CoreSettings::lingering_time>,
        "TIME: a lingering close lasts at most; 30s unless set"),
    One("lingering_timeout", kHttpServerLocation, Time<kCore, &CoreSettings::lingering_timeout>,
        "TIME: a lingering close waits for more data; 5s unless set"),
    One("reset_timedout_connection", kHttpServerLocation,
        Flag<kCore, &CoreSettings::reset_timedout_connection>,
        "on | off: reset instead of close after a timeout"),
    One("satisfy", kHttpServerLocation, Enum<kSatisfy, kCore, &CoreSettings::satisfy>,
        "all | any: of the access rules and the password"),
    One("etag", kHttpServerLocation, Flag<kCore, &CoreSettings::etag>,
        "on | off: ETag of files; on unless set"),
    One("if_modified_since", kHttpServerLocation,
        Enum<kIfModifiedSince, kCore, &CoreSettings::if_modified_since>,
        "off | exact | before: how the dates are compared"),
    One("max_ranges", kHttpServerLocation, Number<kCore, &CoreSettings::max_ranges>,
        "NUMBER: ranges in one request; more give the whole file; 0 turns ranges off"),
    One("limit_rate", kHslIf, TemplateSize<kCore, &CoreSettings::limit_rate>,
        "RATE: octets per second to the client; 0 is no limit"),
    One("limit_rate_after", kHslIf, TemplateSize<kCore, &CoreSettings::limit_rate_after>,
        "SIZE: sent at full speed first"),
    List("error_page", kHslIf, {2, kMany}, ApplyErrorPage,
         "CODE ... [=[RESPONSE]] URI: what is shown for an error"),
    One("recursive_error_pages", kHttpServerLocation,
        Flag<kCore, &CoreSettings::recursive_error_pages>,
        "on | off: may an error page lead to another"),
    One("server_tokens", kHttpServerLocation,
        Enum<kServerTokens, kCore, &CoreSettings::server_tokens>,
        "on | off | build: show the version in Server and error pages"),
    One("absolute_redirect", kHttpServerLocation, Flag<kCore, &CoreSettings::absolute_redirect>,
        "on | off: redirects name scheme and host; on unless set"),
    One("server_name_in_redirect", kHttpServerLocation,
        Flag<kCore, &CoreSettings::server_name_in_redirect>,
        "on | off: redirects name the server, not the request's host"),
    One("port_in_redirect", kHttpServerLocation, Flag<kCore, &CoreSettings::port_in_redirect>,
        "on | off: redirects name a port that is not the usual one; on unless set"),
    One("chunked_transfer_encoding", kHttpServerLocation,
        Flag<kCore, &CoreSettings::chunked_transfer_encoding>,
        "on | off: chunked answers in HTTP/1.1; on unless set"),
    One("log_not_found", kHttpServerLocation, Flag<kCore, &CoreSettings::log_not_found>,
        "on | off: missing files in the error log; on unless set"),
    One("tcp_nodelay", kHttpServerLocation, Flag<kCore, &CoreSettings::tcp_nodelay>,
        "on | off: TCP_NODELAY; on unless set"),
    {.name = "output_buffers",
     .contexts = kHttpServerLocation,
     .arity = {2, 2},
     .apply = ApplyOutputBuffers,
     .doc = "NUMBER SIZE: files are read in pieces of SIZE"},
    {.name = "resolver",
     .contexts = kHttpServerLocation,
     .arity = {1, kMany},
     .apply = ApplyResolver,
     .doc = "ADDRESS ... [valid=TIME] [ipv4=on|off] [ipv6=on|off]: name servers"},
    One("resolver_timeout", kHttpServerLocation, Time<kCore, &CoreSettings::resolver_timeout>,
        "TIME: for a name; 30s unless set"),
    {.name = "try_files",
     .contexts = kServer | kLocation,
     .arity = {2, kMany},
     .apply = ApplyTryFiles,
     .inherits = Inherits::kNotInherited,
     .doc = "FILE ... URI | =CODE: the first that exists, else the last"},
    {.name = "internal",
     .contexts = kLocation,
     .apply = ApplyInternal,
     .inherits = Inherits::kNotInherited,
     .doc = "only for internal redirects; others get 404"},
    {.name = "empty_gif",
     .contexts = kLocation,
     .apply = Content<ContentKind::kEmptyGif>,
     .inherits = Inherits::kNotInherited,
     .doc = "answers with a transparent pixel"},
    {.name = "stub_status",
     .contexts = kServer | kLocation,
     .arity = {0, 1},
     .apply = Content<ContentKind::kStubStatus>,
     .inherits = Inherits::kNotInherited,
     .doc = "answers with nginx's seven numbers of connections and requests"},
    {.name = "metrics",
     .contexts = kLocation,
     .apply = Content<ContentKind::kMetrics>,
     .inherits = Inherits::kNotInherited,
     .doc = "framewall's own: answers with all counters in Prometheus text format"},
};

}  // namespace

std::span<const DirectiveSpec> LocationCoreDirectives() { return kRows; }

}  // namespace framewall::config
