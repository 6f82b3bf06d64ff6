// TLS on the client's side and towards upstreams, over the real binary.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tests/support/certificate.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr char kRequest[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

std::string PeerName(RawClient& client) {
  X509* certificate = SSL_get1_peer_certificate(client.wire().ssl());
  if (certificate == nullptr) return {};
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  X509_free(certificate);
  return name;
}

class Tls : public testing::Test {
 protected:
  Tls() {
    Certificate::SelfSigned("a.example", {"a.example"}).Write(files_, "a");
    Certificate::SelfSigned("b.example", {"b.example"}).Write(files_, "b");
    authority_.Write(files_, "ca");
    authority_.Issue("alice").Write(files_, "alice");
    Certificate::SelfSigned("mallory").Write(files_, "mallory");
  }
  std::string Files(const std::string& name) const {
    return "ssl_certificate " + files_.File(name + ".crt") + "; ssl_certificate_key " +
           files_.File(name + ".key") + "; ";
  }
  void Start(const std::string& http) {
    proxy_ = std::make_unique<ProxyProcess>("events {} http { " + http + " }");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  HttpMessage Ask(const TlsClientOptions& options, const std::string& request = kRequest) {
    RawClient client(proxy_->port(0), options);
    if (!client.tls_established()) return {};
    client.Send(request);
    return client.ReadResponse();
  }
  TlsClientOptions As(const std::string& name) const {
    TlsClientOptions options;
    options.server_name = "a.example";
    if (!name.empty()) {
      options.certificate_file = files_.File(name + ".crt");
      options.key_file = files_.File(name + ".key");
    }
    return options;
  }

  TempDir files_;
  Certificate authority_ = Certificate::Authority("ca");
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Tls, TheNameAskedForChoosesCertificateAndServer) {
  Start(
      "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name a.example; " + Files("a") +
      "return 200 \"a $ssl_server_name\"; } server { listen 127.0.0.1:%%PORT_0%% ssl; server_name "
      "b.example; " +
      Files("b") + "return 200 \"b $ssl_server_name\"; }");
  struct Case {
    const char* name;
    const char* certificate;
  };
  for (const Case& one : {Case{"a.example", "a.example"},
                          {"b.example", "b.example"},
                          {"B.EXAMPLE", "b.example"},
                          {"other.example", "a.example"},
                          {"", "a.example"}}) {
    TlsClientOptions options;
    options.server_name = one.name;
    RawClient client(proxy_->port(0), options);
    ASSERT_TRUE(client.tls_established()) << one.name;
    EXPECT_EQ(PeerName(client), one.certificate) << one.name;
    client.Send("GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
    // Host decides which server answers.
    EXPECT_EQ(client.ReadResponse().body.substr(0, 2), "b ") << one.name;
  }
}

TEST_F(Tls, OnlyTheVersionsOfTheConfigurationAreSpoken) {
  const std::string rest = "server_name a.example; " + Files("a") + "return 200 $ssl_protocol; } ";
  Start("server { listen 127.0.0.1:%%PORT_0%% ssl; " + rest +
        "server { listen 127.0.0.1:%%PORT_1%% ssl; ssl_protocols TLSv1.2; " + rest +
        "server { listen 127.0.0.1:%%PORT_2%% ssl; ssl_protocols TLSv1.3; " + rest);
  const auto version = [this](size_t port, int only) -> std::string {
    TlsClientOptions options;
    options.min_version = options.max_version = only;
    RawClient client(proxy_->port(port), options);
    if (!client.tls_established()) return "none";
    client.Send(kRequest);
    return client.ReadResponse().body;
  };
  EXPECT_EQ(version(0, TLS1_2_VERSION), "TLSv1.2");
  EXPECT_EQ(version(0, TLS1_3_VERSION), "TLSv1.3");
  EXPECT_EQ(version(1, TLS1_2_VERSION), "TLSv1.2");
  EXPECT_EQ(version(1, TLS1_3_VERSION), "none");
  EXPECT_EQ(version(2, TLS1_2_VERSION), "none");
  EXPECT_EQ(version(2, TLS1_3_VERSION), "TLSv1.3");
}

TEST_F(Tls, ClientCertificatesAreCheckedAndShown) {
  const std::string server = "server_name a.example; " + Files("a") + "ssl_client_certificate " +
                             files_.File("ca.crt") +
                             "; location / { return 200 \"$ssl_client_verify|$ssl_client_s_dn|"
                             "$ssl_client_i_dn\"; } ";
  for (const std::string mode : {"optional", "on"}) {
    Start("server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_verify_client " + mode + "; " + server +
          "}");
    EXPECT_EQ(Ask(As("alice")).body, "SUCCESS|CN=alice|CN=ca") << mode;
    const HttpMessage without = Ask(As(""));
    EXPECT_EQ(without.status(), mode == "on" ? 400 : 200);
    if (mode == "optional") {
      EXPECT_EQ(without.body, "NONE||");
    } else {
      EXPECT_NE(without.body.find("No required SSL certificate was sent"), std::string::npos);
    }
    const HttpMessage forged = Ask(As("mallory"));
    EXPECT_EQ(forged.status(), 400) << mode;
    EXPECT_NE(forged.body.find("The SSL certificate error"), std::string::npos);
  }
}

TEST_F(Tls, AServerMayRejectTheHandshake) {
  Start(
      "server { listen 127.0.0.1:%%PORT_0%% ssl default_server; ssl_reject_handshake on; } "
      "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name a.example; " +
      Files("a") + "return 200 in; }");
  TlsClientOptions unknown;
  unknown.server_name = "unknown.example";
  EXPECT_FALSE(RawClient(proxy_->port(0), unknown).tls_established());
  EXPECT_FALSE(RawClient(proxy_->port(0), TlsClientOptions()).tls_established());
  EXPECT_EQ(Ask(As("")).body, "in");
}

TEST_F(Tls, PlainHttpIsAnsweredInPlainWords) {
  Start("server { listen 127.0.0.1:%%PORT_0%% ssl; " + Files("a") +
        "return 200 $https; } server { listen 127.0.0.1:%%PORT_1%% ssl; " + Files("a") +
        "error_page 497 =302 https://$host$request_uri; return 200 x; }");
  const std::string answer = SendAndRead(proxy_->port(0), kRequest);
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400") << answer;
  EXPECT_NE(answer.find("The plain HTTP request was sent to HTTPS port"), std::string::npos);
  const std::string redirect =
      SendAndRead(proxy_->port(1), "GET /x?y HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_NE(redirect.find("Location: https://a.example/x?y\r\n"), std::string::npos) << redirect;
  EXPECT_EQ(Ask(As("")).body, "on");
  // Neither HTTP nor TLS: no answer, and the next is served.
  SendAndRead(proxy_->port(0), std::string("\x16\x03\x01\x00\x05hello", 10));
  EXPECT_EQ(Ask(As("")).body, "on");
}

// One TLS 1.2 connection that tries to go on with `session`; returns the body, and the session.
std::string Resume(uint16_t port, bool tickets, SSL_SESSION** session) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (!tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  RawClient plain(port);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, plain.wire().fd());
  if (*session != nullptr) {
    SSL_set_session(ssl, *session);
    SSL_SESSION_free(*session);
    *session = nullptr;
  }
  std::string answer;
  if (SSL_connect(ssl) == 1) {
    const std::string request = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
    SSL_write(ssl, request.data(), static_cast<int>(request.size()));
    char buffer[4096];
    for (int got; (got = SSL_read(ssl, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    *session = SSL_get1_session(ssl);
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  const size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? answer : answer.substr(body + 4);
}

TEST_F(Tls, SessionsAreResumedFromCacheAndTicket) {
  const std::string rest = Files("a") + "return 200 \"$ssl_session_reused\"; } ";
  Start(
      "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_session_cache shared:one:1m; "
      "ssl_session_tickets off; " +
      rest + "server { listen 127.0.0.1:%%PORT_1%% ssl; ssl_session_cache none; " + rest +
      "server { listen 127.0.0.1:%%PORT_2%% ssl; ssl_session_cache none; ssl_session_tickets "
      "off; " +
      rest);
  struct Case {
    size_t port;
    bool tickets;
    const char* second;
  };
  for (const Case& one : {Case{0, false, "r"}, {1, true, "r"}, {2, true, "."}}) {
    SSL_SESSION* session = nullptr;
    EXPECT_EQ(Resume(proxy_->port(one.port), one.tickets, &session), ".") << one.port;
    EXPECT_EQ(Resume(proxy_->port(one.port), one.tickets, &session), one.second) << one.port;
    if (session != nullptr) SSL_SESSION_free(session);
  }
}

TEST_F(Tls, MuchDataPassesBothWays) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    for (HttpMessage request; (request = peer.ReadRequest()).complete;) {
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request.body.size()) +
                "\r\n\r\n" + request.body);
    }
  });
  Start("client_max_body_size 0; server { listen 127.0.0.1:%%PORT_0%% ssl; " + Files("a") +
        "proxy_http_version 1.1; location / { proxy_pass http://" + upstream.address() +
        "; } location /stream { proxy_request_buffering off; proxy_pass http://" +
        upstream.address() + "; } }");
  std::string body;
  while (body.size() < 5000000) body += std::to_string(body.size()) + ",";
  RawClient client(proxy_->port(0), As(""));
  for (const std::string path : {"/", "/stream"}) {
    client.Send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_TRUE(client.ReadResponse().body == body) << path;
  }
}

TEST_F(Tls, ATruncatedAnswerHasNoCloseNotify) {
  FakeUpstream upstream(
      FakeUpstream::Once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"));
  Start("server { listen 127.0.0.1:%%PORT_0%% ssl; " + Files("a") +
        "location / { proxy_http_version 1.1; proxy_pass http://" + upstream.address() + "; } }");
  RawClient client(proxy_->port(0), As(""));
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const HttpMessage response = client.ReadResponse();
  EXPECT_FALSE(response.complete);
  EXPECT_FALSE(client.wire().at_end());
}

TEST_F(Tls, ConnectionsToVerifiedUpstreamsAreKept) {
  authority_.Issue("up.example", {"up.example"}).Write(files_, "up");
  FakeUpstream::Options options;
  options.certificate_file = files_.File("up.crt");
  options.key_file = files_.File("up.key");
  options.client_ca_file = files_.File("ca.crt");
  FakeUpstream upstream(FakeUpstream::Always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
                        options);
  const std::string verify =
      "proxy_ssl_verify on; proxy_ssl_server_name on; proxy_ssl_name up.example; "
      "proxy_http_version 1.1; proxy_set_header Connection \"\"; "
      "proxy_ssl_certificate " +
      files_.File("alice.crt") + "; proxy_ssl_certificate_key " + files_.File("alice.key") + "; ";
  Start("upstream u { server " + upstream.address() +
        "; keepalive 4; } "
        "server { listen 127.0.0.1:%%PORT_0%% ssl; " +
        Files("a") + verify + "location /right { proxy_ssl_trusted_certificate " +
        files_.File("ca.crt") +
        "; proxy_pass https://u; } location /wrong { proxy_ssl_trusted_certificate " +
        files_.File("b.crt") + "; proxy_pass https://u; } }");
  const std::string right = "GET /right HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(As(""), right).body, "ok");
  EXPECT_EQ(upstream.connections(), 1);
  // A kept connection that another place has verified by its own rules is not taken.
  EXPECT_EQ(Ask(As(""), "GET /wrong HTTP/1.1\r\nHost: a\r\n\r\n").status(), 502);
  EXPECT_TRUE(proxy_->WaitForLog("upstream SSL certificate verify error"));
  EXPECT_EQ(upstream.requests().size(), 5u);
}

}  // namespace
}  // namespace framewall::test
