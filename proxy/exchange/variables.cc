#include "proxy/exchange/variables.h"

#include <string>
#include <unordered_map>

#include "proxy/base/check.h"
#include "proxy/exchange/builtin_variables.h"

namespace framewall::exchange {
namespace {

// All pieces of the catalogue, joined in sight.
struct Catalogue {
  std::unordered_map<std::string_view, const BuiltinVariable*> names;
  std::vector<const BuiltinVariable*> families;

  Catalogue() {
    for (const auto piece : {RequestVariables(), ConnectionVariables(), ResponseVariables(),
                             TlsVariables(), SocketVariables(), IdentityVariables()}) {
      for (const BuiltinVariable& variable : piece) {
        if (variable.is_family) {
          families.push_back(&variable);
        } else {
          names.emplace(variable.name, &variable);
        }
      }
    }
  }
};

const Catalogue& TheCatalogue() {
  static const Catalogue catalogue;
  return catalogue;
}

class Builtins final : public config::VariableCatalog {
 public:
  bool IsBuiltin(std::string_view name) const override { return FindBuiltin(name) != nullptr; }
  bool IsChangeable(std::string_view name) const override {
    const BuiltinVariable* variable = FindBuiltin(name);
    return variable == nullptr || variable->changeable;
  }
};

}  // namespace

const BuiltinVariable* FindBuiltin(std::string_view name) {
  const Catalogue& catalogue = TheCatalogue();
  if (const auto found = catalogue.names.find(name); found != catalogue.names.end()) {
    return found->second;
  }
  for (const BuiltinVariable* family : catalogue.families) {
    if (name.size() >= family->name.size() && name.starts_with(family->name)) return family;
  }
  return nullptr;
}

const config::VariableCatalog& BuiltinCatalog() {
  static const Builtins builtins;
  return builtins;
}

Variables::Variables(const config::Config& config, const ComputedVariables& computed)
    : config_(config), computed_(computed) {
  for (const config::VariableName& name : config.variables.names()) {
    Bound bound;
    bound.name = &name;
    // A definition in the configuration wins over a family (map $x $http_y is nginx's error; the
    // directives refuse what they must).
    bound.builtin = FindBuiltin(name.name);
    switch (name.kind) {
      case config::VariableKind::kReferenced:
        if (bound.builtin != nullptr) {
          bound.suffix = std::string_view(name.name);
          if (bound.builtin->is_family) bound.suffix.remove_prefix(bound.builtin->name.size());
          bound.cacheable = bound.builtin->cacheable;
        }
        break;
      case config::VariableKind::kSet:
        // `set $args` and the like stay live: their getter reads what Assign changed.
        bound.cacheable = bound.builtin == nullptr;
        break;
      case config::VariableKind::kMap:
        // What was asked before the client is verified must not stay empty behind it.
        bound.cacheable =
            !config.http.maps[static_cast<size_t>(name.index)].is_volatile && !name.is_identity;
        bound.builtin = nullptr;
        break;
      case config::VariableKind::kGeo:
      case config::VariableKind::kGeoip2:
      case config::VariableKind::kSplit:
        bound.cacheable = !name.is_identity;
        bound.builtin = nullptr;
        break;
      case config::VariableKind::kToken:
        bound.builtin = nullptr;
        break;
    }
    // What `set` and auth_request_set gave keeps its value.
    bound.depends_on_identity = name.is_identity && name.kind != config::VariableKind::kSet;
    bound_.push_back(bound);
  }
}

Variables::~Variables() = default;

void Variables::Evaluate(Exchange& exchange, config::VariableSlot slot, Value& value) const {
  const Bound& bound = bound_[static_cast<size_t>(slot)];
  switch (bound.name->kind) {
    case config::VariableKind::kMap:
    case config::VariableKind::kGeo:
    case config::VariableKind::kGeoip2:
    case config::VariableKind::kSplit:
      computed_.Compute(exchange, *bound.name, value);
      return;
    case config::VariableKind::kToken: {
      const config::TokenVariable& token =
          config_.http.token_variables[static_cast<size_t>(bound.name->index)];
      std::string text;
      const Identity* identity = exchange.identity();
      value.state = Value::State::kAbsent;
      if (identity == nullptr) return;
      if (token.of_header ? identity->AppendHeader(token.path, text)
                          : identity->AppendClaim(token.path, text)) {
        SetCopy(exchange, value, text);
      }
      return;
    }
    case config::VariableKind::kReferenced:
    case config::VariableKind::kSet:
      if (bound.builtin != nullptr) {
        bound.builtin->get(exchange, bound.suffix, value);
        return;
      }
      value.state = Value::State::kAbsent;
      return;
  }
}

bool Variables::Assign(Exchange& exchange, config::VariableSlot slot, std::string_view text) const {
  const Bound& bound = bound_[static_cast<size_t>(slot)];
  if (bound.builtin == nullptr) return false;
  if (bound.builtin->name == "args") {
    exchange.args = text;
    return true;
  }
  if (bound.builtin->name == "limit_rate") {
    exchange.limit_rate = text.empty() ? std::string_view("0") : text;
    return true;
  }
  return false;
}

Variables::Origin Variables::origin(config::VariableSlot slot) const {
  switch (bound_[static_cast<size_t>(slot)].name->kind) {
    case config::VariableKind::kReferenced:
    case config::VariableKind::kToken:
      return Origin::kBuiltin;
    case config::VariableKind::kSet:
      return Origin::kSet;
    case config::VariableKind::kMap:
    case config::VariableKind::kGeo:
    case config::VariableKind::kGeoip2:
    case config::VariableKind::kSplit:
      return Origin::kComputed;
  }
  return Origin::kBuiltin;
}

bool Variables::cacheable(config::VariableSlot slot) const {
  return bound_[static_cast<size_t>(slot)].cacheable;
}

bool Variables::depends_on_identity(config::VariableSlot slot) const {
  return bound_[static_cast<size_t>(slot)].depends_on_identity;
}

}  // namespace framewall::exchange
