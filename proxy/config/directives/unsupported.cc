// Everything of nginx that is not served here: inert, refused, or harmless in one value only.
#include "proxy/config/directives/unsupported.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr ContextSet kHsl = kHttpServerLocation;

// Switches that matter only when they are on.
struct Switch {
  std::string_view name;
  std::string_view harmless;
  ContextSet contexts;
  std::string_view reason;
  std::string_view doc;
};

constexpr Switch kSwitches[] = {
    {"autoindex", "off", kHsl, "folders are not listed; leave it off or serve the listing yourself",
     "off: folders are not listed, on is refused"},
    {"ssi", "off", kHsl | kIfInLocation, "server side includes are not run; do it in the upstream",
     "off: server side includes are not run, on is refused"},
    {"charset", "off", kHsl | kIfInLocation,
     "answers are not recoded; name the charset in default_type or types",
     "off: answers are not recoded, a charset is refused"},
    {"gunzip", "off", kHsl, "answers are not inflated for clients",
     "off: answers are not inflated for clients, on is refused"},
    {"gzip_static", "off", kHsl, "files are sent as they are",
     "off: files are sent as they are, on and always are refused"},
    {"dav_methods", "off", kHsl, "WebDAV methods are not served by files",
     "off: WebDAV is not served, methods are refused"},
    {"image_filter", "off", kLocation, "images are not changed; do it in the upstream",
     "off: images are not changed, anything else is refused"},
    {"mirror", "off", kHsl, "requests are not mirrored",
     "off: requests are not mirrored, a URI is refused"},
    {"proxy_cache", "off", kHsl, "answers are not cached; put a cache behind or before",
     "off: answers are not cached, a zone is refused"},
    {"proxy_store", "off", kHsl, "answers are not stored",
     "off: answers are not stored, anything else is refused"},
    {"random_index", "off", kLocation, "no file is chosen at random",
     "off: no file is chosen at random, on is refused"},
    {"slice", "0", kHsl, "answers are not fetched in slices",
     "0: answers are not fetched in slices, a size is refused"},
    {"userid", "off", kHsl, "no cookies are set for visitors; do it in the upstream",
     "off: no cookies are set for visitors, anything else is refused"},
    {"disable_symlinks", "off", kHsl, "links are followed; do not rely on this check",
     "off: links are followed, anything else is refused"},
    {"http3", "off", kHttpServer, "HTTP/3 is not served",
     "off: HTTP/3 is not served, on is refused"},
    {"add_header_inherit", "on", kHsl | kIfInLocation,
     "a block's own add_header lines replace those around it",
     "on: a block's own lines replace those around it, anything else is refused"},
    {"add_trailer_inherit", "on", kHsl | kIfInLocation,
     "a block's own add_trailer lines replace those around it",
     "on: a block's own lines replace those around it, anything else is refused"},
};

void ApplySwitch(BuildContext& context, const Directive& directive) {
  const auto row = std::find_if(std::begin(kSwitches), std::end(kSwitches),
                                [&](const Switch& each) { return each.name == directive.name; });
  if (directive.args[0] == row->harmless) return;
  context.Error(directive, fmt::format("\"{} {}\" is not supported: {}", directive.name,
                                       directive.args[0], row->reason));
}

// Set by many configurations and by nginx's tests for modules that may or may not be there.
constexpr DirectiveSpec kSilent[] = {
    {.name = "fastcgi_temp_path",
     .contexts = kHsl,
     .arity = {1, 4},
     .apply = AcceptSilently,
     .doc = "accepted and unused: FastCGI is not served"},
    {.name = "uwsgi_temp_path",
     .contexts = kHsl,
     .arity = {1, 4},
     .apply = AcceptSilently,
     .doc = "accepted and unused: uwsgi is not served"},
    {.name = "scgi_temp_path",
     .contexts = kHsl,
     .arity = {1, 4},
     .apply = AcceptSilently,
     .doc = "accepted and unused: SCGI is not served"},
};

void Append(std::vector<DirectiveSpec>& rows, std::span<const Unserved> families, Support support) {
  for (const Unserved& family : families) {
    for (const std::string_view name : family.names) {
      rows.push_back(DirectiveSpec{.name = name,
                                   .contexts = family.contexts,
                                   .arity = {0, kMany},
                                   .support = support,
                                   .repeatable = true,
                                   .doc = family.doc});
    }
  }
}

std::vector<DirectiveSpec> Join() {
  std::vector<DirectiveSpec> rows(std::begin(kSilent), std::end(kSilent));
  for (const Switch& each : kSwitches) {
    rows.push_back(DirectiveSpec{.name = each.name,
                                 .contexts = each.contexts,
                                 .arity = {1, kMany},
                                 .apply = ApplySwitch,
                                 .doc = each.doc});
  }
  Append(rows, InertFamilies(), Support::kInert);
  Append(rows, RefusedFamilies(), Support::kRefused);
  return rows;
}

}  // namespace

std::span<const DirectiveSpec> UnsupportedDirectives() {
  static const std::vector<DirectiveSpec> rows = Join();
  return rows;
}

}  // namespace framewall::config
