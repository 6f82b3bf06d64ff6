// One request to the providers of a model, one after the other until one answers.
//
//   asking ──first piece──► answering ──end──► done
//     ▲ │ failed
//     └─┘ the next provider, or a round again after a short pause; never after the first piece
//
// Silence is a failure too: until the first piece, and between two of them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "backend/llm/breaker.h"
#include "backend/llm/provider.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

struct Target {
  Provider* provider = nullptr;
  Breaker* breaker = nullptr;
  std::string provider_name;
  std::string model;  // as the provider calls it
  int weight = 1;
};

struct Patience {
  std::chrono::milliseconds first_piece{120'000};
  std::chrono::milliseconds between_pieces{60'000};
  int more_rounds = 1;  // through all providers, where they could not be reached
};

// `targets` in the order to be tried, not empty; they and `events` outlive it.
std::unique_ptr<Completion> CompleteRouted(event::EventLoop& loop,
                                           std::vector<const Target*> targets,
                                           const Patience& patience, CompletionRequest request,
                                           CompletionEvents* events);

// A completion that only fails, from the loop.
std::unique_ptr<Completion> CompleteWithError(event::EventLoop& loop, Problem problem,
                                              CompletionEvents* events);

// Is another provider worth a try after this?
bool IsWorthAnother(const Problem& problem);
// Is it the provider that is ill? For the breaker.
bool IsProvidersFault(const Problem& problem);

}  // namespace framewall::backend::llm
