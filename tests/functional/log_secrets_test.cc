// Secrets stay out of logs: a canary stands in every place where clients and upstreams put secrets,
// and afterwards in no file of the server's directory. The same run without masking finds each of
// them, so the test can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "tests/functional/waf_testing.h"
#include "tests/functional/websocket_testing.h"

namespace framewall::test {
namespace {

// One for each place, so that a failure names it. All have this in them, in whatever spelling.
constexpr char kMark[] = "cana7ry";
const std::vector<std::string> kPlaces = {
    "query",           "referer",     "nopathreferer", "bearer",      "proxyauth",
    "cookie",          "form",        "encodedform",   "json",        "escapedjson",
    "nestedjson",      "multipart",   "broken",        "subprotocol", "message",
    "innermessage",    "accesstoken", "setcookie",     "location",    "headertoken",
    "upstreammessage", "jwt"};

std::string Canary(const std::string& place) {
  return std::string(kMark) + "-" + place + "-0123456789";
}

// Rules that quote whatever they see (106 what 103 has captured), and three that refuse.
constexpr char kQuotingRules[] = R"rules(
  SecRuleEngine On
  SecRequestBodyAccess On
  SecResponseBodyAccess On
  SecResponseBodyMimeType text/plain application/json text/html
  SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:90,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
  SecRule REQUEST_URI_RAW|REQUEST_LINE|QUERY_STRING|ARGS_GET|REQUEST_HEADERS|REQUEST_COOKIES|REQUEST_HEADERS:Authorization "@rx (.*)" "id:101,phase:1,pass,log,auditlog,capture,t:lowercase,msg:'head %{MATCHED_VAR}',tag:'tag-%{MATCHED_VAR}',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'"
  SecRule REQUEST_URI_RAW|REQUEST_HEADERS "@contains attack" "id:102,phase:1,pass,log,auditlog,logdata:'%{MATCHED_VAR}'"
  SecRule ARGS_POST|ARGS|REQUEST_BODY|FULL_REQUEST "@rx (?s)(.*)" "id:103,phase:2,pass,log,auditlog,capture,msg:'body',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'"
  SecRule RESPONSE_HEADERS "@rx (.*)" "id:104,phase:3,pass,log,auditlog,capture,logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'"
  SecRule RESPONSE_BODY "@rx (?s)(.*)" "id:105,phase:4,pass,log,auditlog,capture,logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'"
  SecRule ARGS:q "@streq attack-head" "id:1,phase:1,deny,status:403,log,auditlog,msg:'head',logdata:'%{REQUEST_LINE}'"
  SecRule ARGS:user "@streq ann" "id:106,phase:2,pass,log,auditlog,msg:'stale',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'"
  SecRule REQUEST_BODY|ARGS|TX:ws_binary "@rx (attack-body)" "id:2,phase:2,deny,status:403,log,auditlog,capture,msg:'body',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'"
  SecRule RESPONSE_BODY "@contains attack-response" "id:3,phase:4,deny,status:403,log,auditlog,logdata:'%{MATCHED_VAR}'"
  SecAuditEngine On
  SecAuditLogParts ABCEFHIJKZ
  SecAuditLog %%DIR%%/audit.log
  SecAuditLogStorageDir %%DIR%%/audit
)rules";

struct RunKind {
  std::string name;
  std::string audit;  // its type and format
  std::string level;  // of the error log
};

std::string MaskOf(bool on) {
  return on ? "log_mask_arguments token;" : "modsecurity_audit_mask_fields off;";
}

std::string Config(const RunKind& kind, bool masks, const FakeUpstream& upstream,
                   const WebSocketUpstream& sockets) {
  return "error_log %%DIR%%/error.log " + kind.level +
         ";\nevents {}\nhttp {\n"
         "  log_format all '$remote_addr \"$request\" $request_uri $args $query_string $arg_token "
         "\"$http_referer\" $status $copy $http_x_original_uri';\n"
         "  access_log %%DIR%%/access.log all;\n  access_log %%DIR%%/combined.log;\n"
         "  server {\n  listen 127.0.0.1:%%PORT_0%%;\n  client_body_buffer_size 1k;\n"
         "\n  rewrite_log on;\n  set $copy $request_uri;\n"
         "  modsecurity on;\n  modsecurity_rules_file %%DIR%%/rules.conf;\n"
         "  error_page 403 /forbidden;\n  location = /forbidden { return 403 no; }\n"
         "  location /pass { " +
         Pass(upstream) + " }\n  location /down { proxy_pass http://127.0.0.1:%%PORT_9%%; }\n" +
         "  location /rw { rewrite ^/rw/(.*)$ /files/$1?from=rw; }\n"
         "  location /files { root %%DIR%%/nothing; }\n" +
         // Named by auth_jwt alone; without it nothing says that it is secret.
         (masks ? "  location /jwt { auth_jwt api token=$arg_ticketno;\n"
                  "    auth_jwt_key_file %%DIR%%/keys.json; root %%DIR%%; }\n"
                : "  location /jwt { return 401; }\n") +
         "  location /token { " + Pass(upstream) + " " + (masks ? MaskOf(true) : "") +
         " }\n  location /ws { " + SocketPass(sockets.address()) +
         " websocket_inspect both; }\n  " + (masks ? "" : MaskOf(false)) + "\n} }\n";
}

std::string Head(const std::string& method, const std::string& path, const std::string& more) {
  return method + " " + path +
         " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
         "Authorization: Bearer " +
         Canary("bearer") + "\r\nProxy-Authorization: Digest " + Canary("proxyauth") +
         "\r\nCookie: theme=dark; sid=" + Canary("cookie") +
         "\r\nReferer: http://localhost/ws?x=1&token=" + Canary("referer") +
         "\r\nX-Auth-Token: " + Canary("headertoken") + "\r\n" + more;
}

std::string Query(const std::string& more) { return "?q=" + more + "&token=" + Canary("query"); }

void Send(uint16_t port, const std::string& method, const std::string& path,
          const std::string& more, const std::string& body, int status) {
  RawClient client(port);
  std::string fields = more;
  if (method == "POST") fields += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  client.Send(Head(method, path, fields) + "\r\n" + body);
  const HttpMessage answer = client.ReadResponse();
  EXPECT_EQ(answer.status(), status) << method << " " << path << "\n" << body;
}

struct Body {
  std::string type;
  std::string text;
};

// `extra` stands in a field that is no secret.
std::vector<Body> Bodies(const std::string& extra) {
  const std::string encoded = "%63ana7ry-encodedform-0123456789";
  return {
      {"application/x-www-form-urlencoded",
       "user=ann&note=" + extra + "&password=" + Canary("form") + "&client%5Fsecret=" + encoded},
      {"application/json", R"({"user":"ann","note":")" + extra + R"(","password":")" +
                               Canary("json") + R"(","pass\u0077ord2":")" + Canary("escapedjson") +
                               R"(","auth":{"list":[{"refresh_token":")" + Canary("nestedjson") +
                               "\"}]}}"},
      {"multipart/form-data; boundary=XXX",
       "--XXX\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n" + extra +
           "\r\n--XXX\r\nContent-Disposition: form-data; name=\"new_password\"\r\n\r\n" +
           Canary("multipart") + "\r\n--XXX--\r\n"},
      // Neither parses.
      {"application/json",
       "{\"note\":\"" + extra + "\", \"password\" \"code\":\"" + Canary("broken")},
      {"text/plain", extra + " my password: " + Canary("broken") + " and " + Canary("cookie")},
  };
}

void RunHttp(const ProxyProcess& proxy) {
  const uint16_t port = proxy.port(0);
  Send(port, "GET", "/pass" + Query("1"), "X-Original-URI: /a?token=" + Canary("query") + "\r\n",
       "", 200);
  Send(port, "GET", "/pass" + Query("attack-head"), "", "", 403);
  Send(port, "GET", "/files/a" + Query("1"), "", "", 404);
  Send(port, "GET", "/rw/a" + Query("1"), "", "", 404);
  Send(port, "GET", "/down" + Query("1"), "", "", 502);
  Send(port, "GET", "/jwt?ticketno=" + Canary("jwt"), "", "", 401);
  Send(port, "GET", "/token" + Query("1"), "", "", 200);
  Send(port, "GET", "/token" + Query("attack-response"), "", "", 403);
  for (const Body& body : Bodies("hello")) {
    // A body that does not parse is not refused: no rule of these says so.
    Send(port, "POST", "/pass" + Query("1"), "Content-Type: " + body.type + "\r\n", body.text, 200);
  }
  for (const Body& body : Bodies("attack-body")) {
    Send(port, "POST", "/pass" + Query("1"), "Content-Type: " + body.type + "\r\n", body.text, 403);
  }
  // Before a server is known: a field without a colon.
  RawClient bad(port);
  bad.Send("GET /pass" + Query("1") + " HTTP/1.1\r\nHost: localhost\r\nbroken\r\n\r\n");
  EXPECT_EQ(bad.ReadResponse().status(), 400);
  RawClient referer(port);
  referer.Send(
      "GET /files/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nReferer: "
      "http://localhost?%74oken=" +
      Canary("nopathreferer") + "\r\n\r\n");
  EXPECT_EQ(referer.ReadResponse().status(), 404);
}

void RunSockets(const ProxyProcess& proxy) {
  const auto open = [&] {
    WebSocketClientOptions options = To("/ws" + Query("1"));
    options.headers = "Sec-WebSocket-Protocol: chat, " + Canary("subprotocol") +
                      "\r\nAuthorization: Bearer " + Canary("bearer") +
                      "\r\nCookie: sid=" + Canary("cookie") + "\r\n";
    return options;
  };
  const std::string inner = R"({\"login\":{\"password\":\")" + Canary("innermessage") + R"(\"}})";
  const auto message = [&](const std::string& note) {
    return R"({"note":")" + note + R"(","auth":{"access_token":")" + Canary("message") +
           R"("},"inner":")" + inner + "\"}";
  };
  {
    WebSocketClient client(proxy.port(0), open());
    ASSERT_EQ(client.status(), 101) << proxy.Output();
    client->SendText(message("hello"));
    EXPECT_EQ(client->Read().payload, message("hello"));
    client->SendText(R"({"token":")" + Canary("upstreammessage") + "\"}");
    EXPECT_EQ(client->Read().kind, Kind::kText);
    client->SendClose(1000);
    client->ReadToClose();
  }
  for (const bool is_binary : {false, true}) {
    WebSocketClient client(proxy.port(0), open());
    ASSERT_EQ(client.status(), 101);
    if (is_binary) {
      client->SendBinary(message("attack-body"));
    } else {
      client->SendText(message("attack-body"));
    }
    EXPECT_EQ(client->ReadToClose().code, 1008);
  }
}

