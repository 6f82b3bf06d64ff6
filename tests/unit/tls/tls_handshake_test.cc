// Who is spoken to, with which certificate, and what is known of it afterwards.
#include "proxy/base/encoding.h"
#include "proxy/base/text.h"
#include "proxy/tls/session_cache.h"
#include "tests/unit/tls/support.h"

namespace framewall::tls {
namespace {

using TlsHandshake = TlsPair;

std::string NameOfPeer(const Stream& stream) { return stream.tls()->PeerSubject(); }

TEST_F(TlsHandshake, TellsWhatWasAgreed) {
  client_options.alpn = {"http/1.1"};
  client_options.send_server_name = true;
  client_peer.name = "a.example:443";
  server_options.alpn = {"h2", "http/1.1"};
  Join();
  ASSERT_TRUE(Secured());
  const event::TlsInfo& info = *server->tls();
  EXPECT_EQ("TLSv1.3", info.Protocol());
  EXPECT_EQ("TLS_AES_256_GCM_SHA384", info.Cipher());
  EXPECT_TRUE(info.Ciphers().starts_with("TLS_AES_256_GCM_SHA384:")) << info.Ciphers();
  EXPECT_EQ("X25519", info.Curve());
  EXPECT_TRUE(info.Curves().starts_with("X25519:prime256v1:")) << info.Curves();
  EXPECT_EQ("a.example", info.ServerName());
  EXPECT_EQ("http/1.1", info.Alpn());
  EXPECT_EQ("", info.EarlyData());
  EXPECT_FALSE(info.SessionReused());
  EXPECT_FALSE(info.HasPeerCertificate());
  EXPECT_EQ("NONE", info.VerifyText());
  EXPECT_EQ("", info.PeerSubject());
}

TEST_F(TlsHandshake, OffersOnlyTheProtocolsThatAreSet) {
  server_options.protocols = kTlsV12;
  server_options.session_tickets = false;
  Join();
  ASSERT_TRUE(Secured());
  EXPECT_EQ("TLSv1.2", client->tls()->Protocol());
  EXPECT_EQ(64u, server->tls()->SessionId().size());

  client_options.protocols = kTlsV13;
  client_context.reset();
  Join();
  ASSERT_TRUE(BothBroken());
  EXPECT_EQ(ErrorSource::kClient, server_notes.last_error.source);
  EXPECT_EQ(ErrorSource::kUpstream, client_notes.last_error.source);
}

TEST_F(TlsHandshake, RefusesProtocolsWithoutACommonName) {
  client_options.alpn = {"spdy/1"};
  hooks.alpn = {"h2"};
  Join();
  ASSERT_TRUE(BothBroken());
}

TEST_F(TlsHandshake, TheNameChoosesTheServer) {
  TestCertificate other("b.example", &ca);
  ServerTlsOptions options;
  options.certificates = {other.AsData()};
  const auto other_context = MustServer(options);
  std::vector<std::string> asked;
  hooks.choose = [&](std::string_view name, Stream&) {
    asked.emplace_back(name);
    return name == "b.example" ? other_context.get() : nullptr;
  };
  client_options.send_server_name = true;
  client_peer.name = "b.example";
  Join();
  ASSERT_TRUE(Secured());
  EXPECT_EQ("CN=b.example,O=Test", NameOfPeer(*client));

  client_peer.name = "127.0.0.1:443";  // an address is no name
  Join();
  ASSERT_TRUE(Secured());
  EXPECT_EQ("CN=a.example,O=Test", NameOfPeer(*client));
  EXPECT_EQ((std::vector<std::string>{"b.example", ""}), asked);
}

TEST_F(TlsHandshake, AServerMayRejectTheHandshake) {
  ServerTlsOptions reject;
  reject.reject_handshake = true;
  server_context = MustServer(reject);
  Join();
  ASSERT_TRUE(BothBroken());
  EXPECT_EQ(ErrorSource::kClient, server_notes.last_error.source);
  EXPECT_NE(std::string::npos, client_notes.last_error.message.find("unrecognized name"))
      << client_notes.last_error.message;
}

TEST_F(TlsHandshake, CertificatesMayBeLoadedForEachHandshake) {
  TempDir dir;
  dir.Write("a.example.crt", leaf.CertificatePem());
  dir.Write("a.example.key", leaf.KeyPem());
  ServerTlsOptions options;
  options.certificates_at_handshake = true;
  server_context = MustServer(options);
  hooks.certificates = [&](const ServerTlsContext&, Stream& stream) {
    const std::string name = stream.tls()->ServerName();
    return std::vector<CertificatePair>{{dir.Path(name + ".crt"), dir.Path(name + ".key")}};
  };
  client_options.send_server_name = true;
  client_peer.name = "a.example";
  Join();
  ASSERT_TRUE(Secured());
  EXPECT_EQ("CN=a.example,O=Test", NameOfPeer(*client));

  client_peer.name = "c.example";
  Join();
  ASSERT_TRUE(BothBroken());
  EXPECT_TRUE(server_notes.last_error.message.starts_with(
      "cannot load certificate \"" + dir.Path("c.example.crt") + "\": BIO_new_file() failed (SSL:"))
      << server_notes.last_error.message;
}

class Verifies : public TlsPair {
 protected:
  Verifies() {
    client_options.verify = true;
    client_options.trusted_certificate_file = dir.Write("ca.pem", ca.CertificatePem());
    client_peer.name = "a.example";
  }
  TempDir dir;
};

TEST_F(Verifies, AGoodCertificatePasses) {
  Join();
  EXPECT_TRUE(Secured()) << client_notes.last_error.message;
}

TEST_F(Verifies, AnotherNameDoesNot) {
  client_peer.name = "b.example:8443";
  Join();
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.broken == 1; }));
  EXPECT_EQ("upstream SSL certificate does not match \"b.example\"",
            client_notes.last_error.message);
  EXPECT_EQ(ErrorSource::kUpstream, client_notes.last_error.source);
  EXPECT_EQ(0, client_notes.secured);
}

