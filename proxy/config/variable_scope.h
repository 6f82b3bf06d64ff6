// The names of all variables a configuration uses or defines, numbered.
//
// A name is *referenced* by templates and *defined* by set, map, geo, split_clients, named
// captures, auth_request_set and the like. After the build every referenced name must be defined or
// built in (the exchange room says which are, see VariableCatalog), else `unknown "x" variable`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

// Implemented above by exchange/variables: the built-in names ("uri") and families ("arg_").
class VariableCatalog {
 public:
  virtual ~VariableCatalog() = default;
  virtual bool IsBuiltin(std::string_view name) const = 0;
  // May `set` overwrite it ($args, $limit_rate)?
  virtual bool IsChangeable(std::string_view name) const = 0;
};

enum class VariableKind : uint8_t {
  kReferenced,  // nobody defined it in the configuration: must be built in
  kSet,         // set, auth_request_set, named captures: a value per exchange
  kMap,         // computed by maps[index]
  kGeo,         // computed by geos[index]
  kGeoip2,      // computed by geoip2_variables[index]
  kSplit,       // computed by split_clients[index]
  kToken,       // of a verified token: token_variables[index]
};

struct VariableName {
  std::string name;  // without '$', lower case as nginx has it
  VariableKind kind = VariableKind::kReferenced;
  int index = -1;        // in the list of its kind: maps, geos, token_variables
  SourceLocation first;  // first reference or definition, for errors
  // Says who the client is, and is empty until the access phase has verified it: $jwt_claim_NAME,
  // what auth_request_set fills, and every variable that is made of these (config/identity).
  bool is_identity = false;
};

class VariableScope {
 public:
  VariableSlot Reference(std::string_view name, const SourceLocation& at);
  VariableSlot Define(std::string_view name, VariableKind kind, int index,
                      const SourceLocation& at);
  void MarkIdentity(VariableSlot slot) { names_[static_cast<size_t>(slot)].is_identity = true; }
  const std::vector<VariableName>& names() const { return names_; }

 private:
  std::vector<VariableName> names_;
  std::map<std::string, VariableSlot, std::less<>> slots_;
};

}  // namespace framewall::config
