// An upstream that does as it is told: on each connection, in a thread of its own, it runs a
// script.
//
//   FakeUpstream upstream([](FakeUpstream::Peer& peer) {
//     while (peer.ReadRequest().complete) peer.Send("HTTP/1.1 200 OK\r\nContent-Length:
//     2\r\n\r\nok");
//   });
//   "proxy_pass http://127.0.0.1:" + std::to_string(upstream.port())
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/http_message.h"
#include "tests/support/wire.h"

namespace framewall::test {

class FakeUpstream {
 public:
  class Peer {
   public:
    // The next request, body and all; not complete where the connection ended. It is recorded.
    HttpMessage ReadRequest(BodyRule rule = BodyRule::kByHead);
    bool Send(std::string_view bytes) { return wire_.Send(bytes); }
    // Octets of a body that ReadRequest left; empty at the end.
    std::string ReadSome();
    // Waits until the proxy closes; false where it sends something or stays.
    bool WaitForClose();
    void ShutdownWrite() { wire_.ShutdownWrite(); }
    void Close() { wire_.Close(); }
    void Reset() { wire_.Reset(); }
    Wire& wire() { return wire_; }
    // 0 for the first connection.
    int number() const { return number_; }

   private:
    friend class FakeUpstream;
    Peer(FakeUpstream& upstream, Wire wire, int number);
    FakeUpstream& upstream_;
    Wire wire_;
    std::string pending_;
    int number_;
  };
  using Script = std::function<void(Peer&)>;
  struct Options {
    std::string unix_path;         // instead of a port
    std::string certificate_file;  // TLS
    std::string key_file;
    std::string client_ca_file;  // asks for a certificate
  };

  explicit FakeUpstream(Script script) : FakeUpstream(std::move(script), Options()) {}
  FakeUpstream(Script script, const Options& options);
  // Reads a request, sends `response`, as long as requests come.
  static Script Always(std::string response);
  // Reads one request, sends `response` and closes.
  static Script Once(std::string response);
  // Stops listening, breaks what is open and waits for the threads.
  ~FakeUpstream();
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Everything that ReadRequest has read so far.
  std::vector<HttpMessage> requests() const;
  int connections() const { return connections_; }

 private:
  void Accept();
  void Serve(int fd, int number);

  Script script_;
  std::string unix_path_;
  SSL_CTX* tls_ = nullptr;
  uint16_t port_ = 0;  // before listener_, which fills it in
  int listener_ = -1;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<HttpMessage> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepter_;
};

}  // namespace framewall::test
