#include "backend/llm/model_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "backend/base/time.h"
#include "backend/llm/answer_cache.h"
#include "backend/llm/make_provider.h"
#include "backend/llm/meter.h"
#include "backend/llm/routed_completion.h"
#include "backend/llm/routed_embedding.h"

namespace framewall::backend::llm {
namespace {

struct Held {
  std::unique_ptr<Provider> provider;
  Breaker breaker;
};

struct Route {
  std::vector<Target> targets;
  bool by_weight = false;
  bool cache = false;
  Patience patience;
};

class RoutedModels final : public Models {
 public:
  RoutedModels(event::EventLoop& loop, const Settings& settings, Meter& meter, RecordUsage record,
               PromptLog* prompts)
      : loop_(loop),
        record_(std::move(record)),
        prompts_(prompts),
        meter_(meter),
        cache_(settings.llm_cache_octets) {}

  Status AddProvider(const Settings::Provider& settings) {
    if (settings.name.empty()) return OperatorError("providers: one has no name");
    FW_ASSIGN(auto provider, MakeProvider(loop_, settings));
    const auto [at, is_new] = providers_.try_emplace(
        settings.name,
        Held{std::move(provider),
             Breaker(settings.failures, std::chrono::milliseconds(settings.pause_ms))});
    if (!is_new) {
      return OperatorError(fmt::format("providers: \"{}\" is there twice", settings.name));
    }
    return OkStatus();
  }

  Status AddModel(const Settings::Model& settings) {
    if (settings.name.empty()) return OperatorError("models: one has no name");
    std::vector<Settings::Target> targets = settings.targets;
    if (!settings.provider.empty()) {
      targets.insert(targets.begin(), {settings.provider, settings.provider_model});
    }
    if (targets.empty()) {
      return OperatorError(fmt::format("models: \"{}\" has no provider", settings.name));
    }
    Route route;
    route.by_weight = settings.by_weight;
    route.cache = settings.cache;
    route.patience = {std::chrono::milliseconds(settings.first_token_ms),
                      std::chrono::milliseconds(settings.between_tokens_ms), settings.retries};
    for (const Settings::Target& target : targets) {
      const auto held = providers_.find(target.provider);
      if (held == providers_.end()) {
        return OperatorError(fmt::format("models: \"{}\": provider \"{}\" is not defined",
                                         settings.name, target.provider));
      }
      if (target.weight < 1) {
        return OperatorError(
            fmt::format("models: \"{}\": a weight has to be 1 or more", settings.name));
      }
      route.targets.push_back({held->second.provider.get(), &held->second.breaker, target.provider,
                               target.model.empty() ? settings.name : target.model, target.weight});
    }
    if (!routes_.try_emplace(settings.name, std::move(route)).second) {
      return OperatorError(fmt::format("models: \"{}\" is there twice", settings.name));
    }
    models_.push_back({settings.name, targets.front().provider, UnixMilliseconds() / 1000});
    return OkStatus();
  }

  const std::vector<Model>& all() const override { return models_; }

  std::vector<ProviderState> provider_states() const override {
    std::vector<ProviderState> states;
    for (const auto& [name, held] : providers_) states.push_back({name, held.breaker.open()});
    return states;
  }

  std::unique_ptr<Completion> Complete(const CompletionRequest& request,
                                       CompletionEvents* events) override {
    const auto found = routes_.find(request.model);
    if (found == routes_.end()) return nullptr;
    const Route& route = found->second;
    const auto pay = [&](CompletionEvents* to) {
      const auto start = [this, &route](CompletionRequest admitted, CompletionEvents* whom) {
        return CompleteAdmitted(route, std::move(admitted), whom);
      };
      return CompleteMetered(loop_, meter_, record_, request, start, to);
    };
    if (prompts_ == nullptr) return pay(events);
    return CompleteLogged(*prompts_, request, pay, events);
  }

  std::unique_ptr<Completion> Embed(const EmbeddingRequest& request, EmbeddingDone done) override {
    const auto found = routes_.find(request.model);
    if (found == routes_.end()) return nullptr;
    const auto pay = [&](EmbeddingDone to) {
      const auto start = [this, &route = found->second](EmbeddingRequest admitted,
                                                        EmbeddingDone then) {
        return EmbedRouted(loop_, InOrder(route), route.patience, std::move(admitted),
                           std::move(then));
      };
      return EmbedMetered(loop_, meter_, record_, request, start, std::move(to));
    };
    if (prompts_ == nullptr) return pay(std::move(done));
    return EmbedLogged(*prompts_, request, pay, std::move(done));
  }

 private:
  std::unique_ptr<Completion> CompleteAdmitted(const Route& route, CompletionRequest request,
                                               CompletionEvents* events) {
    std::string key = route.cache ? AnswerCache::KeyOf(request) : std::string();
    const auto ask = [&](CompletionEvents* to) {
      return CompleteRouted(loop_, InOrder(route), route.patience, std::move(request), to);
    };
    if (key.empty()) return ask(events);
    if (auto answer = cache_.Find(key)) return CompleteFromCache(loop_, std::move(answer), events);
    return CompleteAndKeep(cache_, std::move(key), ask, events);
  }

  // As they are, or drawn by weight, without putting back.
  std::vector<const Target*> InOrder(const Route& route) {
    std::vector<const Target*> order;
    for (const Target& target : route.targets) order.push_back(&target);
    if (!route.by_weight) return order;
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      int64_t sum = 0;
      for (size_t j = i; j < order.size(); ++j) sum += order[j]->weight;
      int64_t draw = std::uniform_int_distribution<int64_t>(0, sum - 1)(random_);
      size_t chosen = i;
      while (draw >= order[chosen]->weight) draw -= order[chosen++]->weight;
      std::swap(order[i], order[chosen]);
    }
    return order;
  }

  event::EventLoop& loop_;
  const RecordUsage record_;
  PromptLog* const prompts_;
  Meter& meter_;
  AnswerCache cache_;
  std::map<std::string, Held, std::less<>> providers_;
  std::map<std::string, Route, std::less<>> routes_;
  std::vector<Model> models_;
  std::minstd_rand random_{std::random_device()()};
};

}  // namespace

Result<std::unique_ptr<Models>> MakeModels(event::EventLoop& loop, const Settings& settings,
                                           Meter& meter, RecordUsage record, PromptLog* prompts) {
  auto models = std::make_unique<RoutedModels>(loop, settings, meter, std::move(record), prompts);
  for (const Settings::Provider& provider : settings.providers) {
    FW_TRY(models->AddProvider(provider));
  }
  for (const Settings::Model& model : settings.models) FW_TRY(models->AddModel(model));
  return std::unique_ptr<Models>(std::move(models));
}

}  // namespace framewall::backend::llm
