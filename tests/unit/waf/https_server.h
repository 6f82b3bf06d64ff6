// A small HTTPS server on the loopback, and a process that trusts its authority.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificate.h"

namespace framewall::waf {

// Answers each path with its text, others with 404; one request a connection.
class HttpsServer {
 public:
  explicit HttpsServer(std::map<std::string, std::string> pages);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  // "https://localhost:PORT/path"
  std::string Url(const std::string& path) const;
  std::string AuthorityPem() const { return authority_.CertificatePem(); }
  // Heads of the requests so far.
  std::vector<std::string> requests() const;

 private:
  void Serve();
  void Answer(int connection);

  std::map<std::string, std::string> pages_;
  test::Certificate authority_;
  test::Certificate certificate_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// Runs `work` in a process of its own whose system trusts `authority` (PEM)
// alone, and returns its result. libcurl as libmodsecurity uses it looks nowhere
// but in the system's file of authorities, so the process gets a mount namespace
// in which that file is another. Nothing where that is not allowed.
std::optional<std::string> TrustingOnly(const std::string& authority,
                                        const std::function<std::string()>& work);

}  // namespace framewall::waf
