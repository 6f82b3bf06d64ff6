// A completion that is paid for: let in by the meter, counted as it streams, cut where the budget
// ends, and written down once, however it ends.
//
// Tokens are counted here as they come, by estimate; what the provider reports at the end takes
// its place. Work that was cancelled or broke off costs what was streamed, and its prompt.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backend/llm/meter.h"
#include "backend/llm/provider.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

// One request of `model`, as clients call it.
using RecordUsage =
    std::function<void(const Payer& payer, const std::string& model, const Usage& usage)>;

// Makes what is to be paid for, once the meter has let it in.
using StartCompletion =
    std::function<std::unique_ptr<Completion>(CompletionRequest request, CompletionEvents* events)>;

// `loop`, `meter`, `record` and `events` outlive it.
std::unique_ptr<Completion> CompleteMetered(event::EventLoop& loop, Meter& meter,
                                            const RecordUsage& record, CompletionRequest request,
                                            StartCompletion start, CompletionEvents* events);

// The same for vectors: their cost is their inputs.
using StartEmbedding =
    std::function<std::unique_ptr<Completion>(EmbeddingRequest request, EmbeddingDone done)>;
std::unique_ptr<Completion> EmbedMetered(event::EventLoop& loop, Meter& meter,
                                         const RecordUsage& record, EmbeddingRequest request,
                                         StartEmbedding start, EmbeddingDone done);

Problem TokenBudgetExceeded();

}  // namespace framewall::backend::llm
