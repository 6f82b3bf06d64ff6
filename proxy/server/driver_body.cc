// ExchangeDriver and the request body: collected, shown to filters, streamed or thrown away.
#include "proxy/content/handler.h"
#include "proxy/server/exchange_driver.h"

namespace framewall::server {

using config::ContentKind;
using exchange::Action;
using http::BodyFraming;

// --- Request body -------------------------------------------------------------------------------

bool ExchangeDriver::NeedsWholeBody() const {
  if (exchange_.framing.kind == BodyFraming::Kind::kNone || exchange_.body_discarded) return false;
  const config::LocationConfig& location = *exchange_.location;
  if (location.content != ContentKind::kProxy) return false;
  const config::ProxySettings& proxy = location.settings.proxy;
  if (!proxy.pass_request_body || proxy.set_body.has_value()) return proxy.request_buffering;
  // An HTTP/1.0 upstream needs the length before the head leaves.
  return proxy.request_buffering ||
         (exchange_.framing.kind == BodyFraming::Kind::kChunked && !proxy.http11);
}

// Collecting begins when somebody wants the whole body: only now are the location's limits known.
void ExchangeDriver::StartCollecting() {
  if (collecting_ || request_ended_) return;
  collecting_ = true;
  const config::CoreSettings& core = exchange_.settings().core;
  exchange_.action = Action::kReadingRequestBody;
  ConfigureBody();
  if (!early_body_.empty()) {
    const std::string early = std::move(early_body_);
    early_body_.clear();
    if (!StoreBody(early)) return;
  }
  SendContinueIfAwaited();
  client_.AwaitBody(core.client_body_timeout);
  client_.PauseBody(false);
}

void ExchangeDriver::ConfigureBody() {
  const config::CoreSettings& core = exchange_.settings().core;
  const bool in_file = core.client_body_in_file_only != config::BodyInFile::kOff;
  exchange_.body.Configure(core.client_body_buffer_size, core.client_body_temp_path, in_file,
                           in_file);
}

void ExchangeDriver::SendContinueIfAwaited() {
  if (!exchange_.expects_continue || sent_continue_ || body_received_ > 0) return;
  sent_continue_ = true;
  Arena arena(256);
  http::ResponseHead head(&arena);
  head.status = 100;
  client_.codec().SendInterim(client_.stream_id(), head);
}

// client_max_body_size for a body without a length of its own. True where it was refused.
bool ExchangeDriver::RefuseLargeBody() {
  const uint64_t limit = exchange_.settings().core.client_max_body_size;
  if (limit == 0 || body_received_ <= limit) return false;
  exchange_.LogError(LogLevel::kError, "client intended to send too large chunked body: " +
                                           std::to_string(body_received_) + " bytes");
  DiscardRequestBody();
  RespondWith(413);
  return true;
}

bool ExchangeDriver::StoreBody(ByteView piece) {
  if (RefuseLargeBody()) return false;
  if (Status stored = exchange_.body.Append(piece); !stored.ok()) {
    exchange_.LogError(LogLevel::kCrit, stored.error().message);
    RespondWith(500);
    return false;
  }
  return true;
}

void ExchangeDriver::OnRequestBody(ByteView piece) {
  if (complete_ || exchange_.body_discarded) return;
  body_received_ += piece.size();
  if (streaming_body_) {
    if (RefuseLargeBody()) return;
    if (handler_wants_body_) {
      handler_->OnRequestBody(piece);
    } else {
      early_body_.append(piece);
      client_.PauseBody(true);
    }
    return;
  }
  if (collecting_) {
    StoreBody(piece);
    return;
  }
  // Nobody has asked yet: keep what came with the head, and read no more. (At most one read.)
  early_body_.append(piece);
  client_.PauseBody(true);
}

void ExchangeDriver::OnRequestEnd(const http::HeaderMap* trailers) {
  request_ended_ = true;
  if (complete_) return;
  // No body is awaited any more, but whoever leaves now has to be noticed.
  client_.AwaitBody(Milliseconds(0));
  client_.PauseBody(false);
  if (trailers != nullptr) {
    for (const http::Field& field : *trailers) request_trailers_.Add(field.name, field.value);
  }
  if (exchange_.body_discarded) return;
  if (streaming_body_) {
    if (early_body_.empty()) TellHandlerEnd();
    return;
  }
  // Where nobody collects yet the location, and so its limits, may not be known: who wants the body
  // takes it then.
  if (!collecting_) return;
  collecting_ = false;
  exchange_.body_collected = true;
  client_.AwaitBody(Milliseconds(0));
  Resume();
}

// The whole body came before anybody wanted it: it is stored now, under the location's limits.
// False where it was refused.
bool ExchangeDriver::TakeEarlyBody() {
  if (exchange_.body_collected || exchange_.body_discarded) return true;
  ConfigureBody();
  SendContinueIfAwaited();  // an announced body of no octets: nginx says "go on" to that too
  const std::string early = std::move(early_body_);
  early_body_.clear();
  if (!early.empty() && !StoreBody(early)) return false;
  exchange_.body_collected = true;
  return true;
}

ExchangeDriver::Flow ExchangeDriver::BodyForFilters() {
  bool wanted = false;
  for (size_t i = 0; i < filter_list_.size(); ++i) {
    wanted = wanted || (filter_list_[i] != nullptr && !filter_saw_body_[i]);
  }
  if (!wanted) return Flow::kNext;
  bool needs_bytes = false;
  for (size_t i = 0; i < filter_list_.size(); ++i) {
    needs_bytes = needs_bytes || (filter_list_[i] != nullptr && !filter_saw_body_[i] &&
                                  filter_list_[i]->wants_request_body());
  }
  if (needs_bytes && exchange_.framing.kind != BodyFraming::Kind::kNone &&
      !exchange_.body_discarded) {
    const Step step = step_;
    if (request_ended_) {
      if (!TakeEarlyBody()) return Flow::kOver;
    } else {
      StartCollecting();
      return complete_ || step_ != step ? Flow::kOver : Flow::kWait;
    }
  }
  return RunBodyFilters();
}

ExchangeDriver::Flow ExchangeDriver::RunBodyFilters() {
  for (size_t i = 0; i < filter_list_.size(); ++i) {
    filter::Filter* one = filter_list_[i].get();
    if (one == nullptr || filter_saw_body_[i]) continue;
    filter_saw_body_[i] = true;
    if (one->wants_request_body() && !exchange_.body.empty()) {
      std::string buffer;
      for (uint64_t offset = 0; offset < exchange_.body.size();) {
        ByteView piece;
        if (exchange_.body.in_file()) {
          buffer.resize(65536);
          auto count = exchange_.body.ReadAt(offset, buffer.data(), buffer.size());
          if (!count.ok() || *count == 0) {
            RespondWith(500);
            return Flow::kOver;
          }
          piece = ByteView(buffer.data(), *count);
        } else {
          piece = exchange_.body.memory();
        }
        offset += piece.size();
        const Flow flow = Apply(one->OnRequestBody(exchange_, piece));
        if (flow != Flow::kNext) return flow;
        if (!one->wants_request_body()) break;
      }
    }
    const Flow flow = Apply(
        one->OnRequestEnd(exchange_, request_trailers_.empty() ? nullptr : &request_trailers_));
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

void ExchangeDriver::WantRequestBody(bool want) {
  handler_wants_body_ = want;
  if (!want) {
    if (!request_ended_) client_.PauseBody(true);
    return;
  }
  if (exchange_.body_collected || exchange_.body_discarded) return;
  SendContinueIfAwaited();
  client_.AwaitBody(exchange_.settings().core.client_body_timeout);
  // At once, so that what came with the head leaves with the upstream's head.
  PassEarlyBody();
}

void ExchangeDriver::PassEarlyBody() {
  if (complete_ || !streaming_body_ || handler_ == nullptr) return;
  while (handler_wants_body_ && !early_body_.empty()) {
    const std::string early = std::move(early_body_);
    early_body_.clear();
    handler_->OnRequestBody(early);
    if (complete_) return;
  }
  if (!early_body_.empty()) return;
  if (request_ended_) {
    TellHandlerEnd();
  } else if (handler_wants_body_) {
    client_.PauseBody(false);
  }
}

void ExchangeDriver::TellHandlerEnd() {
  if (handler_told_end_ || handler_ == nullptr) return;
  handler_told_end_ = true;
  client_.AwaitBody(Milliseconds(0));
  handler_->OnRequestEnd(request_trailers_.empty() ? nullptr : &request_trailers_);
}

}  // namespace framewall::server
