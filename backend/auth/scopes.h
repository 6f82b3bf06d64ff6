// What an API key may be allowed to do: one list for the whole backend. Routes name one of these
// (server::Access::scope); a route without one takes no keys.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace framewall::backend::auth {

struct Scope {
  std::string_view name;
  std::string_view allows;
};

inline constexpr std::array kScopes = {
    Scope{"me:read", "who the key belongs to"},
    Scope{"conversations:read", "list, read and search conversations and their messages"},
    Scope{"conversations:write", "make, change and delete conversations and their messages"},
    Scope{"rooms:read", "list rooms, read and search their messages"},
    Scope{"rooms:write", "make, change and delete rooms, memberships and messages"},
    Scope{"chat", "open the chat socket"},
    Scope{"llm", "ask models under /v1/, list them"},
    Scope{"usage:read", "what was used"},
};

constexpr bool IsScope(std::string_view name) {
  return std::any_of(kScopes.begin(), kScopes.end(),
                     [name](const Scope& scope) { return scope.name == name; });
}

}  // namespace framewall::backend::auth
