// Settings that administrators have changed, and who did it when. What is not here is at its
// default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/store/database.h"

namespace framewall::backend::store {

struct StoredSetting {
  std::string key;
  std::string value;  // JSON
  int64_t changed = 0;
  std::string changed_by;  // user id
};

Result<std::vector<StoredSetting>> ListSettings(Connection& db);
Result<std::optional<StoredSetting>> FindSetting(Connection& db, std::string_view key);
// Both are audited; what was so already is no change.
Status SetSetting(Connection& db, const StoredSetting& setting);
Status ResetSetting(Connection& db, std::string_view key, std::string_view user, int64_t now);

struct SettingChange {
  int64_t position = 0;  // rising
  int64_t at = 0;
  std::string key;
  std::string user;
  std::optional<std::string> before;  // JSON; nothing: the default
  std::optional<std::string> after;
};
// Latest first, those behind a position (0: from the latest); of one key, or of all (empty).
Result<std::vector<SettingChange>> ListSettingChanges(Connection& db, std::string_view key,
                                                      int64_t behind, int64_t limit);

}  // namespace framewall::backend::store
