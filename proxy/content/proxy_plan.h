// What a proxying location's settings mean, worked out once for each worker: which fields are set,
// replaced and hidden, and what the static parts of proxy_pass are.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/model/http.h"
#include "proxy/exchange/exchange.h"
#include "proxy/http/header_name.h"
#include "proxy/upstream/runtime.h"

namespace framewall::content {

// Field names, asked once for every field of a message.
class FieldNameSet {
 public:
  void Add(std::string_view name);
  void Remove(std::string_view name);
  bool Has(http::FieldId id) const { return known_[static_cast<size_t>(id)]; }
  bool Has(const http::Field& field) const {
    if (field.id != http::FieldId::kOther) return Has(field.id);
    return !others_.empty() && HasOther(field.name);
  }

 private:
  bool HasOther(std::string_view name) const;
  std::bitset<static_cast<size_t>(http::FieldId::kCount)> known_;
  std::vector<std::string> others_;
};

class ProxyPlan final : public upstream::LocationPlan {
 public:
  explicit ProxyPlan(const config::LocationConfig& location);
  // The plan of the exchange's location, made on first use.
  static const ProxyPlan& Of(const exchange::Exchange& exchange, upstream::Runtime& runtime);

  struct SetField {
    std::string_view name;
    http::FieldId id;
    const config::Template* value;
  };
  // proxy_set_header, but for Connection and for what frames the message, which the codec writes.
  std::vector<SetField> set_fields;
  const config::Template* connection = nullptr;  // proxy_set_header Connection
  // Fields of the client that are not passed on: set by us, or about one hop only.
  FieldNameSet not_passed;
  // Fields of the response that stay here.
  FieldNameSet hidden;

  // The prefix that a URI in proxy_pass replaces.
  std::string_view location_prefix;
  std::string proxy_port;  // $proxy_port of a proxy_pass without names

  // proxy_redirect default, for a proxy_pass without names.
  bool redirects_by_default = false;
  std::string redirect_from;
  std::string redirect_to;
};

}  // namespace framewall::content
