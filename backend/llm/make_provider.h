// A provider from its settings: the list of kinds.
#pragma once

#include <memory>

#include "backend/llm/provider.h"
#include "backend/settings/settings.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

// An error names the setting. `loop` outlives it.
Result<std::unique_ptr<Provider>> MakeProvider(event::EventLoop& loop,
                                               const Settings::Provider& settings);

}  // namespace framewall::backend::llm