std::string TokenAnswer() {
  return Answer(R"({"access_token":")" + Canary("accesstoken") +
                    R"(","expires_in":60,"id":"attack-response"})",
                "application/json",
                "Set-Cookie: sid=" + Canary("setcookie") +
                    "; HttpOnly\r\nLocation: /cb?code=" + Canary("location") + "\r\n");
}

using Files = std::map<std::string, std::string>;

Files FilesOf(const std::string& directory) {
  Files files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    files[entry.path().string().substr(directory.size())] = text.str();
  }
  return files;
}

// Does `text` hold the canary of `place`, in any case?
bool Holds(std::string text, const std::string& place) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  // Names of places in half, or spelled otherwise, are found by their mark.
  return text.find(Canary(place)) != std::string::npos ||
         text.find("%63" + Canary(place).substr(1)) != std::string::npos;
}

std::string LineWith(const std::string& text, const std::string& needle) {
  const size_t at = text.find(needle);
  if (at == std::string::npos) return {};
  const size_t start = text.rfind('\n', at);
  const size_t from = start == std::string::npos ? 0 : start + 1;
  return text.substr(from, text.find('\n', at) - from);
}

std::string Around(const std::string& text, const std::string& needle) {
  const size_t at = text.find(needle);
  if (at == std::string::npos) return "in another spelling of " + needle;
  const size_t from = at > 500 ? at - 500 : 0;
  return text.substr(from, at - from + needle.size() + 100);
}