TEST_F(Verifies, NoNameDoesNot) {
  client_peer.name = "";
  Join();
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.broken == 1; }));
}

TEST_F(Verifies, AnUnknownIssuerDoesNot) {
  TestCertificate stranger("a.example");
  server_options.certificates = {stranger.AsData()};
  Join();
  ASSERT_TRUE(RunUntil(loop, [&] { return client_notes.broken == 1; }));
  EXPECT_EQ("upstream SSL certificate verify error: (18:self-signed certificate)",
            client_notes.last_error.message);
}

TEST_F(TlsHandshake, TellsOfTheClientsCertificate) {
  TempDir dir;
  TestCertificate user("user", &ca);
  server_options.verify_client = true;
  server_options.client_certificate_file = dir.Write("ca.pem", ca.CertificatePem());
  client_options.certificate = user.AsData();
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  const event::TlsInfo& info = *server->tls();
  EXPECT_TRUE(info.HasPeerCertificate());
  EXPECT_EQ("SUCCESS", info.VerifyText());
  EXPECT_EQ(0, info.VerifyResult());
  EXPECT_EQ("CN=user,O=Test", info.PeerSubject());
  EXPECT_EQ("CN=Test CA,O=Test", info.PeerIssuer());
  EXPECT_EQ("/O=Test/CN=user", info.PeerSubjectLegacy());
  EXPECT_EQ("/O=Test/CN=Test CA", info.PeerIssuerLegacy());
  EXPECT_EQ(user.CertificatePem(), info.PeerCertificatePem());
  EXPECT_EQ(40u, info.PeerFingerprint().size());
  EXPECT_EQ("30", info.PeerDaysRemaining());
  EXPECT_TRUE(info.PeerNotAfter().ends_with(" GMT")) << info.PeerNotAfter();
  EXPECT_TRUE(HexDecode(info.PeerSerial()).has_value()) << info.PeerSerial();
}

TEST_F(TlsHandshake, AWrongClientCertificateIsLeftToHttp) {
  TempDir dir;
  TestCertificate stranger("stranger");
  server_options.verify_client = true;
  server_options.client_certificate_file = dir.Write("ca.pem", ca.CertificatePem());
  client_options.certificate = stranger.AsData();
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  EXPECT_EQ("FAILED:self-signed certificate", server->tls()->VerifyText());
}

