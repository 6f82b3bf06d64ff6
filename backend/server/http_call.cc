#include "backend/server/http_call.h"

#include <algorithm>
#include <utility>

#include "backend/server/access.h"
#include "backend/server/connection.h"
#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/base/log.h"
#include "proxy/base/text.h"
#include "proxy/http/target.h"
#include "proxy/http/upgrade.h"
#include "proxy/ws/handshake.h"

namespace framewall::backend::server {
namespace {

constexpr size_t kLongestRequestId = 128;

Problem Plain(int status, std::string code, std::string detail) {
  return {.status = status, .code = std::move(code), .detail = std::move(detail), .fields = {}};
}

bool IsLocal(const SocketAddress& peer) {
  if (peer.is_unix()) return true;
  const IpAddress ip = peer.ip().Unmapped();
  if (ip.is_v4()) return static_cast<uint8_t>(ip.bytes()[0]) == 127;
  return ip == *IpAddress::Parse("::1");
}

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kLongestRequestId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsAlpha(c) || IsDigit(c) || c == '-' || c == '_' || c == '.';
         });
}

// application/json, or anything +json; of parameters only charset=utf-8.
bool IsJsonType(std::string_view field) {
  const size_t semicolon = std::min(field.find(';'), field.size());
  const std::string_view type = Trim(field.substr(0, semicolon));
  if (!EqualsIgnoreCase(type, "application/json") &&
      !(StartsWithIgnoreCase(type, "application/") && EndsWithIgnoreCase(type, "+json"))) {
    return false;
  }
  if (semicolon == field.size()) return true;
  const std::string_view parameter = Trim(field.substr(semicolon + 1));
  return parameter.empty() || EqualsIgnoreCase(parameter, "charset=utf-8") ||
         EqualsIgnoreCase(parameter, "charset=\"utf-8\"");
}

}  // namespace

HttpCall::HttpCall(Services& services, Connection* connection, const SocketAddress& peer)
    : loop_(*services.loop),
      services_(services),
      connection_(connection),
      peer_(peer),
      started_(std::chrono::steady_clock::now()),
      head_(&arena_) {}

// --- The request --------------------------------------------------------------------------------

std::optional<Problem> HttpCall::Begin() {
  ReadOrigin();
  has_credentials_ = head_.fields.Has(http::FieldId::kAuthorization);
  const auto target = http::ParseTarget(head_.target, head_.method == http::Method::kConnect);
  if (!target.ok()) return Plain(400, "bad_target", "The request target is malformed.");
  const std::string_view raw = target->path;
  const auto segments = SplitPath(raw);
  auto normal = http::NormalizePath(raw, /*merge_slashes=*/false);
  if (!segments || !normal.ok()) {
    return Plain(400, "bad_target", "The path is malformed, too deep, or not UTF-8.");
  }
  path_ = std::move(normal).value();
  match_ = services_.router->Find(head_.method_name, raw, *segments);
  auto arguments = ParseArguments(target->query);
  if (!arguments) {
    return Plain(400, "bad_query", "The query is malformed, too long, or not UTF-8.");
  }
  arguments_ = std::move(*arguments);
  if (match_.route != nullptr) return std::nullopt;
  if (match_.allow.empty()) return NotFound();
  return Plain(405, "method_not_allowed", "Allowed here: " + match_.allow + ".");
}

void HttpCall::ReadOrigin() {
  const bool is_local = IsLocal(peer_);
  const std::string_view real_ip = head_.fields.Get(http::FieldId::kXRealIp);
  inside_ = is_local && !head_.fields.Has(http::FieldId::kXRealIp) &&
            !head_.fields.Has(http::FieldId::kXForwardedFor) &&
            head_.fields.Find("Forwarded") == nullptr;
  client_address_ = peer_.HostText();
  if (real_ip.empty() || !is_local || !services_.limits.trust_real_ip) return;
  if (const auto address = IpAddress::Parse(real_ip)) {
    client_address_ = address->Unmapped().ToText();
  }
}

