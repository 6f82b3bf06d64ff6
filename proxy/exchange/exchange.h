// Exchange: one request and its response, with all their state, from the complete head to the log.
//
// Memory that belongs to it comes from its arena; views in it point there, into the configuration,
// or into static text. It is reused for the next request of its connection after Reset.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/base/argument_mask.h"
#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/base/regex.h"
#include "proxy/config/model/http.h"
#include "proxy/exchange/body_buffer.h"
#include "proxy/exchange/connection_info.h"
#include "proxy/exchange/driver.h"
#include "proxy/exchange/identity.h"
#include "proxy/exchange/socket_record.h"
#include "proxy/exchange/upstream_record.h"
#include "proxy/http/message.h"
#include "proxy/http/target.h"

namespace framewall::exchange {

class Variables;

// What a database of networks (geoip2) said of an address. Of no use once the database is another.
struct NetworkLookup {
  size_t database = 0;
  uint32_t version = 0;  // of the database
  IpAddress address;
  bool found = false;
  uint32_t record = 0;  // where it stands in the database
};

// A variable's value: not set yet, known to be absent, or text (in the arena or static).
struct Value {
  enum class State : uint8_t { kUnknown, kAbsent, kPresent };
  State state = State::kUnknown;
  std::string_view text;
};

// A zone of limit_req as its client is told of it: RateLimit, RateLimit-Policy, Retry-After.
struct LimitReport {
  std::string_view zone;  // of the configuration
  int64_t quota = 0;      // requests that may come at once
  int64_t window = 0;     // seconds in which a used quota grows whole again
  int64_t remaining = 0;  // requests that may come now
  int64_t reset = 0;      // seconds until `remaining` grows: from 0 to 1, else to the quota
  bool refused = false;   // this zone refused it
};

// What we are doing, for the error log: " while reading client request headers".
enum class Action : uint8_t {
  kNone,
  kReadingRequestLine,
  kReadingRequestHeaders,
  kReadingRequestBody,
  kProcessingRequest,
  kConnectingToUpstream,
  kTlsHandshakeToUpstream,
  kSendingRequestToUpstream,
  kReadingResponseHeader,
  kReadingUpstream,
  kSendingToClient,
  kKeepAlive,
  kWaitingForRequest,
  kHandshaking,
  kClosing,
  kLogging,
  kResolving,
  kProxyingUpgraded,
};

class Exchange final : public LogContext {
 public:
  Exchange(const config::Config& config, const Variables& variables, ConnectionInfo& connection);
  ~Exchange() override;

  // Ready for the next request; memory is kept.
  void Reset();

  // --- Fixed for its life ---
  const config::Config& config;
  const Variables& variables;
  ConnectionInfo& connection;
  Driver* driver = nullptr;
  Arena arena;
  // 0 for a client's request, 1 for its subrequests, and so on.
  int subrequest_depth = 0;
  bool is_subrequest() const { return subrequest_depth > 0; }

  // Makes a new exchange a subrequest of `parent` (subrequest.h): a GET with its fields, copied.
  // The location is the server's root. `parent` may be a subrequest itself, or have no location.
  void BeginAsSubrequest(const Exchange& parent, std::string_view uri, std::string_view args);
  // What `set` has said in a subrequest is said in its parent too; likewise $request_id.
  void TakeVariablesOf(const Exchange& subrequest);

  // --- The client ---
  // The effective client: connection.peer unless realip changed it.
  SocketAddress client_address;

  // --- The request ---
  http::RequestHead request;
  http::BodyFraming framing;
  http::RequestTarget target;
  // $request_method, where that is not the request's own: a subrequest shows its client's.
  std::string_view client_method;
  // $uri: normalised, changed by rewrite and internal redirects. $args likewise, without '?'.
  std::string_view uri;
  std::string_view args;
  // $host: lower case, without port; from the absolute target, Host, or the server's name.
  std::string_view host;
  std::string_view remote_user;  // $remote_user, once auth_basic has read it
  bool remote_user_known = false;
  SteadyTime started{};  // first octet of the request
  BodyBuffer body;
  bool body_collected = false;  // everything is in `body`
  bool body_discarded = false;
  bool expects_continue = false;
  bool uri_changed = false;        // by rewrite, since find-location
  bool valid_location = true;      // false after `rewrite … break`: proxy_pass keeps the prefix
  bool valid_unparsed_uri = true;  // proxy_pass may send request.target as it came
  bool uri_had_escapes = false;    // the path as sent had '%' or '+'
  bool internal = false;           // reached by an internal redirect
  int uri_changes_left = 11;
  // try_files found its file under the alias of this regex location: the URI is appended to it.
  const config::LocationConfig* alias_takes_uri = nullptr;
  std::string_view request_id;  // $request_id, made on first use

  // --- Where it goes ---
  const config::ServerConfig* server = nullptr;
  const config::LocationConfig* location = nullptr;  // server->root before find-location
  const config::LocationSettings& settings() const { return location->settings; }

