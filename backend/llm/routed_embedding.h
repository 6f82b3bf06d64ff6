// Vectors from the providers of a model, one after the other until one answers.
#pragma once

#include <memory>
#include <vector>

#include "backend/llm/provider.h"
#include "backend/llm/routed_completion.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

// As CompleteRouted; `patience.first_piece` is for the whole answer.
std::unique_ptr<Completion> EmbedRouted(event::EventLoop& loop, std::vector<const Target*> targets,
                                        const Patience& patience, EmbeddingRequest request,
                                        EmbeddingDone done);

}  // namespace framewall::backend::llm
