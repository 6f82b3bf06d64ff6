#include "waf/transaction.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "waf/rule_match.h"
#include "waf/transaction_state.h"

namespace framewall::waf {
namespace {

using Stage = TransactionStage;

[[noreturn]] void OrderViolated(TransactionStage from, TransactionStage to) {
  std::fprintf(stderr, "waf::Transaction: stage %d cannot follow stage %d\n", static_cast<int>(to),
               static_cast<int>(from));
  std::abort();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (ToLower(text[i]) != lower[i]) return false;
  }
  return true;
}

}  // namespace

void Transaction::State::Advance(Stage to, bool repeats) {
  if (interruption || !(stage < to || (repeats && stage == to))) OrderViolated(stage, to);
  stage = to;
}

Decision Transaction::State::Outcome(int phase) {
  Decision decision;
  decision.phase = phase;
  if (library.m_it.disruptive == 0) [[likely]] {
    constexpr auto kNone = lib::actions::disruptive::AllowType{};
    if (library.m_allowType != kNone) decision.action = Action::kAllow;
    return decision;
  }
  if (library.overrun) return Overrun(phase);
  lib::ModSecurityIntervention_t taken;
  lib::intervention::clean(&taken);
  library.intervention(&taken);

  Interruption& note = library.interruption;
  decision.action = Action::kDeny;
  decision.status = taken.status;
  decision.rule_id = note.rule_id;
  if (note.rule_id != 0) decision.phase = note.phase;
  decision.message = std::move(note.message);
  if (taken.log != nullptr) decision.log_line = taken.log;
  MaskInterruption(&decision);
  if (taken.url != nullptr) {
    decision.action = Action::kRedirect;
    decision.url = taken.url;
  } else if (decision.status == 200) {
    decision.status = 403;
  }
  if (note.drop) {
    decision.action = Action::kDrop;
    // ModSecurity 2's words; the library's say "with code".
    const std::string words = "Access denied with code " + std::to_string(taken.status);
    if (const auto at = decision.log_line.find(words); at != std::string::npos) {
      decision.log_line.replace(at, words.size(), "Access denied with connection close");
    }
  }
  lib::intervention::free(&taken);
  if (decision.log_line.empty()) decision.log_line = "(no log message was specified)";
  if (note.rule_id == 0) decision.message = decision.log_line;
  library.updateStatusCode(decision.status);
  interruption = decision;
  return decision;
}

void Transaction::State::MaskInterruption(Decision* decision) {
  const std::shared_ptr<lib::RuleMessage> message = std::move(library.interruption.rule_message);
  if (message == nullptr || !mask.masks_anything()) return;
  mask.MaskMessage(message.get());
  decision->message = message->m_message;
  if (decision->log_line.empty()) return;
  // As the library's actions and intervention() make it.
  decision->log_line = message->log(lib::RuleMessage::ClientLogMessageInfo, decision->status);
}

Decision Transaction::State::Overrun(int phase) {
  library.m_it.disruptive = 0;
  Decision decision;
  decision.phase = phase;
  if (library.getRuleEngineState() != lib::RulesSetProperties::EnabledRuleEngine) return decision;
  return Refuse(phase, 413, "inspection takes too long");
}

Decision Transaction::State::Refuse(int phase, int status, std::string message) {
  Decision decision;
  decision.action = Action::kDeny;
  decision.status = status;
  decision.phase = phase;
  decision.message = std::move(message);
  decision.log_line =
      "[client " + *library.m_clientIpAddress + "] ModSecurity: Access denied with code " +
      std::to_string(status) + " (phase " + std::to_string(phase) + "). " + decision.message +
      " [hostname \"" + *library.m_serverIpAddress + "\"] [uri \"" +
      *library.m_uri_no_query_string_decoded + "\"] [unique_id \"" + *library.m_id + "\"]";
  library.updateStatusCode(status);
  interruption = decision;
  return decision;
}

