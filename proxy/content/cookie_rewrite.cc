// proxy_cookie_domain, proxy_cookie_path, proxy_cookie_flags.
#include <cstdint>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/content/response_rewrite.h"

namespace framewall::content {
namespace {

using exchange::Exchange;

// "name=value" and what follows it: "Path=/", "Secure".
struct Attribute {
  std::string_view name;
  std::string_view value;
  bool has_value = false;
  bool dropped = false;
};

std::string_view TrimSpaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<Attribute> Parse(std::string_view cookie) {
  std::vector<Attribute> attributes;
  for (const std::string_view part : Split(cookie, ';')) {
    const size_t equals = part.find('=');
    Attribute attribute;
    attribute.name = TrimSpaces(part.substr(0, equals));
    if (equals != part.npos) {
      attribute.has_value = true;
      attribute.value = TrimSpaces(part.substr(equals + 1));
    }
    attributes.push_back(attribute);
  }
  return attributes;
}

std::string_view Splice(Exchange& exchange, std::string_view text, size_t begin, size_t size,
                        std::string_view replacement) {
  std::string result(text.substr(0, begin));
  result.append(replacement).append(text.substr(begin + size));
  return exchange.arena.Copy(result);
}

enum class Match { kPrefix, kDomain };

// The first rule that fits changes the value.
bool Apply(Exchange& exchange, const std::vector<config::ProxyCookieRewrite>& rules, Match match,
           std::string_view& value) {
  for (const config::ProxyCookieRewrite& rule : rules) {
    if (rule.kind == config::ProxyCookieRewrite::Kind::kRegex) {
      if (!exchange.MatchRegex(rule.regex, value)) continue;
      value = exchange.Expand(rule.to);
      return true;
    }
    const std::string_view from = exchange.Expand(rule.from);
    if (match == Match::kPrefix) {
      if (!value.starts_with(from)) continue;
      value = Splice(exchange, value, 0, from.size(), exchange.Expand(rule.to));
      return true;
    }
    // A leading dot of the cookie's own stays.
    const size_t dot = value.starts_with('.') ? 1 : 0;
    if (!EqualsIgnoreCase(value.substr(dot), from)) continue;
    value = Splice(exchange, value, dot, value.size() - dot, exchange.Expand(rule.to));
    return true;
  }
  return false;
}

// What proxy_cookie_flags asks for; an empty text or nothing leaves a flag alone.
struct Flags {
  enum class Wish : uint8_t { kAsIs, kOn, kOff };
  Wish secure = Wish::kAsIs;
  Wish http_only = Wish::kAsIs;
  Wish same_site = Wish::kAsIs;
  std::string_view same_site_value;
  bool any = false;
};

Flags ReadFlags(Exchange& exchange, const config::ProxyCookieFlags& rule) {
  Flags flags;
  const auto set = [&flags](Flags::Wish& wish, Flags::Wish value) {
    wish = value;
    flags.any = true;
  };
  for (const config::Template& text : rule.flags) {
    const std::string_view flag = exchange.Expand(text);
    if (EqualsIgnoreCase(flag, "secure")) set(flags.secure, Flags::Wish::kOn);
    if (EqualsIgnoreCase(flag, "nosecure")) set(flags.secure, Flags::Wish::kOff);
    if (EqualsIgnoreCase(flag, "httponly")) set(flags.http_only, Flags::Wish::kOn);
    if (EqualsIgnoreCase(flag, "nohttponly")) set(flags.http_only, Flags::Wish::kOff);
    if (EqualsIgnoreCase(flag, "nosamesite")) set(flags.same_site, Flags::Wish::kOff);
    for (const std::string_view value : {"Strict", "Lax", "None"}) {
      if (StartsWithIgnoreCase(flag, "samesite=") && EqualsIgnoreCase(flag.substr(9), value)) {
        set(flags.same_site, Flags::Wish::kOn);
        flags.same_site_value = value;
      }
    }
  }
  return flags;
}

bool ApplyFlags(Exchange& exchange, const std::vector<config::ProxyCookieFlags>& rules,
                std::vector<Attribute>& attributes) {
  for (const config::ProxyCookieFlags& rule : rules) {
    const std::string_view name = attributes[0].name;
    const bool fits = rule.is_regex ? exchange.MatchRegex(rule.regex, name)
                                    : EqualsIgnoreCase(exchange.Expand(rule.cookie), name);
    if (!fits) continue;
    Flags flags = ReadFlags(exchange, rule);
    if (!flags.any) return false;
    const auto settle = [](Flags::Wish& wish, Attribute& attribute) {
      if (wish == Flags::Wish::kOff) attribute.dropped = true;
      if (wish == Flags::Wish::kOn) wish = Flags::Wish::kAsIs;  // it is there
    };
    for (size_t i = 1; i < attributes.size(); ++i) {
      Attribute& attribute = attributes[i];
      if (EqualsIgnoreCase(attribute.name, "secure")) settle(flags.secure, attribute);
      if (EqualsIgnoreCase(attribute.name, "httponly")) settle(flags.http_only, attribute);
      if (EqualsIgnoreCase(attribute.name, "samesite")) {
        if (flags.same_site == Flags::Wish::kOn &&
            !EqualsIgnoreCase(attribute.value, flags.same_site_value)) {
          attribute = {"SameSite", flags.same_site_value, true, false};
        }
        settle(flags.same_site, attribute);
      }
    }
    if (flags.secure == Flags::Wish::kOn) attributes.push_back({"Secure", {}, false, false});
    if (flags.http_only == Flags::Wish::kOn) attributes.push_back({"HttpOnly", {}, false, false});
    if (flags.same_site == Flags::Wish::kOn) {
      attributes.push_back({"SameSite", flags.same_site_value, true, false});
    }
    return true;
  }
  return false;
}

}  // namespace

std::string_view RewriteCookie(Exchange& exchange, std::string_view value) {
  const config::ProxySettings& settings = exchange.settings().proxy;
  if (settings.cookie_domain.empty() && settings.cookie_path.empty() &&
      settings.cookie_flags.empty()) {
    return value;
  }
  std::vector<Attribute> attributes = Parse(value);
  if (!attributes[0].has_value) return value;

  bool changed = false;
  for (size_t i = 1; i < attributes.size(); ++i) {
    Attribute& attribute = attributes[i];
    if (!attribute.has_value) continue;
    if (EqualsIgnoreCase(attribute.name, "domain")) {
      changed |= Apply(exchange, settings.cookie_domain, Match::kDomain, attribute.value);
    } else if (EqualsIgnoreCase(attribute.name, "path")) {
      changed |= Apply(exchange, settings.cookie_path, Match::kPrefix, attribute.value);
    }
  }
  changed |= ApplyFlags(exchange, settings.cookie_flags, attributes);
  if (!changed) return value;

  std::string result;
  for (const Attribute& attribute : attributes) {
    if (attribute.dropped) continue;
    if (!result.empty()) result.append("; ");
    result.append(attribute.name);
    if (attribute.has_value) result.append("=").append(attribute.value);
  }
  return exchange.arena.Copy(result);
}

}  // namespace framewall::content
