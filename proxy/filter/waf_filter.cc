#include "proxy/filter/waf_filter.h"

#include <span>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/filter/body_inflater.h"
#include "proxy/filter/services.h"
#include "proxy/filter/waf_views.h"
#include "waf/transaction.h"

namespace framewall::filter {
namespace {

using exchange::Exchange;
using http::FieldId;

std::span<const std::byte> AsBytes(ByteView piece) {
  return std::as_bytes(std::span<const char>(piece.data(), piece.size()));
}

// Named, and not with a weight of 0.
bool AcceptsGzip(std::string_view accepted) {
  while (!accepted.empty()) {
    const size_t comma = accepted.find(',');
    const std::string_view one = Trim(accepted.substr(0, comma));
    accepted = comma == accepted.npos ? std::string_view() : accepted.substr(comma + 1);
    const size_t semicolon = one.find(';');
    if (!EqualsIgnoreCase(Trim(one.substr(0, semicolon)), "gzip")) continue;
    return semicolon == one.npos || one.substr(semicolon).find_first_of("123456789") != one.npos;
  }
  return false;
}

// Types whose pieces mean something before the end, if there is one.
bool IsStream(std::string_view type) {
  for (const std::string_view stream : {"text/event-stream", "multipart/x-mixed-replace",
                                        "application/x-ndjson", "application/grpc"}) {
    if (StartsWithIgnoreCase(type, stream)) return true;
  }
  return false;
}

// One transaction over one exchange.
//
//   head ─► [body] ─► (content) ─► response head ─► [response body, held] ─► log
//
// After an interruption only the log follows; what error_page makes is not judged again.
class WafFilter final : public Filter {
 public:
  WafFilter(Exchange& exchange, FilterServices& services, std::shared_ptr<const waf::RuleSet> rules)
      : exchange_(exchange),
        services_(services),
        settings_(exchange.settings().waf),
        rules_(std::move(rules)),
        log_(exchange, services),
        transaction_(*services.engine, rules_, TransactionId(exchange), &log_) {
    transaction_.SetSecretFields(SecretFieldsOf(exchange));
    exchange.waf_transaction_id = exchange.arena.Copy(transaction_.id());
  }

  ~WafFilter() override { ReleaseHeld(); }

  Verdict OnRequestHead(Exchange& exchange) override {
    const RuleVariables variables(exchange);
    const RequestViews views(exchange, variables);
    const Verdict verdict = Judge(transaction_.ProcessRequestHead(views.view()));
    if (verdict.kind != Verdict::Kind::kContinue) return verdict;
    return OpenRequestBody();
  }

  bool wants_request_body() const override {
    return stage_ == Stage::kRequest && !request_done_ && transaction_.wants_request_body() &&
           !transaction_.request_body_cut() && !request_unheard_ &&
           exchange_.framing.kind != http::BodyFraming::Kind::kNone;
  }

  Verdict OnRequestBody(Exchange&, ByteView piece) override {
    if (stage_ != Stage::kRequest || request_done_) return Verdict::Continue();
    if (request_inflater_ != nullptr) {
      inflated_.clear();
      switch (request_inflater_->Inflate(piece, inflated_)) {
        case BodyInflater::Outcome::kOk:
          break;
        case BodyInflater::Outcome::kBroken:
          return Refuse(400, "request body does not inflate as its Content-Encoding says");
        case BodyInflater::Outcome::kTooLarge:
          return Refuse(413, "request body inflates to more than waf_inflate_limit");
      }
      piece = inflated_;
    }
    if (!Hold(piece.size())) {
      if (!Fails(kNoRoom)) return Refuse(503, kNoRoom);
      request_unheard_ = true;
      return Verdict::Continue();
    }
    const Verdict verdict = Judge(transaction_.AppendRequestBody(AsBytes(piece)));
    if (verdict.kind != Verdict::Kind::kContinue) return verdict;
    if (transaction_.request_body_cut()) {
      exchange_.LogError(LogLevel::kNotice,
                         "ModSecurity: request body is over SecRequestBodyLimit, only its "
                         "beginning is inspected");
      return Verdict::Continue();
    }
    request_held_ += piece.size();
    if (request_held_ > settings_.request_hold_limit) {
      return Refuse(413, "request body exceeds waf_request_hold_limit");
    }
    return Verdict::Continue();
  }

  Verdict OnRequestEnd(Exchange&, const http::HeaderMap*) override {
    if (stage_ != Stage::kRequest || request_done_) return Verdict::Continue();
    request_done_ = true;
    // A piece of a body is no body: parsers would refuse it.
    const Verdict verdict =
        request_unheard_ ? Verdict::Continue() : Judge(transaction_.ProcessRequestBody());
    ReleaseHeld();
    // Not earlier: rewrites have found the last location by now.
    if (verdict.kind == Verdict::Kind::kContinue && rules_->inspects_response_bodies()) {
      KeepResponseReadable();
    }
    return verdict;
  }