Transaction::Transaction(Engine& engine, std::shared_ptr<const RuleSet> rules, std::string_view id,
                         TransactionListener* listener)
    : state_(std::make_unique<State>(*engine.state_, std::move(rules), std::string(id), listener)) {
}

Transaction::~Transaction() = default;

void Transaction::SetSecretFields(const SecretFields& fields) { state_->mask.set_fields(fields); }

Decision Transaction::ProcessConnection(const RequestView& request) {
  state_->Advance(Stage::kConnection);
  for (const VariableView& variable : request.variables) {
    state_->library.m_collections.m_tx_collection->storeOrUpdateFirst(std::string(variable.name),
                                                                      std::string(variable.value));
  }
  state_->library.processConnection(
      std::string(request.client_address).c_str(), request.client_port,
      std::string(request.server_address).c_str(), request.server_port);
  return state_->Outcome(0);
}

Decision Transaction::ProcessUri(const RequestView& request) {
  state_->Advance(Stage::kUri);
  state_->library.processURI(std::string(request.target).c_str(),
                             std::string(request.method).c_str(),
                             std::string(request.http_version).c_str());
  return state_->Outcome(0);
}

Decision Transaction::ProcessRequestHeaders(const RequestView& request) {
  state_->Advance(Stage::kRequestHeaders);
  bool has_host = false;
  for (const HeaderView& header : request.headers) {
    has_host = has_host || SameIgnoringCase(header.name, "host");
    state_->library.addRequestHeader(Bytes(header.name), header.name.size(), Bytes(header.value),
                                     header.value.size());
  }
  if (!has_host && !request.hostname.empty()) {
    state_->library.m_variableServerName.set(
        std::string(request.hostname), static_cast<std::size_t>(state_->library.m_variableOffset));
  }
  state_->library.processRequestHeaders();
  return state_->Outcome(1);
}

Decision Transaction::ProcessRequestHead(const RequestView& request) {
  Decision decision = ProcessConnection(request);
  if (decision.interrupts()) return decision;
  decision = ProcessUri(request);
  if (decision.interrupts()) return decision;
  return ProcessRequestHeaders(request);
}

Decision Transaction::State::Append(std::span<const std::byte> piece, BodyRoom& room,
                                    std::optional<BodyLimitAction> limit_action, bool is_request) {
  if (room.cut) return {};
  const auto* data = reinterpret_cast<const unsigned char*>(piece.data());
  std::size_t size = piece.size();
  const bool refuses = limit_action == BodyLimitAction::kReject &&
                       library.getRuleEngineState() == lib::RulesSetProperties::EnabledRuleEngine;
  if (room.Exceeds(size) && !refuses) {
    auto& flag =
        is_request ? library.m_variableInboundDataError : library.m_variableOutboundDataError;
    flag.set("1", static_cast<std::size_t>(library.m_variableOffset));
  }
  if (!refuses) size = room.Take(size);
  if (is_request) {
    library.appendRequestBody(data, size);
  } else {
    library.appendResponseBody(data, size);
  }
  if (refuses) room.held += size;
  return Outcome(is_request ? 2 : 4);
}

Decision Transaction::AppendRequestBody(std::span<const std::byte> piece) {
  state_->Advance(Stage::kRequestBodyPieces, true);
  return state_->Append(piece, state_->request_room, state_->rules->request_body_limit_action(),
                        true);
}

Decision Transaction::ProcessRequestBody() {
  state_->Advance(Stage::kRequestBody);
  state_->library.processRequestBody();
  return state_->Outcome(2);
}

Decision Transaction::ProcessResponseHeaders(const ResponseView& response) {
  state_->Advance(Stage::kResponseHeaders);
  for (const HeaderView& header : response.headers) {
    state_->library.addResponseHeader(Bytes(header.name), header.name.size(), Bytes(header.value),
                                      header.value.size());
  }
  // The library compares the type byte by byte with SecResponseBodyMimeType.
  auto& type = state_->library.m_variableResponseContentType;
  if (!type.m_value.empty()) type.set(MediaType(type.m_value), 0);
  state_->library.processResponseHeaders(response.status, std::string(response.protocol));
  return state_->Outcome(3);
}

