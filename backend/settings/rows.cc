#include "backend/settings/rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "backend/settings/llm_rows.h"
#include "backend/settings/redis_rows.h"
#include "backend/settings/scalar_row.h"
#include "proxy/base/address.h"
#include "proxy/base/log.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/http/target.h"

namespace framewall::backend {
namespace {

using namespace rows;

std::string ToUpperName(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

// --- What texts may be --------------------------------------------------------------------------

bool IsAnything(std::string_view) { return true; }
bool IsNotEmpty(std::string_view text) { return !text.empty(); }

bool IsListenAddress(std::string_view text) { return SocketAddress::Parse(text).has_value(); }

bool IsPublicUrl(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view host = text.substr(scheme.size());
    return host.find_first_of("/?#@ ") == std::string_view::npos && http::ParseHost(host).ok();
  }
  return false;
}

bool IsLevel(std::string_view text) {
  LogLevel level;
  return ParseLogLevel(text, &level);
}

// As accounts are named: lower case, so that nobody looks like somebody else.
bool IsAccountName(std::string_view text) {
  return text.size() >= 2 && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '.' || c == '-' || c == '_';
         });
}

SettingRow SocketMode() {
  return Scalar(
      "server", "socket_mode", "octal", "four octal digits like 0660",
      "Mode of the Unix socket's file: who may connect.",
      [](Settings& settings, std::string_view text) {
        if (text.size() < 3 || text.size() > 4) return false;
        unsigned mode = 0;
        for (const char c : text) {
          if (c < '0' || c > '7') return false;
          mode = mode * 8 + static_cast<unsigned>(c - '0');
        }
        if (mode > 0777) return false;
        settings.socket_mode = mode;
        return true;
      },
      [](const Settings& settings) {
        std::string digits(4, '0');
        for (unsigned i = 0; i < 4; ++i) {
          digits[3 - i] = static_cast<char>('0' + (settings.socket_mode >> (3 * i) & 7));
        }
        return digits;
      });
}

