#include "tests/unit/waf/https_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "tests/support/temp_dir.h"

namespace framewall::waf {
namespace {

// Debian's libcurl is built to look here, and no variable changes it.
constexpr char kAuthorities[] = "/etc/ssl/certs/ca-certificates.crt";

void Put(const char* path, const std::string& text) { std::ofstream(path) << text; }

bool ReplaceAuthorities(const std::string& file) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return false;
  if (user != 0) {
    Put("/proc/self/setgroups", "deny");
    Put("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    Put("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(file.c_str(), kAuthorities, nullptr, MS_BIND, nullptr) == 0;
}

}  // namespace

HttpsServer::HttpsServer(std::map<std::string, std::string> pages)
    : pages_(std::move(pages)),
      authority_(test::Certificate::Authority("test authority")),
      certificate_(authority_.Issue("localhost", {"localhost"})) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

HttpsServer::~HttpsServer() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

std::string HttpsServer::Url(const std::string& path) const {
  return "https://localhost:" + std::to_string(port_) + path;
}

std::vector<std::string> HttpsServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpsServer::Serve() {
  // A client that refuses our certificate leaves in the middle of a flight.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!stop_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 50) != 1) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const timeval patience{5, 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Answer(connection);
    ::close(connection);
  }
}

void HttpsServer::Answer(int connection) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  &SSL_CTX_free);
  const auto use = [](const std::string& pem, auto read, auto take) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    take(read(bio.get(), nullptr, nullptr, nullptr));
  };
  use(certificate_.CertificatePem(), PEM_read_bio_X509, [&](X509* certificate) {
    SSL_CTX_use_certificate(context.get(), certificate);
    X509_free(certificate);
  });
  use(certificate_.KeyPem(), PEM_read_bio_PrivateKey, [&](EVP_PKEY* key) {
    SSL_CTX_use_PrivateKey(context.get(), key);
    EVP_PKEY_free(key);
  });
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(tls.get(), connection);
  if (SSL_accept(tls.get()) != 1) return;

  std::string head;
  char buffer[2048];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const int count = SSL_read(tls.get(), buffer, sizeof buffer);
    if (count <= 0) return;
    head.append(buffer, static_cast<std::size_t>(count));
  }
  const std::size_t path = head.find(' ') + 1;
  const auto page = pages_.find(head.substr(path, head.find(' ', path) - path));
  const std::string body = page == pages_.end() ? "nothing here" : page->second;
  const std::string answer =
      std::string("HTTP/1.1 ") + (page == pages_.end() ? "404 Not Found" : "200 OK") +
      "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(head));
  }
  SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
  SSL_shutdown(tls.get());
}

std::optional<std::string> TrustingOnly(const std::string& authority,
                                        const std::function<std::string()>& work) {
  const test::TempDir directory;
  const std::string file = directory.Write("authorities.crt", authority);
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    if (!ReplaceAuthorities(file)) ::_exit(77);
    std::string_view result;
    const std::string text = work();
    for (result = text; !result.empty();) {
      const ssize_t count = ::write(ends[1], result.data(), result.size());
      if (count <= 0) ::_exit(1);
      result.remove_prefix(static_cast<std::size_t>(count));
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string result;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    result.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return "the child ended with " + std::to_string(status) + " after: " + result;
  }
  return result;
}

}  // namespace framewall::waf
