// Echo: a stand-in without any model, which says so and repeats what it was told, word by word, so
// that a house without a model server has something to stream.
#pragma once

#include <chrono>
#include <memory>

#include "backend/llm/provider.h"
#include "proxy/event/loop.h"

namespace framewall::backend::llm {

class EchoProvider final : public Provider {
 public:
  // `loop` outlives it and its completions. `pause` is between words.
  explicit EchoProvider(event::EventLoop& loop,
                        std::chrono::milliseconds pause = std::chrono::milliseconds(20))
      : loop_(loop), pause_(pause) {}

  std::string_view kind() const override { return "echo"; }
  std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                       CompletionEvents* events) override;

 private:
  event::EventLoop& loop_;
  const std::chrono::milliseconds pause_;
};

// What it says: in front of the last turn of a user.
inline constexpr std::string_view kEchoPreamble = "This is an echo, no model: ";

}  // namespace framewall::backend::llm