std::string_view HttpCall::Parameter(std::string_view name) const {
  for (const auto& [one, value] : match_.parameters) {
    if (one == name) return value;
  }
  FW_UNREACHABLE();
}

std::optional<std::string> HttpCall::Argument(std::string_view name) const {
  for (const auto& [one, value] : arguments_) {
    if (one == name) return value;
  }
  return std::nullopt;
}

const json::Value* HttpCall::JsonBody() {
  if (document_root_) return &*document_root_;
  if (!IsJsonType(head_.fields.Get(http::FieldId::kContentType))) {
    Fail(Plain(415, "media_type", "Content-Type: application/json was expected."));
    return nullptr;
  }
  json::Limits limits;
  limits.octets = std::max(body_.size(), size_t{1});
  limits.depth = 64;
  auto document = json::Document::Parse(body_, limits);
  if (!document.ok()) {
    // What the text holds near the fault is not repeated.
    std::string detail = document.error().message;
    detail.resize(std::min(detail.find(" near "), detail.size()));
    Fail(Plain(400, "json", "The body is no JSON text: " + detail + "."));
    return nullptr;
  }
  if (document->root().kind() != json::Kind::kObject) {
    Fail(Plain(400, "json", "The body must be a JSON object."));
    return nullptr;
  }
  document_.emplace(std::move(document).value());
  document_root_ = document_->root();
  return &*document_root_;
}

const std::string& HttpCall::request_id() const {
  if (request_id_.empty()) {
    const std::string_view told = head_.fields.Get(http::FieldId::kXRequestId);
    request_id_ = IsRequestId(told) ? std::string(told) : HexEncode(RandomBytes(16));
  }
  return request_id_;
}

// --- The answer ---------------------------------------------------------------------------------

bool HttpCall::BeginAnswer(int status) {
  if (answered_) {
    MainLog().Write(LogLevel::kAlert, "a second answer to the request " + request_id() +
                                          " (operation " +
                                          std::string(route() ? route()->operation : "none") + ")");
    return false;
  }
  answered_ = true;
  status_ = status;
  return connection_ != nullptr;
}

void HttpCall::Answer(Reply reply) {
  if (!BeginAnswer(reply.status)) return;
  over_ = true;
  connection_->SendWhole(*this, reply);
}

void HttpCall::Fail(const Problem& problem) {
  Reply reply;
  if (match_.error_shape != nullptr) {
    reply = (*match_.error_shape)(problem);
  } else {
    reply.status = problem.status;
    reply.content_type = "application/problem+json";
    reply.body = ProblemText(problem);
  }
  if (problem.status == 401 || problem.status == 403) {
    std::string challenge =
        Challenge(problem, has_credentials_, route() ? &route()->access : nullptr);
    if (!challenge.empty()) reply.fields.emplace_back("WWW-Authenticate", std::move(challenge));
  }
  if (problem.status == 405 && !match_.allow.empty()) {
    reply.fields.emplace_back("Allow", match_.allow);
  }
  if (problem.retry_after > 0) {
    reply.fields.emplace_back("Retry-After", std::to_string(problem.retry_after));
  }
  Answer(std::move(reply));
}

void HttpCall::Fail(const Error& error) {
  MainLog().Write(LogLevel::kError, "request " + request_id() + " (" +
                                        std::string(route() ? route()->operation : "none") +
                                        ") failed: " + error.message);
  Problem problem = Plain(500, "internal",
                          "Something went wrong here; the log has it under " + request_id() + ".");
  if (error.kind == ErrorKind::kUnavailable) {
    problem = Plain(503, "busy", "There is too much to do right now; try again.");
    problem.retry_after = 1;
  }
  Fail(problem);
}

ReplyStream& HttpCall::AnswerInPieces(int status, std::string content_type, Fields fields,
                                      Afterwards afterwards) {
  if (BeginAnswer(status))
    connection_->BeginPieces(*this, status, content_type, fields, afterwards);
  return *this;
}

