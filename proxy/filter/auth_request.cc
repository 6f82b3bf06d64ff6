#include "proxy/filter/auth_request.h"

#include <fmt/format.h>

#include "proxy/exchange/driver.h"
#include "proxy/filter/services.h"

namespace framewall::filter {
namespace {

using exchange::SubrequestAnswer;
using http::Field;
using http::FieldId;

class AuthRequest final : public Filter {
 public:
  Verdict OnRequestHead(Exchange& exchange) override {
    exchange::SubrequestOptions options;
    options.uri = exchange.settings().access.auth_request;
    subrequest_ = exchange.driver->StartSubrequest(
        options, [this, &exchange](const SubrequestAnswer& answer) { OnAnswer(exchange, answer); });
    return Verdict::Pause();
  }
  Verdict OnResumed(Exchange&) override {
    return subrequest_ == nullptr ? verdict_ : Verdict::Pause();
  }
  // The client has gone, or time is up, while we wait.
  void OnLog(const Exchange&) override { subrequest_.reset(); }

 private:
  void OnAnswer(Exchange& exchange, const SubrequestAnswer& answer);

  std::unique_ptr<exchange::Subrequest> subrequest_;
  Verdict verdict_ = Verdict::Respond(500);
};

// The challenges of the response, or those of an upstream that the response does not show.
void CopyChallenges(Exchange& subrequest, Exchange& exchange) {
  const http::HeaderMap* fields = &subrequest.response.fields;
  if (!fields->Has(FieldId::kWwwAuthenticate) && subrequest.upstream_head != nullptr) {
    fields = &subrequest.upstream_head->fields;
  }
  for (const Field& field : *fields) {
    if (field.id != FieldId::kWwwAuthenticate) continue;
    exchange.response.fields.Add(FieldId::kWwwAuthenticate, field.value);
  }
}

void AuthRequest::OnAnswer(Exchange& exchange, const SubrequestAnswer& answer) {
  if (answer.exchange != nullptr) {
    for (const auto& [slot, value] : exchange.settings().auth_request_set) {
      exchange.Set(slot, answer.exchange->Expand(value));
    }
  }
  if (!answer.whole()) {
    exchange.LogError(LogLevel::kError, fmt::format("auth request failed: {}", answer.failure));
  } else if (answer.status == 403) {
    verdict_ = Verdict::Respond(403);
  } else if (answer.status == 401) {
    CopyChallenges(*answer.exchange, exchange);
    verdict_ = Verdict::Respond(401);
  } else if (answer.status >= 200 && answer.status < 300) {
    verdict_ = Verdict::Satisfied();
  } else {
    exchange.LogError(LogLevel::kError,
                      fmt::format("auth request unexpected status: {}", answer.status));
  }
  subrequest_.reset();
  exchange.driver->Resume();
}

}  // namespace

std::unique_ptr<Filter> MakeAuthRequest(Exchange& exchange, FilterServices&) {
  if (exchange.settings().access.auth_request.empty()) return nullptr;
  return std::make_unique<AuthRequest>();
}

}  // namespace framewall::filter