std::vector<SettingRow> MakeRows() {
  using S = Settings;
  const uint64_t day = 86400;
  std::vector<SettingRow> rows = {
      Text("server", "listen", &S::listen, "unix:PATH or ADDRESS:PORT",
           "Where the gateway finds us. Relative paths begin in the working directory.",
           IsListenAddress),
      SocketMode(),
      Text("server", "public_url", &S::public_url, "http(s)://HOST[:PORT] without a path",
           "How people reach the gateway: issuer of tokens, allowed origin, links. Host and "
           "X-Forwarded-* never are.",
           IsPublicUrl),
      Text("server", "data_dir", &S::data_dir, "a path",
           "Database, keys, first password. Made with mode 0700.", IsNotEmpty),
      Flag("server", "trust_real_ip", &S::trust_real_ip,
           "Take the client's address from the gateway's X-Real-IP (of local peers only)."),
      Count("server", "connection_limit", &S::connection_limit, 1, 1000000, "connections",
            "WebSockets included; above it requests are answered 503."),
      Seconds("server", "head_seconds", &S::head_seconds, 1, 600,
              "From a request's first octet to the end of its head; then 408."),
      Seconds("server", "body_seconds", &S::body_seconds, 1, 3600,
              "For the whole of a request's body; then 408."),
      Seconds("server", "send_seconds", &S::send_seconds, 1, 3600,
              "Without the client taking anything of an answer; then it is cut off."),
      Seconds("server", "idle_seconds", &S::idle_seconds, 1, day,
              "Between requests on a kept connection. Longer than the gateway keeps it."),
      Seconds("server", "drain_seconds", &S::drain_seconds, 0, 3600,
              "After TERM: for answers under way; then they are cut off."),
      Text("log", "level", &S::log_level, "emerg, alert, crit, error, warn, notice, info or debug",
           "What is logged at least; info has a line for each request.", IsLevel),
      Text("log", "file", &S::log_file, "a path",
           "Empty: standard error. HUP and USR1 open it anew.", IsAnything),
      Flag("accounts", "registration_open", &S::registration_open, "May anybody make an account?"),
      Seconds("accounts", "access_token_seconds", &S::access_token_seconds, 10, 600,
              "How long an access token holds."),
      Seconds("accounts", "refresh_token_seconds", &S::refresh_token_seconds, 60, 400 * day,
              "How long a log-in lasts without use."),
      Text("accounts", "admin_name", &S::admin_name, "2 to 32 of a-z, 0-9, dot, hyphen, underscore",
           "The first administrator, made at the first start.", IsAccountName),
      Text("accounts", "audience", &S::audience, "a text", "aud of access tokens.", IsNotEmpty),
      Count("accounts", "password_threads", &S::password_threads, 1, 64, "threads",
            "That hash passwords: each takes about 20 ms and 16 MiB a hash."),
      Count("accounts", "password_queue", &S::password_queue, 1, 10000, "log-ins",
            "That wait for a thread; above it they are answered 503."),
      Count("accounts", "password_min", &S::password_min, 8, 128, "characters",
            "The shortest password."),
      Octets("accounts", "password_max", &S::password_max, 64, 511,
             "The longest password; longer ones are not hashed at all."),
      Count("accounts", "signing_key_days", &S::signing_key_days, 1, 3650, "days",
            "Then a new key signs tokens; the old one verifies on while tokens of it live."),
      Text("accounts", "signing_key_dir", &S::signing_key_dir, "a path, or nothing",
           "A mounted directory of NAME.pem (RSA), the last of which by name signs; nothing is "
           "written there. Empty: keys are made in server.data_dir.",
           [](std::string_view) { return true; }),
      Octets("limits", "body_limit", &S::body_limit, 1024, 64 * 1024 * 1024,
             "Of a JSON body; more is answered 413."),
      Octets("limits", "message_limit", &S::message_limit, 1, 1024 * 1024,
             "Of a chat message's text."),
      Count("limits", "message_characters", &S::message_characters, 1, 1024 * 1024, "characters",
            "Of the same text, code points."),
      Count("limits", "page_size", &S::page_size, 1, 1000, "items",
            "Of a list, where the client does not say."),
      Count("limits", "page_limit", &S::page_limit, 1, 1000, "items", "That a client may ask for."),
      Count("chat", "rooms", &S::chat_rooms, 1, 10000, "rooms", "That one socket may join."),
      Count("chat", "sockets", &S::chat_sockets, 1, 10000, "sockets", "That one user may have."),
      Count("chat", "messages", &S::chat_messages, 1, 10000, "messages a second",
            "Of one socket, of all types; more are refused."),
      Count("chat", "burst", &S::chat_burst, 1, 100000, "messages", "Of them at once."),
      Octets("chat", "unsent", &S::chat_unsent, 65536, 64 * 1024 * 1024,
             "That may wait for a socket that reads slowly; more closes it."),
      Seconds("chat", "ping_interval", &S::chat_ping_seconds, 1, 3600,
              "Between pings; a socket that answers none by the next is closed."),
      Count("chat", "answers", &S::chat_answers, 1, 1000, "answers",
            "Of an assistant, at a time, to one user."),
  };
  for (SettingRow& row : LlmRows()) rows.push_back(std::move(row));
  rows.push_back(Text("llm", "prompt_log", &S::llm_prompt_log, "a path, or nothing",
                      "A file for prompts and answers (docs/llm.md). Empty: they are in no log.",
                      IsAnything));
  rows.push_back(Octets("llm", "prompt_log_octets", &S::llm_prompt_log_octets, 256,
                        64 * 1024 * 1024,
                        "Of a request's prompt there, and of its answer; the rest is cut."));
  for (SettingRow& row : RedisRows()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace

void Complaints::Add(std::string_view place, std::string_view text) {
  texts_.push_back(std::string(place) + ": " + std::string(text));
}

std::string SettingRow::EnvironmentName() const {
  return std::string(kEnvironmentPrefix) + ToUpperName(section) + "_" + ToUpperName(name);
}

const std::vector<SettingRow>& SettingRows() {
  static const std::vector<SettingRow> rows = MakeRows();
  return rows;
}

void CheckTogether(const Settings& settings, const std::set<std::string>& refused,
                   Complaints& complaints) {
  const auto are_known = [&refused](std::string_view one, std::string_view other) {
    return refused.count(std::string(one)) == 0 && refused.count(std::string(other)) == 0;
  };
  if (are_known("limits.page_size", "limits.page_limit") &&
      settings.page_size > settings.page_limit) {
    complaints.Add("settings", "limits.page_size is more than limits.page_limit");
  }
  if (are_known("limits.message_limit", "limits.body_limit") &&
      settings.message_limit > settings.body_limit) {
    complaints.Add("settings",
                   "limits.message_limit is more than limits.body_limit, which holds messages");
  }
  if (are_known("llm.providers", "llm.models")) CheckLlm(settings, complaints);
  const auto of_redis = refused.lower_bound("redis.");
  if (of_redis == refused.end() || !of_redis->starts_with("redis.")) {
    CheckRedis(settings, complaints);
  }
}

std::string SettingsTable() {
  const Settings defaults;
  std::string table =
      "| Setting | Default | Unit | What | Allowed |\n"
      "|---|---|---|---|---|\n";
  for (const SettingRow& row : SettingRows()) {
    const std::string shown = row.secret ? std::string() : row.show(defaults);
    table += "| `" + row.FullName() + "` | " + (shown.empty() ? "" : "`" + shown + "`") + " | " +
             std::string(row.unit) + " | " + std::string(row.doc) + " | " + row.expected + " |\n";
  }
  return table;
}

}  // namespace framewall::backend
