// What the tests of the rules share.
#pragma once

#include <string>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {

inline constexpr char kWafRules[] = R"(
  SecRuleEngine On
  SecRequestBodyAccess On
  SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:90,phase:1,pass,nolog,t:lowercase,ctl:requestBodyProcessor=JSON"
  SecRule ARGS:deny "@streq 1" "id:1,phase:1,deny,status:403,log,auditlog"
  SecRule ARGS:deny2 "@streq 1" "id:2,phase:2,deny,status:406,log,auditlog"
  SecRule ARGS:redirect "@streq 1" "id:3,phase:1,redirect:http://elsewhere.test/x,status:302,log,auditlog"
  SecRule ARGS:drop "@streq 1" "id:4,phase:1,drop,log,auditlog"
  SecRule ARGS:quiet "@streq 1" "id:5,phase:1,drop,nolog"
  SecRule ARGS:allow "@streq 1" "id:6,phase:1,allow,log,auditlog"
  SecRule REQUEST_BODY|ARGS "@contains attack" "id:8,phase:2,deny,status:403,log,auditlog"
)";

inline constexpr char kWafAudit[] = R"(
  SecAuditEngine RelevantOnly
  SecAuditLogRelevantStatus ^[45]
  SecAuditLogFormat JSON
  SecAuditLogType Serial
  SecAuditLogParts ABFHZ
  SecAuditLog %%DIR%%/audit.log
)";

inline constexpr char kWafResponses[] = R"(
  SecResponseBodyAccess On
  SecResponseBodyMimeType text/html application/json
  SecResponseBodyLimit 1000
  SecResponseBodyLimitAction ProcessPartial
  SecRule RESPONSE_BODY "@contains secret" "id:20,phase:4,deny,status:403,log,auditlog"
)";

// One server with these rules, whose body is `server`.
inline std::string WafServer(const std::string& rules, const std::string& server,
                             const std::string& main = "") {
  return main +
         "\nevents {}\nhttp { server {\n  listen 127.0.0.1:%%PORT_0%%;\n"
         "  modsecurity on;\n  modsecurity_rules '" +
         rules + "';\n" + server + "\n} }\n";
}

inline std::string Pass(const FakeUpstream& upstream) {
  return "proxy_pass http://" + upstream.address() + ";";
}

inline std::string Answer(const std::string& body, const std::string& type = "text/html",
                          const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline HttpMessage Post(uint16_t port, const std::string& path, const std::string& body,
                        const std::string& more = "") {
  RawClient client(port);
  client.Send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return client.ReadResponse();
}

}  // namespace framewall::test
