// A client that sends exactly the bytes it is given.
//
//   RawClient client(port);
//   client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   EXPECT_EQ(client.ReadResponse().status(), 200);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/http_message.h"
#include "tests/support/wire.h"

namespace framewall::test {

struct TlsClientOptions {
  std::string server_name;       // SNI; empty: none
  std::string certificate_file;  // our own, PEM
  std::string key_file;
  std::string alpn;     // "h2,http/1.1"
  int min_version = 0;  // TLS1_2_VERSION, …; 0: any
  int max_version = 0;
  std::string cipher_list;  // TLS 1.2
};

class RawClient {
 public:
  // Connects to 127.0.0.1; see connected().
  explicit RawClient(uint16_t port);
  RawClient(uint16_t port, const TlsClientOptions& options);
  static RawClient Unix(const std::string& path);
  // To any address text, "::1" too; `source` (may be empty) is the address we come from.
  static RawClient To(const std::string& address, uint16_t port, const std::string& source = "");

  bool connected() const { return wire_.open(); }
  bool tls_established() const { return tls_established_; }
  bool Send(std::string_view bytes) { return wire_.Send(bytes); }

  // The next response; `rule` kNoBody for HEAD. 1xx responses are messages of their own.
  HttpMessage ReadResponse(BodyRule rule = BodyRule::kByHead);
  // Everything up to the end of the connection.
  std::string ReadToEnd();
  // At least until `marker` has come; what came after it stays for the next read. Returns what was
  // read, without the marker where it never came.
  std::string ReadUntil(std::string_view marker);
  // True where the peer has closed or reset the connection and nothing unread was left.
  bool WaitForClose();

  void ShutdownWrite() { wire_.ShutdownWrite(); }
  void Close() { wire_.Close(); }
  void Reset() { wire_.Reset(); }
  Wire& wire() { return wire_; }

 private:
  RawClient() = default;
  Wire wire_;
  std::string pending_;
  bool tls_established_ = false;
};

// One connection, one request, everything that comes back.
std::string SendAndRead(uint16_t port, std::string_view request);
// "GET path HTTP/1.1" with "Connection: close".
HttpMessage Get(uint16_t port, const std::string& path, const std::string& host = "localhost");

}  // namespace framewall::test
