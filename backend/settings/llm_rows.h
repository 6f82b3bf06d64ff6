// The settings of models: who answers, under which names, and how much anybody may ask.
#pragma once

#include <vector>

#include "backend/settings/rows.h"

namespace framewall::backend {

std::vector<SettingRow> LlmRows();
void CheckLlm(const Settings& settings, Complaints& complaints);

}  // namespace framewall::backend
