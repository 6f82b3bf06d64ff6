#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace framewall::test {
namespace {

// An address and port as the kernel takes it; the length is 0 where the text is none.
socklen_t MakeAddress(const std::string& text, uint16_t port, sockaddr_storage* storage) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof(sockaddr_in);
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof(sockaddr_in6);
  }
  return 0;
}

int ConnectTo(const std::string& address, uint16_t port, const std::string& source) {
  sockaddr_storage storage{};
  const socklen_t length = MakeAddress(address, port, &storage);
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_storage own{};
  if (!source.empty()) {
    const socklen_t own_length = MakeAddress(source, 0, &own);
    ::bind(fd, reinterpret_cast<sockaddr*>(&own), own_length);
  }
  if (::connect(fd, reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

// "h2,http/1.1" as TLS writes it: each name with its length before it.
std::string AlpnWire(const std::string& names) {
  std::string wire;
  for (size_t start = 0; start < names.size();) {
    size_t end = names.find(',', start);
    if (end == names.npos) end = names.size();
    wire += static_cast<char>(end - start);
    wire += names.substr(start, end - start);
    start = end + 1;
  }
  return wire;
}

SSL_CTX* ClientContext(const TlsClientOptions& options) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (options.min_version != 0) SSL_CTX_set_min_proto_version(context, options.min_version);
  if (options.max_version != 0) SSL_CTX_set_max_proto_version(context, options.max_version);
  if (!options.cipher_list.empty()) SSL_CTX_set_cipher_list(context, options.cipher_list.c_str());
  if (!options.certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  if (!options.alpn.empty()) {
    const std::string wire = AlpnWire(options.alpn);
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  }
  return context;
}

}  // namespace

RawClient::RawClient(uint16_t port) : wire_(ConnectTo("127.0.0.1", port, "")) {}

RawClient::RawClient(uint16_t port, const TlsClientOptions& options) : RawClient(port) {
  SSL_CTX* context = ClientContext(options);
  tls_established_ = wire_.StartTls(context, false, options.server_name);
  SSL_CTX_free(context);
}

RawClient RawClient::Unix(const std::string& path) {
  RawClient client;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd);
    return client;
  }
  client.wire_ = Wire(fd);
  return client;
}

RawClient RawClient::To(const std::string& address, uint16_t port, const std::string& source) {
  RawClient client;
  client.wire_ = Wire(ConnectTo(address, port, source));
  return client;
}

HttpMessage RawClient::ReadResponse(BodyRule rule) { return ReadMessage(wire_, pending_, rule); }

std::string RawClient::ReadToEnd() {
  std::string all = std::move(pending_);
  pending_.clear();
  for (std::string piece; !(piece = wire_.ReadSome()).empty();) all += piece;
  return all;
}

std::string RawClient::ReadUntil(std::string_view marker) {
  size_t at;
  while ((at = pending_.find(marker)) == pending_.npos) {
    const std::string piece = wire_.ReadSome();
    if (piece.empty()) return std::exchange(pending_, {});
    pending_ += piece;
  }
  std::string taken = pending_.substr(0, at + marker.size());
  pending_.erase(0, at + marker.size());
  return taken;
}

bool RawClient::WaitForClose() {
  if (!pending_.empty() || !wire_.ReadSome().empty()) return false;
  return wire_.at_end() || wire_.was_reset();
}

std::string SendAndRead(uint16_t port, std::string_view request) {
  RawClient client(port);
  client.Send(request);
  return client.ReadToEnd();
}

HttpMessage Get(uint16_t port, const std::string& path, const std::string& host) {
  RawClient client(port);
  client.Send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  return client.ReadResponse();
}

}  // namespace framewall::test