  Verdict OnResponseHead(Exchange& exchange) override {
    if (stage_ != Stage::kRequest) return Verdict::Continue();
    stage_ = Stage::kResponse;
    request_done_ = true;
    std::vector<waf::HeaderView> headers = ViewsOf(exchange.response.fields);
    std::string length;
    if (exchange.content_length >= 0 && !exchange.response.fields.Has(FieldId::kContentLength)) {
      length = std::to_string(exchange.content_length);
      headers.push_back({"Content-Length", length});
    }
    waf::ResponseView view;
    view.status = exchange.response.status;
    view.protocol = "HTTP/1.1";
    view.headers = headers;
    const Verdict verdict = Judge(transaction_.ProcessResponseHeaders(view));
    if (verdict.kind != Verdict::Kind::kContinue) return verdict;
    return OpenResponseBody(exchange);
  }

  bool holds_response() const override { return holding_; }

  Verdict OnResponseBody(Exchange&, ByteView piece) override {
    if (!holding_) return Verdict::Continue();
    if (response_inflater_ != nullptr) {
      inflated_.clear();
      if (response_inflater_->Inflate(piece, inflated_) != BodyInflater::Outcome::kOk) {
        return Refuse(502, "response body does not inflate within waf_inflate_limit");
      }
    }
    const ByteView plain = response_inflater_ != nullptr ? ByteView(inflated_) : piece;
    if (!Hold(piece.size())) {
      if (!Fails(kNoRoom)) return Refuse(503, kNoRoom);
      return JudgeResponseBody();
    }
    const Verdict verdict = Judge(transaction_.AppendResponseBody(AsBytes(plain)));
    if (verdict.kind != Verdict::Kind::kContinue) return verdict;
    if (!transaction_.response_body_cut()) return Verdict::Continue();
    // Over SecResponseBodyLimit under ProcessPartial: the beginning is judged, then all passes.
    exchange_.LogError(
        LogLevel::kNotice,
        "ModSecurity: response body is over SecResponseBodyLimit, only its beginning "
        "is inspected");
    return JudgeResponseBody();
  }

  Verdict OnResponseEnd(Exchange&) override {
    // What was not held has left: a verdict would come too late.
    if (stage_ != Stage::kResponse || !holding_) return Verdict::Continue();
    return JudgeResponseBody();
  }

  // Messages have transactions of their own; the handshake's is over with the 101.
  bool OnUpgraded(Exchange& exchange) override {
    OnLog(exchange);
    return false;
  }

  void OnLog(const Exchange& exchange) override {
    stage_ = Stage::kOver;
    const std::vector<waf::HeaderView> headers = ViewsOf(exchange.response.fields);
    waf::ResponseView sent;
    sent.status = exchange.status_for_log();
    sent.protocol = "HTTP/1.1";
    sent.headers = headers;
    transaction_.ProcessLogging(&sent);
    ReleaseHeld();
  }

 private:
  enum class Stage : uint8_t { kRequest, kResponse, kInterrupted, kOver };

  static std::string TransactionId(Exchange& exchange) {
    const config::Template& setting = exchange.settings().waf.transaction_id;
    if (!setting.empty()) {
      const std::string_view given = exchange.Expand(setting);
      if (!given.empty()) return std::string(given);
    }
    return NewTransactionId();
  }

  static constexpr std::string_view kNoRoom =
      "bodies held for inspection exceed waf_worker_hold_limit";

  // What the rules said, as an answer of ours; interruptions are logged as the connector does.
  Verdict Judge(const waf::Decision& decision) {
    if (!decision.interrupts()) return Verdict::Continue();
    stage_ = Stage::kInterrupted;
    holding_ = false;
    ReleaseHeld();
    exchange_.waf_rule_id = static_cast<int>(decision.rule_id);
    log_.OnRefusal(decision);
    switch (decision.action) {
      case waf::Action::kDrop:
        exchange_.error_status = 444;
        return Verdict::Abort();
      case waf::Action::kRedirect:
        exchange_.redirect_location = exchange_.arena.Copy(decision.url);
        return Verdict::Respond(decision.status);
      case waf::Action::kDeny:
      case waf::Action::kPass:
      case waf::Action::kAllow:
        break;
    }
    return Verdict::Respond(decision.status);
  }

  // A refusal of our own: a limit, or something that cannot be read.
  Verdict Refuse(int status, std::string_view reason) {
    stage_ = Stage::kInterrupted;
    holding_ = false;
    ReleaseHeld();
    exchange_.LogError(LogLevel::kError, "ModSecurity: " + std::string(reason));
    return Verdict::Respond(status);
  }

  // The rules cannot run: true where waf_on_error lets it pass.
  bool Fails(std::string_view reason) {
    if (settings_.on_error == config::OnWafError::kDeny) return false;
    exchange_.LogError(LogLevel::kError,
                       "ModSecurity: " + std::string(reason) + ", passed (waf_on_error pass)");
    return true;
  }