void HttpCall::Write(std::string_view piece) {
  if (connection_ != nullptr && answered_ && !over_) connection_->SendPiece(piece);
}

void HttpCall::End() {
  if (over_) return;
  over_ = true;
  if (connection_ != nullptr) connection_->EndPieces();
}

void HttpCall::Abort() {
  if (over_) return;
  over_ = true;
  if (connection_ != nullptr) connection_->AbortPieces();
}

bool HttpCall::congested() const { return connection_ != nullptr && connection_->congested(); }

void HttpCall::OnDrained(std::function<void()> callback) {
  if (connection_ == nullptr || over_) return;
  on_drained_ = std::move(callback);
  if (congested()) return;
  loop().Post([self = weak_from_this()] {
    if (const auto call = self.lock()) call->OnStreamDrained();
  });
}

void HttpCall::OnStreamDrained() {
  if (connection_ == nullptr || over_ || congested()) return;
  if (const auto callback = std::exchange(on_drained_, nullptr)) callback();
}

std::unique_ptr<Socket> HttpCall::AnswerWithSocket(const SocketOptions& options) {
  if (answered_ || connection_ == nullptr) {
    BeginAnswer(101);
    return nullptr;
  }
  Reply refusal;
  switch (http::CheckWebSocketHandshake(head_)) {
    case http::WebSocketHandshake::kValid: {
      if (services_.draining) {
        Problem problem = Plain(503, "restarting", "The server is restarting; come back.");
        problem.retry_after = 1;
        Fail(problem);
        return nullptr;
      }
      Fields fields = {
          {"Upgrade", "websocket"},
          {"Sec-WebSocket-Accept",
           ws::AcceptFor(head_.fields.Get(http::FieldId::kSecWebSocketKey))},
      };
      if (!options.subprotocol.empty()) {
        fields.emplace_back("Sec-WebSocket-Protocol", options.subprotocol);
      }
      BeginAnswer(101);
      over_ = true;
      return connection_->SwitchToSocket(*this, options, fields);
    }
    case http::WebSocketHandshake::kNone:
    case http::WebSocketHandshake::kBadVersion: {
      const Problem problem = Plain(426, "upgrade_required", "A WebSocket handshake was expected.");
      Answer(Reply{.status = 426,
                   .body = ProblemText(problem),
                   .content_type = "application/problem+json",
                   .fields = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}}});
      return nullptr;
    }
    case http::WebSocketHandshake::kMalformed:
      Fail(Plain(400, "handshake", "The WebSocket handshake is malformed (RFC 6455 4.2.1)."));
      return nullptr;
  }
  FW_UNREACHABLE();
}

// --- Its end ------------------------------------------------------------------------------------

CallRef HttpCall::MakeRef() {
  ++references_;
  return CallRef(this, [self = shared_from_this()](Call*) {
    --self->references_;
    self->HandlersLeft();
  });
}

void HttpCall::HandlersLeft() {
  const auto is_left = [](const HttpCall& call) {
    return call.references_ == 0 && call.awaited_ && !call.over_ && call.connection_ != nullptr;
  };
  if (!is_left(*this)) return;
  loop().Post([self = shared_from_this(), is_left] {
    if (!is_left(*self)) return;
    if (self->answered_) return self->Abort();
    self->Fail(Error{ErrorKind::kOther, ErrorSource::kInternal, "nobody answered", 0});
  });
}

void HttpCall::Detach(bool gone) {
  connection_ = nullptr;
  gone_ = gone;
  on_drained_ = nullptr;
  const auto callback = std::exchange(on_gone_, nullptr);
  if (gone && callback) loop().Post(callback);
}

void HttpCall::OnGone(std::function<void()> callback) {
  if (gone_) return loop().Post(std::move(callback));
  if (!over_) on_gone_ = std::move(callback);
}

}  // namespace framewall::backend::server