class LogSecrets : public ::testing::TestWithParam<RunKind> {
 protected:
  Files Run(bool masks) {
    // Each answer is that of a token endpoint; only for ?q=attack-response its rule refuses.
    FakeUpstream upstream([](FakeUpstream::Peer& peer) {
      for (;;) {
        const HttpMessage request = peer.ReadRequest();
        if (!request.complete) return;
        std::string answer = TokenAnswer();
        if (request.start_line.find("attack-response") == std::string::npos) {
          const size_t at = answer.find("attack-response");
          answer.replace(at, 15, "harmless-answer");
        }
        peer.Send(answer);
      }
    });
    WebSocketUpstream sockets;
    ProxyProcess proxy(Config(GetParam(), masks, upstream, sockets));
    std::filesystem::create_directory(proxy.directory().File("audit"));
    proxy.directory().Write("rules.conf", proxy.Expand(kQuotingRules + GetParam().audit));
    proxy.directory().Write("keys.json", R"({"keys":[{"kty":"oct","alg":"HS256",)"
                                         R"("k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]})");
    const bool is_up = proxy.Start();
    EXPECT_TRUE(is_up) << proxy.Output();
    if (!is_up) return {};
    RunHttp(proxy);
    RunSockets(proxy);
    EXPECT_EQ(proxy.Quit(), 0);
    // The upstream is sent what the client sent.
    EXPECT_FALSE(upstream.requests().empty());
    for (const HttpMessage& request : upstream.requests()) {
      EXPECT_NE(request.start_line.find(Canary("query")), std::string::npos) << request.start_line;
    }
    return FilesOf(proxy.directory().path());
  }
};

