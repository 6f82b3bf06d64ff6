// Requests and tokens by user, day and model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"

namespace framewall::backend::store {

struct Usage {
  std::string user;
  std::string day;  // 2026-11-21, UTC
  std::string model;
  int64_t requests = 0;
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

// The day of a point in time, milliseconds since 1970.
std::string UtcDay(int64_t unix_milliseconds);

// Adds to what is there. kRefused where there is no such user.
Status AddUsage(Connection& db, const Usage& used);

struct UsageWish {
  std::string user;  // empty: of all
  std::string from;  // first and last day, both included
  std::string to;
  std::string behind;  // UsagePosition of the last row of the page before; empty: from the latest
  int64_t limit = 50;
};
// Latest days first, then by user and model.
Result<std::vector<Usage>> ListUsage(Connection& db, const UsageWish& wish);
std::string UsagePosition(const Usage& usage);
// One user's sum over all models, from `from` to `to`, both included.
Result<Usage> SumUsage(Connection& db, std::string_view user, std::string_view from,
                       std::string_view to);
// Of every user by day, over all models, from a day on. `model` is empty.
Result<std::vector<Usage>> SumUsageByUser(Connection& db, std::string_view from);

}  // namespace framewall::backend::store
