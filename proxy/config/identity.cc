#include "proxy/config/identity.h"

namespace framewall::config {
namespace {

class Spread {
 public:
  explicit Spread(Config& config) : config_(config), variables_(config.variables) {}

  void Run() {
    do {
      changed_ = false;
      Computed();
      for (const auto& server : config_.http.servers) Visit(server->root);
    } while (changed_);
  }

 private:
  bool Depends(const Template& text) const { return DependsOnIdentity(text, variables_); }
  bool IsMarked(VariableSlot slot) const {
    return slot != kNoVariable && variables_.names()[static_cast<size_t>(slot)].is_identity;
  }
  void Mark(VariableSlot slot) {
    if (slot == kNoVariable || IsMarked(slot)) return;
    variables_.MarkIdentity(slot);
    changed_ = true;
  }
  void MarkCaptures(const RegexUse& regex) {
    for (const VariableSlot slot : regex.capture_slots) Mark(slot);
  }

  void Computed() {
    for (size_t i = 0; i < variables_.names().size(); ++i) {
      const VariableName& name = variables_.names()[i];
      const auto index = static_cast<size_t>(name.index);
      bool depends = name.kind == VariableKind::kToken;
      if (name.kind == VariableKind::kMap) depends = MapDepends(config_.http.maps[index]);
      if (name.kind == VariableKind::kGeo) depends = Depends(config_.http.geos[index].address);
      if (name.kind == VariableKind::kGeoip2) {
        const auto& source = config_.http.geoip2_variables[index].source;
        depends = source.has_value() && Depends(*source);
      }
      if (name.kind == VariableKind::kSplit) {
        depends = Depends(config_.http.split_clients[index].source);
      }
      if (depends) Mark(static_cast<VariableSlot>(i));
    }
  }

  bool MapDepends(const MapConfig& map) {
    const bool source = Depends(map.source);
    bool depends = source || Depends(map.default_value);
    for (const auto* values : {&map.exact, &map.leading_wildcards, &map.trailing_wildcards}) {
      for (const auto& [text, value] : *values) depends = depends || Depends(value);
    }
    for (const MapConfig::RegexValue& one : map.regexes) {
      depends = depends || Depends(one.value);
      if (source) MarkCaptures(one.regex);
    }
    return depends;
  }

  void Visit(const LocationConfig& location) {
    for (const auto& [slot, value] : location.settings.auth_request_set) Mark(slot);
    VisitProgram(location.rewrite);
    if (location.limit_except) Visit(*location.limit_except);
    for (const auto& inner : location.locations) Visit(*inner);
  }

  // `set` runs before anybody is verified; marked all the same, since a later round of a redirect
  // may run it again.
  void VisitProgram(const RewriteProgram& program) {
    for (const RewriteInstruction& one : program) {
      if (one.kind == RewriteInstruction::Kind::kSet && Depends(one.replacement)) {
        Mark(one.variable);
      }
      if (one.kind == RewriteInstruction::Kind::kIf && IsMarked(one.condition.variable)) {
        MarkCaptures(one.condition.regex);
      }
      VisitProgram(one.block);
      if (one.location) Visit(*one.location);
    }
  }

  Config& config_;
  VariableScope& variables_;
  bool changed_ = false;
};

}  // namespace

bool IsIdentityName(std::string_view name) {
  return name.starts_with("jwt_claim_") || name.starts_with("jwt_header_") || name == "jwt_payload";
}

void SpreadIdentity(Config& config) { Spread(config).Run(); }

bool DependsOnIdentity(const Template& text, const VariableScope& variables) {
  for (const TemplatePart& part : text.parts) {
    if (part.variable != kNoVariable &&
        variables.names()[static_cast<size_t>(part.variable)].is_identity) {
      return true;
    }
  }
  return false;
}

}  // namespace framewall::config
