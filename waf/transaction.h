// One inspection: an exchange (or a message) walked through the phases of its
// rule set.
//
//   ProcessConnection ─ ProcessUri ─ ProcessRequestHeaders
//     ─ AppendRequestBody* ─ ProcessRequestBody
//     ─ ProcessResponseHeaders ─ AppendResponseBody* ─ ProcessResponseBody
//     ─ ProcessLogging
//
// Phases may be left out but never repeated or taken backwards, and after a
// decision that interrupts only ProcessLogging may follow; anything else is a
// bug of the caller and aborts. ProcessLogging runs once, later calls do
// nothing, so whoever ends the exchange may call it: one record a transaction,
// also where error_page or a redirect makes the answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "waf/decision.h"
#include "waf/engine.h"
#include "waf/rule_set.h"
#include "waf/secret_fields.h"
#include "waf/views.h"

namespace framewall::waf {

class TransactionMask;

// A rule that matched and asked to be logged, without interrupting.
class RuleMatch {
 public:
  std::int64_t rule_id = 0;
  int phase = 0;
  int severity = 0;

  // The line as nginx's connector writes it at level info: "ModSecurity: Warning.
  // Matched ...", without secrets. Made on demand, since it costs more than many a rule; valid
  // only inside OnRuleMatch.
  std::string LogLine() const;

 private:
  friend class Transaction;
  friend struct RuleMatchAccess;
  const void* message_ = nullptr;
  TransactionMask* mask_ = nullptr;
};

// Who hears of a transaction. Called from inside the phases; must not call back.
class TransactionListener {
 public:
  virtual ~TransactionListener() = default;
  virtual void OnRuleMatch(const RuleMatch& match) = 0;
  // An audit record was due and could not be written: an error-log line and a metric.
  virtual void OnAuditFailure(std::string_view message) = 0;
};

class Transaction {
 public:
  // `rules` is kept alive by the transaction; `listener` outlives it, or is null.
  // `id` is the unique id in records, log lines and UNIQUE_ID; where it is also a
  // file name (concurrent audit log), anything but letters, digits and "._-@" becomes '_'.
  Transaction(Engine& engine, std::shared_ptr<const RuleSet> rules, std::string_view id,
              TransactionListener* listener);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // What is masked (***) in audit records, in RuleMatch's and Decision's lines. Before the first
  // phase; unset, it is the default fields. What `fields` views outlives the transaction.
  void SetSecretFields(const SecretFields& fields);

  // --- the request
  Decision ProcessConnection(const RequestView& request);
  Decision ProcessUri(const RequestView& request);
  Decision ProcessRequestHeaders(const RequestView& request);
  // The three above in their order, ending at the first that interrupts.
  Decision ProcessRequestHead(const RequestView& request);

  // Feeds the body, any split. Past SecRequestBodyLimit: kReject interrupts,
  // kProcessPartial keeps what fits and ignores the rest (request_body_cut()).
  Decision AppendRequestBody(std::span<const std::byte> piece);
  // Rules of phase 2; also for a request without a body.
  Decision ProcessRequestBody();

  // --- the response
  Decision ProcessResponseHeaders(const ResponseView& response);
  Decision AppendResponseBody(std::span<const std::byte> piece);
  // Rules of phase 4. The library runs them only where the type is inspected.
  Decision ProcessResponseBody();

  // --- the end
  // Rules of phase 5, then the audit record if one is due. `sent` is the answer
  // that left, where phase 3 did not see it (a denial's error page); its status
  // does not replace that of an interrupting decision.
  void ProcessLogging(const ResponseView* sent = nullptr);

  // --- what holds for this transaction, after ctl: actions
  EngineMode engine_mode() const;
  // SecRequestBodyAccess or ctl:requestBodyAccess; final after the request headers.
  bool wants_request_body() const;
  // Access is on and the Content-Type given with the response headers is one of
  // those inspected; final after ProcessResponseHeaders.
  bool wants_response_body() const;
  bool request_body_cut() const;
  bool response_body_cut() const;
  bool logged() const;
  std::string_view id() const;
  const RuleSet& rules() const;
  // The decision that interrupted, if one did.
  const std::optional<Decision>& interruption() const;

 private:
  friend class MessageInspection;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace framewall::waf
