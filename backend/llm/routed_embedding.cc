#include "backend/llm/routed_embedding.h"

#include <utility>

#include "backend/llm/fault.h"
#include "proxy/event/timer.h"

namespace framewall::backend::llm {
namespace {

class RoutedEmbedding final : public Completion {
 public:
  RoutedEmbedding(event::EventLoop& loop, std::vector<const Target*> targets,
                  const Patience& patience, EmbeddingRequest request, EmbeddingDone done)
      : loop_(loop),
        targets_(std::move(targets)),
        patience_(patience),
        request_(std::move(request)),
        done_(std::move(done)),
        silence_(loop,
                 [this] {
                   Failed(Fault(504, "provider_timeout",
                                "The model's provider did not answer in time."));
                 }),
        next_ask_(loop, [this] { Ask(); }) {
    next_ask_.Set(std::chrono::milliseconds(0));
  }

  ~RoutedEmbedding() override {
    if (current_ != nullptr) current_->breaker->Undecided();
  }

  // One answer, all at once: there is nothing to be held back.
  void Pause() override {}
  void Resume() override {}

 private:
  void Ask() {
    while (next_ < targets_.size()) {
      const Target* target = targets_[next_++];
      if (!target->breaker->Admit(CachedNow().steady)) {
        if (last_.code.empty()) {
          last_ = Fault(503, "provider_unavailable",
                        "The model's provider has failed lately and is left alone for a while.", 5);
        }
        continue;
      }
      request_.model = target->model;
      current_ = target;
      work_ = target->provider->Embed(
          request_, {[this](Embeddings embeddings) { Done(std::move(embeddings)); },
                     [this](const Problem& problem) { Failed(problem); }});
      if (work_ != nullptr) return silence_.Set(patience_.first_piece);
      std::exchange(current_, nullptr)->breaker->Undecided();
      last_ = Fault(400, "unsupported_model", "The model makes no vectors.");
    }
    const Problem last = last_;
    done_.failed(last);
  }

  void Done(Embeddings embeddings) {
    if (current_ == nullptr) return;
    std::exchange(current_, nullptr)->breaker->Succeeded();
    silence_.Cancel();
    loop_.Retire(std::move(work_));
    done_.done(std::move(embeddings));
  }

  void Failed(const Problem& problem) {
    if (current_ == nullptr) return;
    Breaker* breaker = std::exchange(current_, nullptr)->breaker;
    silence_.Cancel();
    loop_.Retire(std::move(work_));
    last_ = problem;
    if (IsProvidersFault(problem)) {
      breaker->Failed(CachedNow().steady);
    } else {
      breaker->Succeeded();
    }
    if (!IsWorthAnother(problem)) next_ = targets_.size();
    next_ask_.Set(std::chrono::milliseconds(0));
  }

  event::EventLoop& loop_;
  const std::vector<const Target*> targets_;
  const Patience patience_;
  EmbeddingRequest request_;
  const EmbeddingDone done_;
  size_t next_ = 0;
  const Target* current_ = nullptr;
  std::unique_ptr<Completion> work_;
  Problem last_ = Fault(503, "", "No provider of this model can be asked now.");
  event::Timer silence_;
  event::Timer next_ask_;
};

}  // namespace

std::unique_ptr<Completion> EmbedRouted(event::EventLoop& loop, std::vector<const Target*> targets,
                                        const Patience& patience, EmbeddingRequest request,
                                        EmbeddingDone done) {
  return std::make_unique<RoutedEmbedding>(loop, std::move(targets), patience, std::move(request),
                                           std::move(done));
}

}  // namespace framewall::backend::llm
