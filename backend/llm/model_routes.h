// The models of the settings: names that clients use, each with the providers that answer for it.
//
//   client's name ─► log, where one is asked for ─► meter ─► cache ─► provider by order or weight
//   ─► the next, before the first piece
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/llm/meter.h"
#include "backend/llm/metered_completion.h"
#include "backend/llm/prompt_log.h"
#include "backend/llm/provider.h"
#include "backend/settings/settings.h"
#include "proxy/base/result.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

// An error names what is wrong with the settings. `record` is called for each request that was let
// in; `prompts` may be null. `loop`, `meter` and `prompts` outlive the result, and the result its
// completions.
Result<std::unique_ptr<Models>> MakeModels(event::EventLoop& loop, const Settings& settings,
                                           Meter& meter, RecordUsage record,
                                           PromptLog* prompts = nullptr);

}  // namespace framewall::backend::llm
