// What the tests of tokens share.
#pragma once

#include <string>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"
#include "tests/support/token_issuer.h"

namespace framewall::test {

// GET with `fields`, lines that end in CRLF.
inline HttpMessage GetWith(uint16_t port, const std::string& path, const std::string& fields = "") {
  RawClient client(port);
  client.Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
              "Connection: close\r\n\r\n");
  return client.ReadResponse();
}

inline std::string Bearer(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}

inline HttpMessage GetAs(uint16_t port, const std::string& path, const std::string& token) {
  return GetWith(port, path, Bearer(token));
}

inline std::string OkResponse(const std::string& body = "ok") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// One server; `server` stands in it, `http` before it.
inline std::string TokenServer(const std::string& server, const std::string& http = "",
                               const std::string& main = "") {
  return main + "\nevents {}\nhttp {\n" + http +
         "\n  server {\n    listen 127.0.0.1:%%PORT_0%%;\n" + server + "\n  }\n}\n";
}

}  // namespace framewall::test