TEST_P(LogSecrets, NoFileHoldsOne) {
  const Files files = Run(true);
  ASSERT_FALSE(files.empty());
  for (const auto& [name, text] : files) {
    for (const std::string& place : kPlaces) {
      EXPECT_FALSE(Holds(text, place)) << name << ": " << Around(text, Canary(place));
    }
    EXPECT_EQ(text.find(kMark), std::string::npos) << name << ": " << Around(text, kMark);
  }
  // What is no secret stays readable.
  const std::string& access = files.at("/access.log");
  EXPECT_NE(access.find("\"GET /pass?q=1&token=*** HTTP/1.1\" /pass?q=1&token=*** q=1&token=*** "
                        "q=1&token=*** *** \"http://localhost/ws?x=1&token=***\" 200 "
                        "/pass?q=1&token=*** /a?token=***"),
            std::string::npos)
      << access;
  EXPECT_NE(files.at("/combined.log").find("\"http://localhost?%74oken=***\""), std::string::npos);
  const std::string& error = files.at("/error.log");
  EXPECT_NE(error.find("request: \"GET /down?q=1&token=*** HTTP/1.1\", upstream: \"http://"),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("[id \"1\"]"), std::string::npos);
  EXPECT_NE(error.find("args: \"from=rw&q=1&token=***\""), std::string::npos)
      << LineWith(error, "rewritten data");
  EXPECT_NE(error.find("attack-body found within ARGS:note: attack-body"), std::string::npos)
      << LineWith(error, "[id \"2\"]");
  std::string audit;
  for (const auto& [name, text] : files) {
    if (name.starts_with("/audit")) audit += text;
  }
  for (const char* evidence :
       {"attack-head", "note=attack-body", "Bearer ***", "sid=***", "theme=***", "attack-response",
        "access_token", "expires_in", "HttpOnly", "chat, ***", "new_password"}) {
    EXPECT_NE(audit.find(evidence), std::string::npos) << evidence;
  }
}

TEST_P(LogSecrets, WithoutMaskingEachIsFound) {
  const Files files = Run(false);
  for (const std::string& place : kPlaces) {
    const bool found = std::any_of(files.begin(), files.end(),
                                   [&](const auto& file) { return Holds(file.second, place); });
    EXPECT_TRUE(found) << place;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LogSecrets,
    ::testing::Values(
        RunKind{"NativeSerial", "SecAuditLogFormat Native\nSecAuditLogType Serial\n", "info"},
        RunKind{"JsonSerial", "SecAuditLogFormat JSON\nSecAuditLogType Serial\n", "debug"},
        RunKind{"NativeConcurrent", "SecAuditLogFormat Native\nSecAuditLogType Concurrent\n",
                "debug"},
        RunKind{"JsonConcurrent", "SecAuditLogFormat JSON\nSecAuditLogType Concurrent\n", "info"}),
    [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace framewall::test
