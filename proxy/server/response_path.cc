#include "proxy/server/response_path.h"

#include <fmt/format.h>

#include <array>

#include "proxy/base/clock.h"
#include "proxy/base/parse.h"
#include "proxy/content/builtin_page.h"
#include "proxy/filter/headers.h"
#include "proxy/filter/not_modified.h"

namespace framewall::server {
namespace {

using exchange::Exchange;
using http::FieldId;

// "Server: …\r\nDate: …\r\n", made once a second for each of the three spellings.
std::string_view Preamble(config::ServerTokens tokens, bool with_server, bool with_date) {
  struct Cached {
    std::string text;
    size_t server_end = 0;
    int64_t second = -1;
  };
  static std::array<Cached, 3> cache;
  Cached& entry = cache[static_cast<size_t>(tokens)];
  const int64_t second = CachedNow().unix_seconds();
  if (entry.second != second) {
    entry.second = second;
    entry.text = fmt::format("Server: {}\r\n", content::ServerField(tokens));
    entry.server_end = entry.text.size();
    entry.text += fmt::format("Date: {}\r\n", CachedHttpDate());
  }
  const std::string_view text = entry.text;
  const size_t begin = with_server ? 0 : entry.server_end;
  const size_t end = with_date ? text.size() : entry.server_end;
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

bool StillWanted(const filter::Verdict& verdict) {
  return verdict.kind == filter::Verdict::Kind::kContinue;
}

}  // namespace

void ResponsePath::Reset() {
  held_ = false;
  discard_body_ = false;
  refused_ = false;
  held_body_.clear();
  rate_ = 0;
  rate_queue_.clear();
  end_waits_ = false;
  waiting_trailers_.reset();
}

void ResponsePath::DropHeld() {
  held_ = false;
  refused_ = true;
  held_body_.clear();
  held_body_.shrink_to_fit();
}

bool ResponsePath::AnyFilterHolds() const {
  for (const auto& one : owner_.filters()) {
    if (one != nullptr && one->holds_response()) return true;
  }
  return false;
}

// One moment of every filter, until one does not let the response pass. True where all do.
template <class Moment>
bool ResponsePath::PassesFilters(Moment moment) {
  if (skip_filters_) return true;
  for (const auto& one : owner_.filters()) {
    if (one == nullptr) continue;
    const filter::Verdict verdict = moment(*one);
    if (StillWanted(verdict)) continue;
    refused_ = true;
    owner_.OnResponseVerdict(verdict);
    return false;
  }
  return true;
}

void ResponsePath::SendHead() {
  if (refused_) return;
  if (!PassesFilters([this](filter::Filter& one) { return one.OnResponseHead(exchange_); })) return;
  if (!skip_filters_ && AnyFilterHolds()) {
    held_ = true;
    return;
  }
  CommitHead();
}

void ResponsePath::SendBody(ByteView piece) {
  if (refused_ || piece.empty()) return;
  if (!PassesFilters([&](filter::Filter& one) { return one.OnResponseBody(exchange_, piece); })) {
    return;
  }
  if (held_) {
    held_body_.append(piece);
    if (!AnyFilterHolds()) Release();
    return;
  }
  WriteBody(piece);
}

void ResponsePath::SendEnd(const http::HeaderMap* trailers) {
  if (refused_) return;
  if (!PassesFilters([this](filter::Filter& one) { return one.OnResponseEnd(exchange_); })) return;
  if (held_) Release();
  if (refused_) return;
  Finish(trailers);
}

void ResponsePath::Release() {
  held_ = false;
  CommitHead();
  if (refused_) return;
  const std::string body = std::move(held_body_);
  held_body_.clear();
  WriteBody(body);
}

void ResponsePath::CommitHead() {
  if (exchange_.response.status == 200 && !skip_filters_ && !exchange_.conditions_checked) {
    const int status = filter::CheckNotModified(exchange_);
    if (status == 412) {
      refused_ = true;
      return owner_.OnResponseVerdict(filter::Verdict::Respond(412));
    }
    if (status == 304) {
      exchange_.response.status = 304;
      exchange_.response.reason = {};
      exchange_.content_length = -1;
      exchange_.response.fields.Remove(FieldId::kContentLength);
      exchange_.response.fields.Remove(FieldId::kContentType);
      exchange_.response.fields.Remove(FieldId::kAcceptRanges);
      discard_body_ = true;
    }
  }
  if (!exchange_.is_subrequest()) filter::ApplyHeaders(exchange_);

  http::HeaderMap& fields = exchange_.response.fields;
  if (exchange_.content_length >= 0 && !fields.Has(FieldId::kContentLength)) {
    fields.Add(FieldId::kContentLength, std::to_string(exchange_.content_length));
  }
  const config::CoreSettings& core = exchange_.settings().core;
  http::ResponseOptions options;
  options.head_request = exchange_.header_only;
  options.keep_alive = exchange_.keep_alive;
  options.chunked_allowed = core.chunked_transfer_encoding;
  options.has_trailers = WantsTrailers();
  options.keep_alive_header = core.keepalive_header_seconds;
  options.preamble =
      Preamble(core.server_tokens, !fields.Has(FieldId::kServer), !fields.Has(FieldId::kDate));
  exchange_.head_sent = true;
  exchange_.response_chunked =
      exchange_.content_length < 0 && !fields.Has(FieldId::kContentLength) &&
      exchange_.request.version != http::Version::kHttp10 && core.chunked_transfer_encoding &&
      !exchange_.header_only && !discard_body_;
  exchange_.action = exchange::Action::kSendingToClient;
  owner_.codec().SendHead(owner_.stream_id(), exchange_.response, options);
  SetRate();
}

bool ResponsePath::WantsTrailers() const {
  return !exchange_.is_subrequest() && filter::WantsTrailers(exchange_);
}

void ResponsePath::SetRate() {
  if (exchange_.is_subrequest()) return;
  const config::CoreSettings& core = exchange_.settings().core;
  if (exchange_.limit_rate.empty() && core.limit_rate.empty()) return;
  const std::string_view text =
      exchange_.limit_rate.empty() ? exchange_.Expand(core.limit_rate) : exchange_.limit_rate;
  rate_ = ParseSize(text).value_or(0);
  if (rate_ == 0) return;
  rate_after_ = ParseSize(exchange_.Expand(core.limit_rate_after)).value_or(0);
  rate_started_ = CachedNow().unix_seconds();
}

// As nginx: a second's worth is free at the start, and what was sent is measured in whole seconds.
uint64_t ResponsePath::RateAllowance() {
  const uint64_t seconds = static_cast<uint64_t>(CachedNow().unix_seconds() - rate_started_) + 1;
  const uint64_t allowed = rate_ * seconds + rate_after_;
  const uint64_t sent = owner_.codec().bytes_sent(owner_.stream_id());
  return allowed > sent ? allowed - sent : 0;
}

void ResponsePath::PumpRate() {
  const auto count = static_cast<size_t>(std::min<uint64_t>(RateAllowance(), rate_queue_.size()));
  if (count > 0) {
    owner_.codec().SendBody(owner_.stream_id(), ByteView(rate_queue_).substr(0, count));
    rate_queue_.erase(0, count);
  }
  if (!rate_queue_.empty()) {
    if (rate_timer_ == nullptr) {
      rate_timer_ = std::make_unique<event::Timer>(owner_.event_loop(), [this] { PumpRate(); });
    }
    const uint64_t next = std::min<uint64_t>(rate_queue_.size(), rate_);
    rate_timer_->Set(Milliseconds(static_cast<int64_t>(next * 1000 / rate_ + 1)));
    return;
  }
  if (end_waits_) {
    end_waits_ = false;
    return SendTrailersAndEnd(waiting_trailers_ ? &*waiting_trailers_ : nullptr);
  }
  owner_.OnRateAllows();
}

void ResponsePath::WriteBody(ByteView piece) {
  if (discard_body_ || piece.empty() || exchange_.header_only) return;
  if (rate_ != 0) {
    const bool idle = rate_queue_.empty();
    // What fits goes on at once: PumpRate would call the producer, who is in the middle of his
    // call.
    if (!idle || RateAllowance() < piece.size()) {
      rate_queue_.append(piece);
      if (idle) PumpRate();
      return;
    }
  }
  owner_.codec().SendBody(owner_.stream_id(), piece);
}

void ResponsePath::Finish(const http::HeaderMap* trailers) {
  if (!rate_queue_.empty()) {
    end_waits_ = true;
    if (trailers != nullptr) {
      waiting_trailers_.emplace(&exchange_.arena);
      for (const http::Field& field : *trailers) waiting_trailers_->Add(field.name, field.value);
    }
    return;
  }
  SendTrailersAndEnd(trailers);
}

void ResponsePath::SendTrailersAndEnd(const http::HeaderMap* trailers) {
  if (WantsTrailers()) {
    http::HeaderMap ours(&exchange_.arena);
    if (trailers != nullptr) {
      for (const http::Field& field : *trailers) ours.Add(field.name, field.value);
    }
    filter::CollectTrailers(exchange_, ours);
    owner_.codec().SendEnd(owner_.stream_id(), &ours);
  } else {
    owner_.codec().SendEnd(owner_.stream_id(), trailers);
  }
  exchange_.response_ended = true;
  owner_.OnResponseComplete();
}

}  // namespace framewall::server