  // Encoded and partial responses would blind the rules.
  void KeepResponseReadable() {
    http::HeaderMap& fields = exchange_.request.fields;
    switch (settings_.response_encoding) {
      case config::WafBodyEncoding::kRefuse:
        fields.Remove(FieldId::kAcceptEncoding);
        break;
      case config::WafBodyEncoding::kInflate:
        // Only what we inflate may be asked for.
        if (AcceptsGzip(fields.Joined(FieldId::kAcceptEncoding))) {
          fields.Set(FieldId::kAcceptEncoding, "gzip");
        } else {
          fields.Remove(FieldId::kAcceptEncoding);
        }
        break;
      case config::WafBodyEncoding::kPass:
        break;
    }
    // try_files may end in an upstream too.
    if (exchange_.location->content == config::ContentKind::kProxy ||
        exchange_.location->try_files.has_value()) {
      fields.Remove(FieldId::kRange);
      fields.Remove(FieldId::kIfRange);
    }
  }

  Verdict OpenRequestBody() {
    const std::string encoding = exchange_.request.fields.Joined(FieldId::kContentEncoding);
    if (!BodyInflater::NeedsInflating(encoding) || !transaction_.wants_request_body() ||
        exchange_.framing.kind == http::BodyFraming::Kind::kNone) {
      return Verdict::Continue();
    }
    switch (settings_.request_encoding) {
      case config::WafBodyEncoding::kPass:
        return Verdict::Continue();
      case config::WafBodyEncoding::kRefuse:
        return Refuse(415, "request body has a Content-Encoding (waf_request_encoding refuse)");
      case config::WafBodyEncoding::kInflate:
        break;
    }
    request_inflater_ = BodyInflater::Make(encoding, settings_.inflate_limit);
    if (request_inflater_ == nullptr) {
      return Refuse(415, "request body has a Content-Encoding that cannot be inspected");
    }
    return Verdict::Continue();
  }

  // Decides whether the response waits for the verdict on its body.
  Verdict OpenResponseBody(Exchange& exchange) {
    const std::string_view type = exchange.response.fields.Get(FieldId::kContentType);
    if (!transaction_.wants_response_body() || exchange.response.status == 101 ||
        exchange.response.status == 204 || exchange.response.status == 304 || IsStream(type)) {
      return Verdict::Continue();
    }
    const std::string encoding = exchange.response.fields.Joined(FieldId::kContentEncoding);
    if (BodyInflater::NeedsInflating(encoding) && !exchange.header_only &&
        settings_.response_encoding != config::WafBodyEncoding::kPass) {
      response_inflater_ = BodyInflater::Make(encoding, settings_.inflate_limit);
      if (response_inflater_ == nullptr) {
        return Refuse(502, "response body has a Content-Encoding that cannot be inspected");
      }
    }
    holding_ = true;
    return Verdict::Continue();
  }

  Verdict JudgeResponseBody() {
    const Verdict verdict = Judge(transaction_.ProcessResponseBody());
    holding_ = false;
    ReleaseHeld();
    return verdict;
  }

  bool Hold(size_t octets) {
    if (services_.held_octets + octets > settings_.worker_hold_limit) return false;
    services_.held_octets += octets;
    held_ += octets;
    return true;
  }

  void ReleaseHeld() {
    services_.held_octets -= held_;
    held_ = 0;
  }

  Exchange& exchange_;
  FilterServices& services_;
  const config::WafSettings& settings_;
  std::shared_ptr<const waf::RuleSet> rules_;
  RuleLog log_;
  waf::Transaction transaction_;
  std::unique_ptr<BodyInflater> request_inflater_;
  std::unique_ptr<BodyInflater> response_inflater_;
  std::string inflated_;
  Stage stage_ = Stage::kRequest;
  bool request_done_ = false;
  bool request_unheard_ = false;  // of its body, under waf_on_error pass
  bool holding_ = false;
  uint64_t request_held_ = 0;
  uint64_t held_ = 0;
};

std::unique_ptr<Filter> Make(Exchange& exchange, FilterServices& services, config::WafOrder order) {
  if (exchange.settings().waf.order != order) return nullptr;
  std::shared_ptr<const waf::RuleSet> rules = RulesOf(exchange, services);
  if (rules == nullptr) return nullptr;
  return std::make_unique<WafFilter>(exchange, services, std::move(rules));
}

}  // namespace

std::unique_ptr<Filter> MakeWafConnectorOrder(Exchange& exchange, FilterServices& services) {
  return Make(exchange, services, config::WafOrder::kConnector);
}

std::unique_ptr<Filter> MakeWafLateOrder(Exchange& exchange, FilterServices& services) {
  return Make(exchange, services, config::WafOrder::kLate);
}

}  // namespace framewall::filter
