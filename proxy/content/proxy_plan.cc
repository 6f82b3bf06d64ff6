#include "proxy/content/proxy_plan.h"

#include <algorithm>

#include "proxy/base/text.h"
#include "proxy/config/host_port.h"

namespace framewall::content {
namespace {

using http::FieldId;
using Match = config::LocationConfig::Match;

// RFC 9110 7.6.1, and what belongs to the handshakes of this hop. Expect is answered here.
constexpr std::string_view kHopFields[] = {
    "Connection",     "Keep-Alive",        "Proxy-Connection", "TE",
    "Trailer",        "Transfer-Encoding", "Upgrade",          "Expect",
    "HTTP2-Settings", "Content-Length",
};

constexpr std::string_view kHiddenByDefault[] = {
    "Date",
    "Server",
    "X-Pad",
    "X-Accel-Expires",
    "X-Accel-Redirect",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
};

// `if` and limit_except stand inside the location whose name counts.
const config::LocationConfig& NamedLocation(const config::LocationConfig& location) {
  const config::LocationConfig* named = &location;
  while ((named->match == Match::kIf || named->match == Match::kExcept) &&
         named->parent != nullptr) {
    named = named->parent;
  }
  return *named;
}

}  // namespace

void FieldNameSet::Add(std::string_view name) {
  const FieldId id = http::FindFieldId(name);
  if (id != FieldId::kOther) {
    known_.set(static_cast<size_t>(id));
  } else {
    others_.emplace_back(name);
  }
}

void FieldNameSet::Remove(std::string_view name) {
  const FieldId id = http::FindFieldId(name);
  if (id != FieldId::kOther) {
    known_.reset(static_cast<size_t>(id));
    return;
  }
  std::erase_if(others_, [&](const std::string& other) { return EqualsIgnoreCase(other, name); });
}

bool FieldNameSet::HasOther(std::string_view name) const {
  return std::any_of(others_.begin(), others_.end(),
                     [&](const std::string& other) { return EqualsIgnoreCase(other, name); });
}

ProxyPlan::ProxyPlan(const config::LocationConfig& location) {
  const config::ProxySettings& settings = location.settings.proxy;
  for (const std::string_view name : kHopFields) not_passed.Add(name);
  // $proxy_host unless it is set.
  not_passed.Add("Host");
  for (const config::HeaderLine& line : settings.set_header) {
    const FieldId id = http::FindFieldId(line.name);
    not_passed.Add(line.name);
    if (id == FieldId::kConnection) {
      connection = &line.value;
    } else if (id != FieldId::kContentLength && id != FieldId::kTransferEncoding) {
      set_fields.push_back({line.name, id, &line.value});
    }
  }

  for (const std::string_view name : kHiddenByDefault) hidden.Add(name);
  for (const std::string& name : settings.hide_header) hidden.Add(name);
  for (const std::string& name : settings.pass_header) hidden.Remove(name);

  const config::ProxyPass& pass = location.proxy_pass;
  const config::LocationConfig& named = NamedLocation(location);
  if (named.match == Match::kPrefix || named.match == Match::kPrefixNoRegex ||
      named.match == Match::kExact) {
    location_prefix = named.name;
  }
  if (pass.has_variables) return;

  const std::string_view url = pass.url.source;
  const size_t scheme = url.find("://");
  if (scheme != url.npos) {
    const auto where = config::ParseHostPort(url.substr(scheme + 3), true);
    if (where.ok() && !where->is_unix()) {
      const int port = where->port != 0 ? where->port : pass.secure ? 443 : 80;
      proxy_port = std::to_string(port);
    }
  }
  redirects_by_default = settings.redirect_default && !settings.redirect_off;
  redirect_from = url;
  redirect_to = location_prefix;
  if (!pass.has_uri) {
    redirect_from.push_back('/');
    redirect_to = "/";
  }
}

const ProxyPlan& ProxyPlan::Of(const exchange::Exchange& exchange, upstream::Runtime& runtime) {
  std::unique_ptr<upstream::LocationPlan>& plan = runtime.PlanOf(*exchange.location);
  if (plan == nullptr) plan = std::make_unique<ProxyPlan>(*exchange.location);
  return static_cast<const ProxyPlan&>(*plan);
}

}  // namespace framewall::content
