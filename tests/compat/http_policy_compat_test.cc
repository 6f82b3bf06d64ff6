// The rows of the HTTP/1 policy table (docs: Appendix A of the architecture) as bytes, to nginx and
// to us, both in front of the same upstream.
#include <gtest/gtest.h>

#include "tests/compat/intended.h"
#include "tests/compat/nginx.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

struct Row {
  const char* name;
  const char* bytes;
};

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

constexpr Row kRows[] = {
    {"plain", kGet},
    {"LF-only line ends", "GET / HTTP/1.1\nHost: a\nConnection: close\n\n"},
    {"space before colon, Transfer-Encoding",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
    {"space before colon, Content-Length",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\nx"},
    {"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\nConnection: close\r\n\r\n"},
    {"obs-fold in Transfer-Encoding",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
    {"Transfer-Encoding in HTTP/1.0",
     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"identity, chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n"},
    {"gzip, chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"Transfer-Encoding twice",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n"},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"},
    {"no Host in 1.1", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"},
    {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n"},
    {"empty header name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\nConnection: close\r\n\r\n"},
    {"chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: "
     "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
    {"chunk data without CRLF",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
    {"bare LF in a chunk extension",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\nb\r\nabc\r\n0\r\n\r\n"},
    {"LF after chunk size",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"},
    {"LF after chunk data",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n"},
    {"space after chunk size",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n"},
    {"Content-Length with Transfer-Encoding",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n"},
    {"Content-Length repeated",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
    {"Content-Length signed", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx"},
    {"Content-Length negative", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx"},
    {"Content-Length listed", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"},
    {"Content-Length empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
    {"Content-Length overflowing",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"},
    {"odd character in a header name",
     "GET / HTTP/1.1\r\nHost: a\r\nX[: b\r\nConnection: close\r\n\r\n"},
    {"header line without a colon",
     "GET / HTTP/1.1\r\nHost: a\r\nXabc\r\nConnection: close\r\n\r\n"},
    {"control character in a header name",
     "GET / HTTP/1.1\r\nHost: a\r\nX\x01: b\r\nConnection: close\r\n\r\n"},
    {"unknown method", "FOO / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"HTTP/2.0 without preface", "GET / HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"HTTP/0.9", "GET /\r\n"},
    {"byte 0x80 in the path", "GET /\x80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"absolute form, other host", "GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"NUL in the target, encoded", "GET /a%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"broken percent encoding", "GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"above the root", "GET /../../x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"target without a slash", "GET a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n"},
    {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"invalid Host", "GET / HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n"},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"},
    {"unknown Transfer-Encoding",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"},
    {"bad chunk size",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n"},
    {"chunk size overflowing",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n"},
    {"unknown Expect",
     "POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"},
    {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"TLS hello on a plain port", "\x16\x03\x01\x02\x01\r\n\r\n"},
};

constexpr char kConfig[] = R"(
events {}
http { server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://UPSTREAM; } } }
)";

// The status, "none" where the connection ended without an answer, "bare" for a body without head.
std::string Outcome(uint16_t port, const Row& row) {
  RawClient client(port);
  client.Send(row.bytes);
  const HttpMessage answer = client.ReadResponse();
  if (answer.raw.empty() && client.ReadToEnd().empty()) return "none";
  return answer.status() >= 100 ? std::to_string(answer.status()) : "bare";
}

TEST(HttpPolicyCompat, StatusesAreNginxsOrListed) {
  if (!HasNginx()) GTEST_SKIP() << "no nginx";
  FakeUpstream upstream(
      FakeUpstream::Once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
  std::string config = kConfig;
  config.replace(config.find("UPSTREAM"), 8, upstream.address());
  ProxyProcess nginx(config, kNginx);
  ProxyProcess framewall(config);
  ASSERT_TRUE(nginx.Start()) << nginx.Output();
  ASSERT_TRUE(framewall.Start()) << framewall.Output();
  const IntendedDifferences intended("http_policy");
  for (const Row& row : kRows) {
    const std::string theirs = Outcome(nginx.port(0), row);
    const std::string ours = Outcome(framewall.port(0), row);
    if (theirs == ours) continue;
    EXPECT_NE(intended.Find(row.name, theirs, ours), nullptr)
        << row.name << "\n  nginx:     " << theirs << "\n  framewall: " << ours;
  }
  for (const std::string& what : intended.Unused()) {
    ADD_FAILURE() << "intended difference that no row needs: " << what;
  }
}

}  // namespace
}  // namespace framewall::test
