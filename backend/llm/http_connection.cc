#include "backend/llm/http_connection.h"

#include "proxy/http/method.h"

namespace framewall::backend::llm {
namespace {

constexpr size_t kHeadLimit = 32768;

http::HeadLimits Limits() {
  http::HeadLimits limits;
  limits.first_buffer_size = kHeadLimit;
  limits.line_size = kHeadLimit;
  limits.field_count = 200;
  return limits;
}

}  // namespace

HttpConnection::HttpConnection(event::EventLoop& loop, std::unique_ptr<event::Stream> stream)
    : codec_(Limits(), this), stream_(std::move(stream)), idle_(loop, [this] { Close(); }) {
  stream_->SetHandler(this);
}

HttpConnection::~HttpConnection() { stream_->SetHandler(nullptr); }

void HttpConnection::Send(std::string_view method, std::string_view target,
                          std::string_view authority,
                          const std::vector<std::pair<std::string, std::string>>& fields,
                          std::string_view body) {
  idle_.Cancel();
  busy_ = true;
  received_nothing_ = true;
  arena_.Reset();
  head_.Clear();
  Arena request_arena;
  http::RequestHead request(&request_arena);
  request.method = http::FindMethod(method);
  request.method_name = method;
  request.target = target;
  request.fields.Add("Host", authority);
  for (const auto& [name, value] : fields) request.fields.Add(name, value);
  http::RequestFraming framing;
  framing.keep_alive = true;
  if (request.method != http::Method::kGet) {
    framing.body = {http::BodyFraming::Kind::kLength, body.size()};
  }
  std::string out;
  http::Http1ClientCodec::WriteRequestHead(request, framing, nullptr, out);
  codec_.BeginResponse(request.method, &head_);
  const ByteView pieces[] = {out, body};
  stream_->Write(pieces);
}

void HttpConnection::Close() {
  broken_ = true;
  pause_.Release();
  stream_->Close();
}

void HttpConnection::BecomeIdle(std::chrono::milliseconds longest) {
  busy_ = false;
  idle_.Set(longest);
}

void HttpConnection::OnBytes(ByteView bytes) {
  if (!busy_) return Close();
  received_nothing_ = false;
  if (codec_.Receive(bytes) < bytes.size() && !broken_) {
    // Octets behind the answer: whose are they?
    Close();
  }
}

void HttpConnection::OnEnd() {
  if (!busy_) return Close();
  ended_ = true;
  codec_.ReceiveEnd();
}

void HttpConnection::OnBroken(const Error& error) {
  const bool was_busy = busy_;
  Close();
  if (was_busy) Failed(error);
}

void HttpConnection::OnSecured() {
  if (owner_ != nullptr) owner_->OnSecured();
}

void HttpConnection::OnResponseHead(http::BodyFraming /*framing*/) {
  if (head_.status == 101) {
    broken_ = true;
    return Failed(Error{ErrorKind::kSyntax, ErrorSource::kUpstream, "another protocol (101)"});
  }
  if (owner_ != nullptr) owner_->OnHead(head_);
}

void HttpConnection::OnResponseBody(ByteView piece) {
  if (owner_ != nullptr) owner_->OnBody(piece);
}

void HttpConnection::OnResponseEnd(const http::HeaderMap* /*trailers*/) {
  busy_ = false;
  if (!codec_.keeps_alive()) Close();
  if (owner_ != nullptr) owner_->OnResponseEnd();
}

void HttpConnection::OnResponseError(http::MessageError error) {
  broken_ = true;
  Failed(Error{ended_ ? ErrorKind::kClosed : ErrorKind::kSyntax, ErrorSource::kUpstream,
               std::string(error.reason)});
}

void HttpConnection::Failed(const Error& error) {
  busy_ = false;
  if (owner_ != nullptr) owner_->OnConnectionFailed(error);
}

}  // namespace framewall::backend::llm
