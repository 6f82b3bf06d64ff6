// The schema, numbered and forward only. A migration that was released is never changed.
#pragma once

#include <span>
#include <string_view>

namespace framewall::backend::store {

struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;  // several statements
};

// In order, from 1 without gaps.
std::span<const Migration> Migrations();

}  // namespace framewall::backend::store