class Resumes : public TlsPair {
 protected:
  // A second connection after one that worked: was its session resumed?
  bool SecondIsReused() {
    client_peer.session = &slot;
    for (int i = 0; i < 2; ++i) {
      Join();
      EXPECT_TRUE(Secured());
      Talk();
      EXPECT_EQ(server->tls()->SessionReused(), client->tls()->SessionReused());
      if (i == 0) {
        client.reset();
        server.reset();
      }
    }
    return server->tls()->SessionReused();
  }
  void UseSharedCache() {
    server_options.session_cache = ServerTlsOptions::SessionCache::kUse;
    server_options.shared_cache = *SharedSessionCache::Create(SharedSessionCache::kMinSize);
  }
  SessionSlot slot;
};

TEST_F(Resumes, WithTickets) { EXPECT_TRUE(SecondIsReused()); }
TEST_F(Resumes, WithTicketsOfTls12) {
  server_options.protocols = kTlsV12;
  EXPECT_TRUE(SecondIsReused());
}
TEST_F(Resumes, NotWithoutTicketsAndCache) {
  server_options.session_tickets = false;
  EXPECT_FALSE(SecondIsReused());
}
TEST_F(Resumes, FromTheSharedCache) {
  UseSharedCache();
  server_options.session_tickets = false;
  EXPECT_TRUE(SecondIsReused());
}
TEST_F(Resumes, FromTheSharedCacheWithTls12) {
  UseSharedCache();
  server_options.session_tickets = false;
  server_options.protocols = kTlsV12;
  EXPECT_TRUE(SecondIsReused());
}
TEST_F(Resumes, NotWhereTheClientDoesNotWantIt) {
  client_options.session_reuse = false;
  EXPECT_FALSE(SecondIsReused());
}

TEST_F(Resumes, AcrossContextsWithTheSameTicketKeys) {
  TempDir dir;
  const std::string old_key = dir.Write("old", std::string(80, 'o'));
  const std::string new_key = dir.Write("new", std::string(48, 'n'));
  client_peer.session = &slot;
  server_options.ticket_key_files = {old_key};
  Join();
  ASSERT_TRUE(Secured());
  Talk();
  client.reset();
  server.reset();
  server_options.ticket_key_files = {new_key, old_key};
  server_context = MustServer(server_options);
  Join();
  ASSERT_TRUE(Secured());
  EXPECT_TRUE(server->tls()->SessionReused());
  Talk();
  client.reset();
  server.reset();
  // The ticket was made anew with the new key, so the old one may go.
  server_options.ticket_key_files = {new_key};
  server_context = MustServer(server_options);
  Join();
  ASSERT_TRUE(Secured());
  EXPECT_TRUE(server->tls()->SessionReused());
}

TEST_F(Resumes, TicketsOfTheFirstContextServeWhereTheNameChoosesAnother) {
  TempDir dir;
  server_options.ticket_key_files = {dir.Write("key", std::string(48, 'k'))};
  ServerTlsOptions options;
  options.certificates = {leaf.AsData()};
  const auto other = MustServer(options);
  hooks.choose = [&](std::string_view, Stream&) { return other.get(); };
  EXPECT_TRUE(SecondIsReused());
}

TEST(ServerTlsContext, ErrorsNameTheCallAndTheReason) {
  const auto message = [](const ServerTlsOptions& options) {
    auto context = ServerTlsContext::Create(options);
    return context.ok() ? std::string("ok") : context.error().message;
  };
  ServerTlsOptions ciphers;
  ciphers.ciphers = "NO-SUCH";
  EXPECT_TRUE(message(ciphers).starts_with(
      "SSL_CTX_set_cipher_list(\"NO-SUCH\") failed (SSL: error:0A0000B9:"))
      << message(ciphers);
  ServerTlsOptions curves;
  curves.curves = "no-such";
  EXPECT_TRUE(message(curves).starts_with("SSL_CTX_set1_curves_list(\"no-such\") failed"))
      << message(curves);
  ServerTlsOptions command;
  command.conf_commands = {{"Unknown", "x"}};
  EXPECT_TRUE(message(command).starts_with("SSL_CONF_cmd(\"Unknown\", \"x\") failed (SSL: "))
      << message(command);
  ServerTlsOptions key;
  key.ticket_key_files = {"/dev/null"};
  EXPECT_EQ("\"/dev/null\" must be 48 or 80 bytes", message(key));
  EXPECT_EQ("ok", message({}));
}

}  // namespace
}  // namespace framewall::tls
