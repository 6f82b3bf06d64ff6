// ProxyHandler: the request and its body towards the upstream.
#include <array>
#include <string>
#include <utility>

#include "proxy/content/proxy_handler.h"
#include "proxy/http/http1/client_codec.h"

namespace framewall::content {

using exchange::Action;
using http::BodyFraming;
using upstream::Attempt;
using upstream::Group;

namespace {

constexpr size_t kFilePiece = 32768;
// Pieces of a chunked request below this are collected for one chunk.
constexpr size_t kSmallPiece = 4096;

}  // namespace

void ProxyHandler::OnAttemptReady() {
  if (over_) return;
  record().connect_ms = Elapsed(try_started_);
  SendRequest();
}

void ProxyHandler::SendRequest() {
  exchange_.action = Action::kSendingRequestToUpstream;
  head_.Clear();
  attempt_.ExpectResponse(request_.method, &head_);
  sending_ = true;
  body_offset_ = 0;
  switch (body_) {
    case BodySource::kNone: {
      const ByteView head = head_text_;
      attempt_.Send({&head, 1});
      return RequestSent();
    }
    case BodySource::kText: {
      const std::array<ByteView, 2> pieces = {head_text_, body_text_};
      attempt_.Send(pieces);
      return RequestSent();
    }
    case BodySource::kCollected: {
      if (!exchange_.body.in_file()) {
        const std::array<ByteView, 2> pieces = {head_text_, exchange_.body.memory()};
        attempt_.Send(pieces);
        return RequestSent();
      }
      const ByteView head = head_text_;
      attempt_.Send({&head, 1});
      return PumpBody();
    }
    case BodySource::kStreamed: {
      // Before the stream asks for its own flush: a first small chunk then leaves with the head.
      AskFlush();
      const ByteView head = head_text_;
      attempt_.Send({&head, 1});
      exchange_.driver->WantRequestBody(true);
      return;
    }
  }
}

// A body in a file, as much of it as the upstream takes.
void ProxyHandler::PumpBody() {
  while (sending_ && !attempt_.congested()) {
    piece_.resize(kFilePiece);
    const auto count = exchange_.body.ReadAt(body_offset_, piece_.data(), piece_.size());
    if (!count.ok()) {
      exchange_.LogError(LogLevel::kCrit, count.error().message, count.error().system_errno);
      EndTry(Group::Outcome::kGood, Attempt::Keep::kNo);
      return Fail(500);
    }
    body_offset_ += *count;
    const ByteView piece(piece_.data(), *count);
    if (*count > 0) attempt_.Send({&piece, 1});
    if (*count == 0 || body_offset_ >= exchange_.body.size()) return RequestSent();
  }
}

void ProxyHandler::RequestSent() {
  sending_ = false;
  exchange_.action = Action::kReadingResponseHeader;
  attempt_.RequestSent();
}

void ProxyHandler::OnRequestBody(ByteView piece) {
  if (over_) return;
  if (collecting_) {
    if (const Status stored = exchange_.body.Append(piece); !stored.ok()) {
      exchange_.LogError(LogLevel::kCrit, stored.error().message);
      Fail(500);
    }
    return;
  }
  if (!sending_ || body_ != BodySource::kStreamed) return;
  Remember(piece);
  if (framing_.body.kind != BodyFraming::Kind::kChunked) {
    attempt_.Send({&piece, 1});
  } else if (piece.size() >= kSmallPiece) {
    if (!small_pieces_.empty()) SendChunk(std::exchange(small_pieces_, {}));
    SendChunk(piece);
  } else {
    // Small pieces of one read leave as one chunk, when the callback returns.
    small_pieces_.append(piece);
    AskFlush();
  }
  if (attempt_.congested()) exchange_.driver->WantRequestBody(false);
}

void ProxyHandler::SendChunk(ByteView piece) {
  chunk_frame_.clear();
  http::Http1ClientCodec::WriteBodyPrefix(framing_, piece.size(), chunk_frame_);
  const size_t prefix = chunk_frame_.size();
  http::Http1ClientCodec::WriteBodySuffix(framing_, chunk_frame_);
  const ByteView frame = chunk_frame_;
  const std::array<ByteView, 3> pieces = {frame.substr(0, prefix), piece, frame.substr(prefix)};
  attempt_.Send(pieces);
}

void ProxyHandler::AskFlush() {
  if (std::exchange(flush_asked_, true)) return;
  runtime_.loop().RequestFlush(this);
}

void ProxyHandler::Flush() {
  flush_asked_ = false;
  if (!over_ && sending_ && !small_pieces_.empty()) SendChunk(small_pieces_);
  small_pieces_.clear();
}

// A short streamed body is kept for $request_body and for another location (error_page).
void ProxyHandler::Remember(ByteView piece) {
  if (forgotten_) return;
  const config::CoreSettings& core = exchange_.settings().core;
  if (exchange_.body.size() + piece.size() > core.client_body_buffer_size) {
    forgotten_ = true;
    exchange_.body.Clear();
    return;
  }
  if (exchange_.body.empty()) {
    exchange_.body.Configure(core.client_body_buffer_size, core.client_body_temp_path, false,
                             false);
  }
  if (!exchange_.body.Append(piece).ok()) forgotten_ = true;
}

void ProxyHandler::OnRequestEnd(const http::HeaderMap*) {
  // Trailers of the request end here: nobody has inspected what would become fields.
  if (over_) return;
  body_ended_ = true;
  if (collecting_) {
    collecting_ = false;
    exchange_.body_collected = true;
    return Prepare();
  }
  if (!sending_ || body_ != BodySource::kStreamed) return;
  if (!small_pieces_.empty()) SendChunk(std::exchange(small_pieces_, {}));
  chunk_frame_.clear();
  http::Http1ClientCodec::WriteEnd(framing_, chunk_frame_);
  const ByteView end = chunk_frame_;
  if (!end.empty()) attempt_.Send({&end, 1});
  exchange_.body_collected = !forgotten_;
  RequestSent();
}

void ProxyHandler::OnAttemptDrained() {
  if (over_ || !sending_) return;
  if (body_ == BodySource::kStreamed) {
    exchange_.driver->WantRequestBody(true);
  } else {
    PumpBody();
  }
}

}  // namespace framewall::content
