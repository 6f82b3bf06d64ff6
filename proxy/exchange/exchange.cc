#include "proxy/exchange/exchange.h"

#include "proxy/exchange/variables.h"

namespace framewall::exchange {
namespace {

// nginx's words for what was being done.
std::string_view ActionText(Action action) {
  switch (action) {
    case Action::kNone:
      return {};
    case Action::kReadingRequestLine:
      return "reading client request line";
    case Action::kReadingRequestHeaders:
      return "reading client request headers";
    case Action::kReadingRequestBody:
      return "reading client request body";
    case Action::kProcessingRequest:
      return {};
    case Action::kConnectingToUpstream:
      return "connecting to upstream";
    case Action::kTlsHandshakeToUpstream:
      return "SSL handshaking to upstream";
    case Action::kSendingRequestToUpstream:
      return "sending request to upstream";
    case Action::kReadingResponseHeader:
      return "reading response header from upstream";
    case Action::kReadingUpstream:
      return "reading upstream";
    case Action::kSendingToClient:
      return "sending response to client";
    case Action::kKeepAlive:
      return "keepalive";
    case Action::kWaitingForRequest:
      return "waiting for request";
    case Action::kHandshaking:
      return "SSL handshaking";
    case Action::kClosing:
      return "closing request";
    case Action::kLogging:
      return "logging request";
    case Action::kResolving:
      return "resolving";
    case Action::kProxyingUpgraded:
      return "proxying upgraded connection";
  }
  return {};
}

// "/a?b" of "GET /a?b HTTP/1.1".
std::string_view TargetOf(std::string_view request_line) {
  request_line = request_line.substr(0, request_line.rfind(" HTTP/"));
  return request_line.substr(request_line.find(' ') + 1);
}

}  // namespace

Exchange::Exchange(const config::Config& config_in, const Variables& variables_in,
                   ConnectionInfo& connection_in)
    : config(config_in),
      variables(variables_in),
      connection(connection_in),
      arena(4096),
      client_address(connection_in.peer),
      request(&arena),
      response(&arena) {}

Exchange::~Exchange() = default;

void Exchange::Reset() {
  request.Clear();
  framing = {};
  target = {};
  uri = {};
  args = {};
  host = {};
  client_address = connection.peer;
  remote_user = {};
  remote_user_known = false;
  body.Clear();
  body_collected = false;
  body_discarded = false;
  expects_continue = false;
  uri_changed = false;
  valid_location = true;
  valid_unparsed_uri = true;
  uri_had_escapes = false;
  internal = false;
  uri_changes_left = 11;
  alias_takes_uri = nullptr;
  request_id = {};
  response.Clear();
  content_length = -1;
  allow_ranges = false;
  last_modified = -1;
  limit_rate = {};
  head_sent = false;
  response_ended = false;
  response_aborted = false;
  response_chunked = false;
  error_status = 0;
  error_page_used = false;
  error_page_status = 0;
  keep_alive = true;
  client_aborted = false;
  header_only = false;
  conditions_checked = false;
  bytes_sent = 0;
  body_bytes_sent = 0;
  request_length = 0;
  upstream.clear();
  upstream_head = nullptr;
  upstream_trailers = nullptr;
  proxy_host = {};
  proxy_port = {};
  upstream_cache_status = {};
  sent_trailers = nullptr;
  pending.reset();
  limit_req_status = {};
  limit_conn_status = {};
  identity_.reset();
  identity_ends_.reset();
  subprotocol_token = {};
  limits_counted = 0;
  limit_reports.clear();
  socket.reset();
  waf_transaction_id = {};
  redirect_location = {};
  waf_rule_id = 0;
  values_.clear();
  network_lookups.clear();
  captures_.clear();
  capture_subject_ = {};
  action = Action::kNone;
  upstream_url = {};
  arena.Reset();
}

int Exchange::status_for_log() const {
  if (head_sent) return response.status;
  if (error_status != 0) return error_status;
  return client_aborted ? 499 : 0;
}

std::optional<std::string_view> Exchange::Get(config::VariableSlot slot) {
  if (values_.empty()) values_.resize(variables.slot_count());
  Value& cached = values_[static_cast<size_t>(slot)];
  if (cached.state == Value::State::kUnknown) {
    // A map may refer to itself through its values; nginx stops at such a cycle too.
    if (expanding_ > 100) {
      LogError(LogLevel::kAlert, "cycle while evaluating a variable");
      return std::nullopt;
    }
    ++expanding_;
    Value value;
    variables.Evaluate(*this, slot, value);
    --expanding_;
    if (value.state == Value::State::kUnknown) value.state = Value::State::kAbsent;
    if (variables.cacheable(slot)) cached = value;
    if (value.state == Value::State::kAbsent) return std::nullopt;
    return value.text;
  }
  if (cached.state == Value::State::kAbsent) return std::nullopt;
  return cached.text;
}

void Exchange::Set(config::VariableSlot slot, std::string_view text) {
  if (values_.empty()) values_.resize(variables.slot_count());
  const std::string_view copy = arena.Copy(text);
  if (variables.Assign(*this, slot, copy)) return;
  values_[static_cast<size_t>(slot)] = Value{Value::State::kPresent, copy};
}

void Exchange::SetIdentity(std::shared_ptr<const Identity> identity, std::optional<int64_t> ends) {
  if (identity == nullptr && identity_ == nullptr) return;
  identity_ = std::move(identity);
  identity_ends_ = identity_ == nullptr ? std::nullopt : ends;
  for (size_t slot = 0; slot < values_.size(); ++slot) {
    if (variables.depends_on_identity(static_cast<config::VariableSlot>(slot))) values_[slot] = {};
  }
}

std::string_view Exchange::Expand(const config::Template& text) {
  if (text.constant()) return text.constant_text();
  if (text.parts.size() == 1) {
    const config::TemplatePart& part = text.parts[0];
    if (part.capture >= 0) return Capture(part.capture);
    return Get(part.variable).value_or(std::string_view());
  }
  std::string out;
  ExpandTo(text, out);
  return arena.Copy(out);
}

void Exchange::ExpandTo(const config::Template& text, std::string& out) {
  for (const config::TemplatePart& part : text.parts) {
    if (part.capture >= 0) {
      out += Capture(part.capture);
    } else if (part.variable != config::kNoVariable) {
      out += Get(part.variable).value_or(std::string_view());
    } else {
      out += part.literal;
    }
  }
}

bool Exchange::MatchRegex(const config::RegexUse& use, std::string_view subject) {
  Regex::Captures captures;
  const Regex::Outcome outcome = use.regex->Match(subject, &captures);
  if (outcome == Regex::Outcome::kLimit) {
    LogError(LogLevel::kAlert, "regex match limit reached on \"" + use.regex->pattern() + "\"");
  }
  if (outcome != Regex::Outcome::kMatch) return false;
  if (captures.size() > 1 || use.regex->capture_count() > 0) {
    captures_ = std::move(captures);
    capture_subject_ = arena.Copy(subject);
    const auto& names = use.regex->names();
    for (size_t i = 0; i < use.capture_slots.size() && i < names.size(); ++i) {
      Set(use.capture_slots[i], Capture(names[i].second));
    }
  } else {
    captures_.clear();
  }
  return true;
}

std::string_view Exchange::Capture(int group) const {
  const auto index = static_cast<size_t>(group);
  if (index >= captures_.size()) return {};
  const auto [begin, end] = captures_[index];
  if (begin == std::string_view::npos) return {};
  return capture_subject_.substr(begin, end - begin);
}

std::string_view Exchange::FilePath(std::string_view path) {
  const config::CoreSettings& core = settings().core;
  const std::string_view expanded = Expand(core.root);
  std::string full = core.root.constant() ? std::string(expanded) : config.FullPath(expanded);
  if (core.root_is_alias) {
    // An alias that was written in a regex location is the whole path.
    if (location->alias_prefix_length == std::string_view::npos) {
      if (alias_takes_uri == location) full += path;
      return arena.Copy(full);
    }
    const size_t prefix = std::min(location->alias_prefix_length, path.size());
    full += path.substr(prefix);
  } else {
    full += path;
  }
  return arena.Copy(full);
}

const Log& Exchange::log() const {
  if (location != nullptr && location->log != nullptr) return *location->log;
  return MainLog();
}

void Exchange::AppendAction(std::string& line) const {
  const std::string_view text = ActionText(action);
  if (text.empty()) return;
  line += " while ";
  line += text;
}

ArgumentMask Exchange::access_mask() const {
  // Without a host, the default server only stands in for one that was not found yet.
  if (server == nullptr || host.empty()) return error_mask();
  return ArgumentMask(server->masked_arguments);
}

SecretValues Exchange::secret_values(const ArgumentMask& mask) const {
  SecretValues values;
  if (mask.empty()) return values;
  mask.Collect(request.request_line.empty() ? request.target : TargetOf(request.request_line),
               values);
  if (!args.empty()) mask.Collect(args, values);
  if (const http::Field* referer = request.fields.Find(http::FieldId::kReferer)) {
    mask.Collect(referer->value, values);
  }
  return values;
}

void Exchange::WriteError(LogLevel level, std::string_view message, int system_errno) const {
  const ArgumentMask mask = error_mask();
  std::string by_value;
  std::string by_name;
  if (!mask.empty()) {
    if (secret_values(mask).Replace(message, by_value)) message = by_value;
    if (mask.MaskText(message, by_name)) message = by_name;
  }
  log().Write(level, message, this, system_errno);
}

void Exchange::AppendDetails(std::string& line) const {
  const ArgumentMask mask = error_mask();
  line += ", client: ";
  line += client_address.HostText();
  if (server != nullptr) {
    line += ", server: ";
    line += server->primary_name();
  }
  if (!request.request_line.empty()) {
    line += ", request: \"";
    if (!mask.MaskRequestLine(request.request_line, line)) line += request.request_line;
    line += '"';
  }
  if (is_subrequest()) {
    line += ", subrequest: \"";
    line += uri;
    line += '"';
  }
  if (!upstream_url.empty()) {
    line += ", upstream: \"";
    if (!mask.MaskUrl(upstream_url, line)) line += upstream_url;
    line += '"';
  }
  if (const http::Field* host_field = request.fields.Find(http::FieldId::kHost)) {
    line += ", host: \"";
    line += host_field->value;
    line += '"';
  }
  if (const http::Field* referer = request.fields.Find(http::FieldId::kReferer)) {
    line += ", referrer: \"";
    if (!mask.MaskUrl(referer->value, line)) line += referer->value;
    line += '"';
  }
}

}  // namespace framewall::exchange
