#include "backend/llm/meter.h"

#include <optional>

namespace framewall::backend::llm {
namespace {

class LocalMeter final : public Meter {
 public:
  LocalMeter(const MeterLimits& of_user, const MeterLimits& of_key) : ledger_(of_user, of_key) {}

  void Enter(const Payer& payer, int64_t prompt_tokens,
             std::function<void(const Problem*)> done) override {
    std::optional<Problem> problem = ledger_.Impossible(payer, prompt_tokens);
    if (!problem) problem = ledger_.Refusal(payer, prompt_tokens);
    if (problem) return done(&*problem);
    ledger_.Begin(payer);
    ledger_.Count(payer, prompt_tokens);
    done(nullptr);
  }
  void Leave(const Payer& payer) override { ledger_.End(payer); }
  bool Spend(const Payer& payer, int64_t tokens) override { return ledger_.Spend(payer, tokens); }
  void Restore(const std::string& user, int64_t requests, int64_t tokens) override {
    ledger_.Restore(user, requests, tokens);
  }

 private:
  Ledger ledger_;
};

}  // namespace

std::unique_ptr<Meter> MakeLocalMeter(const MeterLimits& of_user, const MeterLimits& of_key) {
  return std::make_unique<LocalMeter>(of_user, of_key);
}

}  // namespace framewall::backend::llm
