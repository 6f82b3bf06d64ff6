// The pieces of the catalogue of built-in variables, and how a getter fills in its value.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/exchange/variables.h"

namespace framewall::exchange {

std::span<const BuiltinVariable> RequestVariables();
std::span<const BuiltinVariable> ConnectionVariables();
std::span<const BuiltinVariable> ResponseVariables();
std::span<const BuiltinVariable> TlsVariables();
std::span<const BuiltinVariable> SocketVariables();
std::span<const BuiltinVariable> IdentityVariables();

// `text` outlives the exchange's use of it: in its arena, its configuration, or static.
inline void SetView(Value& value, std::string_view text) {
  value = Value{Value::State::kPresent, text};
}
inline void SetCopy(Exchange& exchange, Value& value, std::string_view text) {
  SetView(value, exchange.arena.Copy(text));
}
inline void SetAbsent(Value& value) { value = Value{Value::State::kAbsent, {}}; }
// Empty text counts as absent, as most of nginx's variables have it.
inline void SetViewOrAbsent(Value& value, std::string_view text) {
  if (text.empty()) {
    SetAbsent(value);
  } else {
    SetView(value, text);
  }
}

// Does a field's name, lower-cased and with '-' as '_', equal the variable's `suffix`?
bool FieldMatchesSuffix(std::string_view field_name, std::string_view suffix);
// $http_NAME and its kin: all values of that name, joined by `separator`.
void SetFromFields(Exchange& exchange, const http::HeaderMap& fields, std::string_view suffix,
                   std::string_view separator, Value& value);

}  // namespace framewall::exchange
