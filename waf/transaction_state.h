// What a Transaction holds. For the .cc files of this room alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "waf/engine_state.h"
#include "waf/library.h"
#include "waf/rule_match.h"
#include "waf/rule_set_state.h"
#include "waf/transaction.h"
#include "waf/transaction_mask.h"

namespace framewall::waf {

enum class TransactionStage {
  kNew,
  kConnection,
  kUri,
  kRequestHeaders,
  kRequestBodyPieces,
  kRequestBody,
  kResponseHeaders,
  kResponseBodyPieces,
  kResponseBody,
  kLogged,
};

// The library keeps pieces as they come while they fit and drops whole pieces
// that do not; this keeps exactly the first `limit` bytes.
struct BodyRoom {
  std::uint64_t limit = 0;  // 0: none
  std::uint64_t held = 0;
  bool cut = false;

  std::size_t Take(std::size_t size) {
    std::size_t taken = size;
    if (limit > 0 && size > limit - held) {
      taken = static_cast<std::size_t>(limit - held);
      cut = true;
    }
    held += taken;
    return taken;
  }
  bool Exceeds(std::size_t size) const { return limit > 0 && size > limit - held; }
};

struct Transaction::State {
  State(Engine::State& engine, std::shared_ptr<const RuleSet> rule_set, std::string unique_id,
        TransactionListener* hearer)
      : rules(std::move(rule_set)),
        listener(hearer),
        library(&engine.library, rules->state_->rules.get(), unique_id.data(), &hearing) {
    request_room.limit = rules->request_body_limit();
    response_room.limit = rules->response_body_limit();
  }

  // Aborts where `to` cannot follow what was.
  void Advance(TransactionStage to, bool repeats = false);

  // What the library has decided since it was last asked.
  Decision Outcome(int phase);
  // The rules did not come to their end: nothing is known of the exchange.
  Decision Overrun(int phase);
  // Takes secrets out of what is said of an interruption.
  void MaskInterruption(Decision* decision);
  // A refusal of our own, with a line for the error log like the library's.
  Decision Refuse(int phase, int status, std::string message);
  Decision Append(std::span<const std::byte> piece, BodyRoom& room,
                  std::optional<BodyLimitAction> limit_action, bool is_request);

  std::shared_ptr<const RuleSet> rules;
  TransactionListener* listener;
  RuleMessageHearing hearing{listener, &mask};
  NotedTransaction library;
  TransactionMask mask{library};
  TransactionStage stage = TransactionStage::kNew;
  std::optional<Decision> interruption;
  BodyRoom request_room;
  BodyRoom response_room;
};

}  // namespace framewall::waf
