// The http block: what belongs to no server or to each of them, and the defaults of the level.
#include <utility>

#include "proxy/config/directives/directives.h"
#include "proxy/config/paths.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

// Two numbers: how many buffers, of which size.
void ApplyLargeClientHeaderBuffers(BuildContext& context, const Directive& directive) {
  const auto count = ReadNumber(context, directive, directive.args[0], Range{1, 1024});
  const auto size = ReadSize(context, directive, directive.args[1]);
  if (!count || !size) return;
  if (*size == 0) {
    context.Error(directive,
                  "\"large_client_header_buffers\" directive invalid value \"0\", a "
                  "buffer has a size");
    return;
  }
  context.server_settings->large_client_header_buffers_count = *count;
  context.server_settings->large_client_header_buffers_size = *size;
}

constexpr DirectiveSpec kRows[] = {
    {.name = "client_header_buffer_size",
     .contexts = kHttpServer,
     .arity = {1, 1},
     .apply = Size<&ServerSettings::client_header_buffer_size>,
     .doc = "SIZE: first buffer of a request head; 1k unless set"},
    {.name = "large_client_header_buffers",
     .contexts = kHttpServer,
     .arity = {2, 2},
     .apply = ApplyLargeClientHeaderBuffers,
     .doc = "NUMBER SIZE: limit of a request head; no line is longer than SIZE; 4 8k unless set"},
    {.name = "client_header_timeout",
     .contexts = kHttpServer,
     .arity = {1, 1},
     .apply = Time<&ServerSettings::client_header_timeout>,
     .doc = "TIME: for the whole request head; 60s unless set"},
    {.name = "ignore_invalid_headers",
     .contexts = kHttpServer,
     .arity = {1, 1},
     .apply = Flag<&ServerSettings::ignore_invalid_headers>,
     .doc = "on | off: drop fields with odd names, or refuse the request; on unless set"},
    {.name = "underscores_in_headers",
     .contexts = kHttpServer,
     .arity = {1, 1},
     .apply = Flag<&ServerSettings::underscores_in_headers>,
     .doc = "on | off: may field names hold an underscore; off unless set"},
    {.name = "merge_slashes",
     .contexts = kHttpServer,
     .arity = {1, 1},
     .apply = Flag<&ServerSettings::merge_slashes>,
     .doc = "on | off: \"//\" in a path counts as \"/\"; on unless set"},
};

}  // namespace

std::span<const DirectiveSpec> HttpCoreDirectives() { return kRows; }

void SetHttpDefaults(Config& config) {
  CoreSettings& core = config.http.settings.core;
  core.root = ConstantTemplate(config.FullPath("html"));
  core.client_body_temp_path = config.prefix == kDefaultPrefix
                                   ? std::string(kDefaultBodyTempPath)
                                   : config.FullPath("client_body_temp");
  core.index = {ConstantTemplate("index.html")};
  core.default_type = ConstantTemplate("text/plain");
  if (core.types == nullptr) {
    core.types = &config.http.types.emplace_back(
        MediaTypes{{"html", "text/html"}, {"gif", "image/gif"}, {"jpg", "image/jpeg"}});
  }
  if (config.http.log_formats.empty()) {
    auto format = ParseTemplate(
        config.variables,
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
        "\"$http_referer\" \"$http_user_agent\"",
        SourceLocation{});
    config.http.log_formats.push_back(
        LogFormat{.name = "combined", .format = std::move(format).value()});
  }
}

}  // namespace framewall::config
