// Certificates made on the spot and pairs of TLS streams over a socket pair.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "proxy/event/tcp_stream.h"
#include "proxy/tls/tls_stream.h"
#include "tests/unit/event/support.h"

namespace framewall::tls {

using event::EventLoop;
using event::Notes;
using event::ReadPause;
using event::RunIdle;
using event::RunUntil;
using event::Send;
using event::SocketPair;
using event::Stream;
using event::UnixPair;

// An EC key with a certificate for `name`, signed by `issuer` or by itself.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& name, const TestCertificate* issuer = nullptr)
      : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    X509* c = certificate_.get();
    X509_set_version(c, 2);
    static long serial = 0x1000;
    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 86400L * 30 + 3600);
    X509_set_pubkey(c, key_.get());
    X509_NAME* subject = X509_get_subject_name(c);
    AddName(subject, "O", "Test");
    AddName(subject, "CN", name);
    const TestCertificate& by = issuer == nullptr ? *this : *issuer;
    X509_set_issuer_name(c, X509_get_subject_name(by.certificate_.get()));
    AddExtension(NID_subject_alt_name, "DNS:" + name);
    AddExtension(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    X509_sign(c, by.key_.get(), EVP_sha256());
  }

  X509* certificate() const { return certificate_.get(); }
  std::string CertificatePem() const {
    return Pem([this](BIO* out) { PEM_write_bio_X509(out, certificate_.get()); });
  }
  std::string KeyPem(const std::string& password = "") const {
    return Pem([&](BIO* out) {
      auto* text = reinterpret_cast<unsigned char*>(const_cast<char*>(password.data()));
      PEM_write_bio_PrivateKey(out, key_.get(), password.empty() ? nullptr : EVP_aes_128_cbc(),
                               password.empty() ? nullptr : text, static_cast<int>(password.size()),
                               nullptr, nullptr);
    });
  }
  CertificatePair AsData() const { return {"data:" + CertificatePem(), "data:" + KeyPem()}; }

 private:
  static void AddName(X509_NAME* name, const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
  }
  void AddExtension(int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class Write>
  static std::string Pem(Write write) {
    const UniqueBio bio(BIO_new(BIO_s_mem()));
    write(bio.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<size_t>(size));
  }
  UniqueKey key_;
  UniqueCertificate certificate_;
};

class TempDir {
 public:
  TempDir() { EXPECT_NE(nullptr, ::mkdtemp(path_)); }
  ~TempDir() { EXPECT_EQ(0, std::system((std::string("rm -r ") + path_).c_str())); }
  std::string Path(const std::string& name) const { return std::string(path_) + "/" + name; }
  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }

 private:
  char path_[32] = "/tmp/fw-tls-test-XXXXXX";
};

inline std::unique_ptr<ServerTlsContext> MustServer(const ServerTlsOptions& options) {
  auto context = ServerTlsContext::Create(options);
  if (!context.ok()) {
    ADD_FAILURE() << context.error().message;
    return nullptr;
  }
  return std::move(*context);
}
inline std::unique_ptr<ClientTlsContext> MustClient(const ClientTlsOptions& options) {
  auto context = ClientTlsContext::Create(options);
  if (!context.ok()) {
    ADD_FAILURE() << context.error().message;
    return nullptr;
  }
  return std::move(*context);
}

// A server and a client stream, joined.
class TlsPair : public ::testing::Test {
 protected:
  TlsPair() : ca("Test CA"), leaf("a.example", &ca) {
    server_options.certificates = {leaf.AsData()};
  }

  // Both ends over a new socket pair; contexts are made where there are none.
  void Join() {
    if (!server_context) server_context = MustServer(server_options);
    if (!client_context) client_context = MustClient(client_options);
    int fds[2];
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    server_notes = Notes();
    client_notes = Notes();
    server =
        MakeTlsServerStream(loop, fds[0], *server_context, hooks, SocketAddress(), SocketAddress());
    server->SetHandler(&server_notes);
    auto made = MakeTlsClientStream(
        loop, event::MakeTcpStream(loop, fds[1], SocketAddress(), SocketAddress()), *client_context,
        client_peer);
    ASSERT_TRUE(made.ok()) << made.error().message;
    client = std::move(*made);
    client->SetHandler(&client_notes);
  }
  bool Secured() {
    return RunUntil(loop,
                    [&] {
                      return (server_notes.secured == 1 && client_notes.secured == 1) ||
                             server_notes.broken + client_notes.broken > 0;
                    }) &&
           server_notes.secured == 1 && client_notes.secured == 1;
  }
  bool BothBroken() {
    return RunUntil(loop, [&] { return server_notes.broken == 1 && client_notes.broken == 1; });
  }
  // Request and answer: afterwards session tickets have come.
  void Talk() {
    client->Write("ping");
    ASSERT_TRUE(RunUntil(loop, [&] { return server_notes.received == "ping"; }));
    server->Write("pong");
    ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.received == "pong"; }));
  }

  EventLoop loop;
  TestCertificate ca, leaf;
  ServerTlsOptions server_options;
  ClientTlsOptions client_options;
  ClientTlsPeer client_peer;
  ServerTlsHooks hooks;
  std::unique_ptr<ServerTlsContext> server_context;
  std::unique_ptr<ClientTlsContext> client_context;
  Notes server_notes, client_notes;
  std::unique_ptr<Stream> server, client;
};

}  // namespace framewall::tls