Decision Transaction::AppendResponseBody(std::span<const std::byte> piece) {
  state_->Advance(Stage::kResponseBodyPieces, true);
  if (!wants_response_body()) return {};
  return state_->Append(piece, state_->response_room, state_->rules->response_body_limit_action(),
                        false);
}

Decision Transaction::ProcessResponseBody() {
  state_->Advance(Stage::kResponseBody);
  state_->library.processResponseBody();
  return state_->Outcome(4);
}

void Transaction::ProcessLogging(const ResponseView* sent) {
  if (state_->stage == Stage::kLogged) return;
  if (sent != nullptr) {
    if (state_->stage < Stage::kResponseHeaders) {
      for (const HeaderView& header : sent->headers) {
        state_->library.addResponseHeader(Bytes(header.name), header.name.size(),
                                          Bytes(header.value), header.value.size());
      }
    }
    if (!state_->interruption) state_->library.updateStatusCode(sent->status);
  }
  state_->stage = Stage::kLogged;
  if (engine_mode() == EngineMode::kOff) return;
  state_->library.processLogging();
  const std::optional<AuditLog>& audit = state_->rules->state_->audit;
  std::string error;
  if (audit && !audit->Record(state_->library, state_->mask, &error) &&
      state_->listener != nullptr) {
    state_->listener->OnAuditFailure(error);
  }
}

EngineMode Transaction::engine_mode() const {
  switch (state_->library.getRuleEngineState()) {
    case lib::RulesSetProperties::DisabledRuleEngine:
      return EngineMode::kOff;
    case lib::RulesSetProperties::EnabledRuleEngine:
      return EngineMode::kOn;
    default:
      return EngineMode::kDetectionOnly;
  }
}

bool Transaction::wants_request_body() const {
  if (engine_mode() == EngineMode::kOff) return false;
  switch (state_->library.m_requestBodyAccess) {
    case lib::RulesSetProperties::TrueConfigBoolean:
      return true;
    case lib::RulesSetProperties::FalseConfigBoolean:
      return false;
    default:
      return state_->rules->inspects_request_bodies();
  }
}

bool Transaction::wants_response_body() const {
  return engine_mode() != EngineMode::kOff && state_->rules->inspects_response_bodies() &&
         state_->rules->InspectsResponseType(state_->library.m_variableResponseContentType.m_value);
}

bool Transaction::request_body_cut() const { return state_->request_room.cut; }
bool Transaction::response_body_cut() const { return state_->response_room.cut; }
bool Transaction::logged() const { return state_->stage == Stage::kLogged; }
std::string_view Transaction::id() const { return *state_->library.m_id; }
const RuleSet& Transaction::rules() const { return *state_->rules; }
const std::optional<Decision>& Transaction::interruption() const { return state_->interruption; }

std::string RuleMatch::LogLine() const {
  const auto* message = static_cast<const lib::RuleMessage*>(message_);
  if (mask_ == nullptr || !mask_->masks_anything()) return lib::RuleMessage::log(message);
  lib::RuleMessage masked(*message);
  mask_->MaskMessage(&masked);
  return lib::RuleMessage::log(&masked);
}

void ForwardRuleMessage(void* hearing, const void* message) {
  const auto& to = *static_cast<RuleMessageHearing*>(hearing);
  if (to.listener == nullptr) return;
  const auto& rule_message = *static_cast<const lib::RuleMessage*>(message);
  RuleMatch match;
  match.rule_id = rule_message.m_ruleId;
  match.phase = rule_message.m_phase;
  match.severity = rule_message.m_severity;
  RuleMatchAccess::SetMessage(match, message, to.mask);
  to.listener->OnRuleMatch(match);
}

}  // namespace framewall::waf