  // --- The response ---
  http::ResponseHead response;
  int64_t content_length = -1;  // -1: not known
  bool allow_ranges = false;    // the range filter may cut it
  int64_t last_modified = -1;   // unix seconds
  std::string_view limit_rate;  // `set $limit_rate` or X-Accel-Limit-Rate; empty: the location's
  bool head_sent = false;
  bool response_ended = false;
  bool response_aborted = false;
  bool response_chunked = false;  // on the wire; known once the head is sent
  // A filter or error_page replaces the response: status to show whatever the page's own is.
  int error_status = 0;
  bool error_page_used = false;
  int error_page_status =
      0;                   // the status that error_page gives to the page's own answer; 0: its own
  bool keep_alive = true;  // we are willing
  bool client_aborted = false;      // closed or reset before its response was whole: logged as 499
  bool header_only = false;         // HEAD
  bool conditions_checked = false;  // the handler has looked at If-… itself
  uint64_t bytes_sent = 0;          // of the whole response; kept up to date until the log phase
  uint64_t body_bytes_sent = 0;
  uint64_t request_length = 0;
  int status_for_log() const;

  // --- The upstream ---
  std::vector<UpstreamRecord> upstream;
  const http::ResponseHead* upstream_head = nullptr;  // $upstream_http_*; lives in the arena
  const http::HeaderMap* upstream_trailers = nullptr;
  std::string_view proxy_host;  // $proxy_host
  std::string_view proxy_port;  // $proxy_port
  std::string_view upstream_cache_status;
  // $sent_trailer_*: filled by the trailers filter.
  const http::HeaderMap* sent_trailers = nullptr;

  // What a check without a state of its own keeps here, gone with the exchange: the fields of
  // sent_trailers.
  std::shared_ptr<void> pending;

  // --- Limits and access, for variables and logs ---
  std::string_view limit_req_status;  // PASSED, DELAYED, REJECTED, …_DRY_RUN
  std::string_view limit_conn_status;
  // Rows of limits that have counted it, as bits: each counts it once in its life.
  uint8_t limits_counted = 0;
  // What limit_req_headers tells the client; filled only where it is on.
  std::vector<LimitReport> limit_reports;
  std::string_view waf_transaction_id;
  std::string_view redirect_location;  // of a rule's redirect; becomes Location
  int waf_rule_id = 0;                 // of the rule that refused; 0: none

  // --- Who the client has proved to be; null until a token was verified here ---
  const Identity* identity() const { return identity_.get(); }
  const std::shared_ptr<const Identity>& shared_identity() const { return identity_; }
  // Milliseconds since 1970 when it ends, leeway included; nothing: it does not, or there is none.
  const std::optional<int64_t>& identity_ends() const { return identity_ends_; }
  // Also null: nothing is known any more. What maps and the like had made of the former one is
  // forgotten.
  void SetIdentity(std::shared_ptr<const Identity> identity, std::optional<int64_t> ends);
  // The token that was taken out of Sec-WebSocket-Protocol (auth_jwt token=$websocket_…).
  std::string_view subprotocol_token;

  // --- The WebSocket that it became; null where it did not ---
  std::unique_ptr<SocketRecord> socket;

  // --- Variables ---
  // Text of a variable; nothing where it is absent ("" in templates, "-" in logs).
  std::optional<std::string_view> Get(config::VariableSlot slot);
  void Set(config::VariableSlot slot, std::string_view text);  // copies into the arena
  // The template's text; in the arena unless it is constant. Absent variables are empty.
  std::string_view Expand(const config::Template& text);
  void ExpandTo(const config::Template& text, std::string& out);
  // The file that `path` (a URI path) names under root or alias of the location; in the arena.
  std::string_view FilePath(std::string_view path);
  // True where it matched: $1 to $9 and the named groups are then those of `regex`. `subject` is
  // copied into the arena. A match limit is logged and counts as no match.
  bool MatchRegex(const config::RegexUse& regex, std::string_view subject);
  std::string_view Capture(int group) const;
  // One for each database and address that variables have asked for (route/geoip2).
  std::vector<NetworkLookup> network_lookups;
  size_t capture_count() const { return captures_.size(); }

  // --- Error log ---
  Action action = Action::kNone;
  // Where details of upstream go in log lines: "http://127.0.0.1:8081/x".
  std::string_view upstream_url;
  const Log& log() const;
  // Values of masked arguments are *** in it, wherever they stand.
  void LogError(LogLevel level, std::string_view message, int system_errno = 0) const {
    if (log().Enabled(level)) WriteError(level, message, system_errno);
  }
  // The arguments whose values no log may show: its server's, or all while that is not known for
  // sure. A Referer and an error may concern any server's.
  ArgumentMask access_mask() const;
  ArgumentMask error_mask() const { return ArgumentMask(config.http.masked_arguments); }
  // Their values in this request; allocates only where there are some.
  SecretValues secret_values(const ArgumentMask& mask) const;
  uint64_t connection_number() const override { return connection.number; }
  void AppendAction(std::string& line) const override;
  void AppendDetails(std::string& line) const override;

 private:
  friend class Variables;
  void CopyValues(const Exchange& from, bool computed_too);
  void WriteError(LogLevel level, std::string_view message, int system_errno) const;

  std::shared_ptr<const Identity> identity_;
  std::optional<int64_t> identity_ends_;
  std::vector<Value> values_;  // by slot; made when first needed
  Regex::Captures captures_;
  std::string_view capture_subject_;
  int expanding_ = 0;
};

}  // namespace framewall::exchange
