// The policy table of docs/architecture.md, row by row: what framewall takes and what it refuses
// where HTTP/1 parsers differ. Each case is fed whole and one octet at a time.
#include <gtest/gtest.h>

#include "tests/unit/http/recorder.h"

namespace framewall::http {
namespace {

using namespace std::string_view_literals;

// 0: the request was accepted. Otherwise the status of its refusal.
int StatusOf(std::string_view request, size_t step, const HeadPolicy& policy = {}) {
  ServerRecorder recorder({}, policy);
  recorder.Feed(request, step);
  if (recorder.status == 0) {
    EXPECT_TRUE(recorder.codec.request_complete()) << request;
  }
  return recorder.status;
}

void ExpectStatus(int status, std::string_view request) {
  EXPECT_EQ(StatusOf(request, 0), status) << request;
  EXPECT_EQ(StatusOf(request, 1), status) << "octet by octet: " << request;
}

void ExpectAccepted(std::string_view request) { ExpectStatus(0, request); }

std::string Get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string Chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

std::string FieldsOf(std::string_view request, const HeadPolicy& policy = {}) {
  ServerRecorder recorder({}, policy);
  recorder.Feed(request);
  return recorder.heads.empty() ? "" : FieldsText(recorder.heads[0]->fields);
}

TEST(Http1Policy, TakesLfAloneInTheHead) {
  ExpectAccepted("GET / HTTP/1.1\nHost: a\nX: b\n\n");
  EXPECT_EQ(FieldsOf("GET / HTTP/1.1\nHost: a\nX: b\n\n"), "[Host=a][X=b]");
}

TEST(Http1Policy, RefusesSpaceBeforeTheColon) {
  ExpectStatus(400, Get("Transfer-Encoding : chunked\r\n"));
  ExpectStatus(400, Get("Content-Length : 1\r\n"));
  ExpectStatus(400, Get("Content-Length\t: 1\r\n"));
}

TEST(Http1Policy, RefusesContinuationLines) {
  ExpectStatus(400, Get("X: a\r\n b\r\n"));
  ExpectStatus(400, Get("X: a\r\n\tb\r\n"));
  ExpectStatus(400, Get("Transfer-Encoding:\r\n chunked\r\n"));
  ExpectStatus(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n");
}

TEST(Http1Policy, RefusesTransferEncodingInHttp10) {
  ExpectStatus(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST(Http1Policy, KnowsNoCodingButChunked) {
  ExpectStatus(501, Get("Transfer-Encoding: identity, chunked\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding: gzip, chunked\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding: identity\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding: chunked, identity\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding: chunked, chunked\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding: xchunked\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding: \"chunked\"\r\n"));
  ExpectStatus(501, Get("Transfer-Encoding:\r\n"));
  ExpectStatus(400, Get("Transfer-Encoding: \x0b"
                        "chunked\r\n"));
  ExpectAccepted("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED \r\n\r\n0\r\n\r\n");
}

TEST(Http1Policy, RefusesTransferEncodingTwice) {
  ExpectStatus(400, Get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"));
  ExpectStatus(400, Get("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"));
}

TEST(Http1Policy, WantsOneHostInHttp11) {
  ExpectStatus(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.1\r\n\r\n");
  ExpectAccepted("GET / HTTP/1.0\r\n\r\n");
}

TEST(Http1Policy, RefusesAnEmptyFieldName) {
  ExpectStatus(400, Get(": x\r\n"));
  ExpectStatus(400, "GET / HTTP/1.0\r\n:foo: x-bar\r\n\r\n");
}

TEST(Http1Policy, RefusesChunkDataNotFollowedByCrlf) {
  ExpectStatus(400, Chunked("4\r\nSEE-THIS\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3\r\nabc0\r\n\r\n"));
  ExpectStatus(400, Chunked("3\r\nabc\rX0\r\n\r\n"));
}

TEST(Http1Policy, RefusesBareLfInAChunkExtension) {
  ExpectStatus(400, Chunked("3;a\nb\r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3;\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3;a\rb\r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3;a\0b\r\nabc\r\n0\r\n\r\n"sv));
  ExpectAccepted(Chunked("3;a=\"b c\";d\r\nabc\r\n0;e\r\n\r\n"));
}

TEST(Http1Policy, WantsCrlfAroundChunks) {
  ExpectStatus(400, Chunked("3\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3\r\nabc\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3\r\nabc\r\n0\n\r\n"));
  ExpectStatus(400, Chunked("3\r\nabc\r\n0\r\n\n"));
  ExpectStatus(400, Chunked("3\r\nabc\r\n0\r\nX: y\n\r\n"));
  ExpectStatus(400, Chunked("3 \r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3 ;a\r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("3\t\r\nabc\r\n0\r\n\r\n"));
  ExpectAccepted(Chunked("3\r\nabc\r\n0\r\n\r\n"));
}

TEST(Http1Policy, RefusesWhatIsNoChunkSize) {
  ExpectStatus(400, Chunked("\r\n"));
  ExpectStatus(400, Chunked("g\r\n"));
  ExpectStatus(400, Chunked("0x3\r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("-3\r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked(" 3\r\nabc\r\n0\r\n\r\n"));
  ExpectStatus(400, Chunked("8000000000000000\r\n"));
  ExpectStatus(400, Chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"));
}

TEST(Http1Policy, RefusesAnyDoubtAboutTheLength) {
  ExpectStatus(400, Get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"));
  ExpectStatus(400, Get("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"));
  ExpectStatus(400, Get("Content-Length: 1\r\nContent-Length: 1\r\n"));
  ExpectStatus(400, Get("Content-Length: 1\r\nContent-Length: 2\r\n"));
  ExpectStatus(400, Get("Content-Length: +1\r\n"));
  ExpectStatus(400, Get("Content-Length: -1\r\n"));
  ExpectStatus(400, Get("Content-Length: 1, 1\r\n"));
  ExpectStatus(400, Get("Content-Length: 1 1\r\n"));
  ExpectStatus(400, Get("Content-Length: 0x1\r\n"));
  ExpectStatus(400, Get("Content-Length: 1.0\r\n"));
  ExpectStatus(400, Get("Content-Length:\r\n"));
  ExpectStatus(400, Get("Content-Length: 9223372036854775808\r\n"));
  ExpectStatus(400, Get("Content-Length: 18446744073709551617\r\n"));
  ExpectAccepted(Get("Content-Length: 0\r\n"));
  ExpectAccepted(Get("Content-Length: 003\r\n") + "abc");

  ServerRecorder largest;
  largest.Feed(Get("Content-Length: 9223372036854775807\r\n"));
  EXPECT_EQ(largest.status, 0);
}

TEST(Http1Policy, DropsFieldsWithOddNames) {
  const std::string request = Get("X[: b\r\nX_Y: c\r\nX.Z: d\r\n\xd0\xb0: e\r\nX-Good: f\r\n");
  ExpectAccepted(request);
  EXPECT_EQ(FieldsOf(request), "[Host=a][X-Good=f]");
  EXPECT_EQ(FieldsOf(request, {.underscores_in_headers = true}), "[Host=a][X_Y=c][X-Good=f]");
  // Tokens pass when nginx would pass anything; what is no token never travels on.
  EXPECT_EQ(FieldsOf(request, {.ignore_invalid_headers = false}),
            "[Host=a][X_Y=c][X.Z=d][X-Good=f]");
}

TEST(Http1Policy, RefusesALineWithoutColon) {
  ExpectStatus(400, Get("Xabc\r\n"));
  ExpectStatus(400, Get("Xabc\n"));
}

TEST(Http1Policy, TakesAnyTokenAsMethod) {
  ExpectAccepted("FOO / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectAccepted("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "\x16\x03\x01\x02");
}

TEST(Http1Policy, TakesLaterMinorVersionsAs11) {
  ExpectAccepted("GET / HTTP/1.2\r\nHost: a\r\n\r\n");
  ExpectAccepted("GET / HTTP/1.10\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.2\r\n\r\n");  // so it needs a Host
  ServerRecorder recorder;
  recorder.Feed("GET / HTTP/1.2\r\nHost: a\r\n\r\n");
  EXPECT_EQ(recorder.heads[0]->version, Version::kHttp11);
  EXPECT_EQ(recorder.heads[0]->version_name, "HTTP/1.2");
  ExpectStatus(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n");
  ExpectStatus(505, "GET / HTTP/11.0\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/0.9\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.1234\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / http/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTX/1.1\r\nHost: a\r\n\r\n");
}

TEST(Http1Policy, RefusesHttp09) {
  ExpectStatus(400, "GET /\r\n");
  ExpectStatus(400, "GET /\n");
  ExpectStatus(400, "GET\r\n");
}

TEST(Http1Policy, TakesHighOctetsInThePath) {
  ExpectAccepted("GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET /\x02 HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET /\t HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(Http1Policy, TakesAbsoluteFormWithAnotherHost) {
  ExpectAccepted("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(Http1Policy, RefusesTwoSpacesInTheRequestLine) {
  ExpectStatus(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / / HTTP/1.1\r\nHost: a\r\n\r\n");
  ExpectStatus(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n");
}

TEST(Http1Policy, RefusesControlOctetsInValues) {
  ExpectStatus(400, Get("X: a\0b\r\n"sv));
  ExpectStatus(400, Get("X: a\x01\r\n"));
  ExpectStatus(400, Get("X: a\x7f"
                        "b\r\n"));
  ExpectStatus(400, Get("X: a\rb\r\n"));
  ExpectStatus(400, Get("X: a\r\r\n"));
  ExpectStatus(400, Get("X\x02: a\r\n"));
  ExpectAccepted(Get("X: a\tb \xff\r\n"));
}

TEST(Http1Policy, SkipsEmptyLinesBeforeARequest) {
  ExpectAccepted("\r\n\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(Http1Policy, RefusesOtherFieldsThatNginxWantsOnce) {
  ExpectStatus(400, Get("Expect: 100-continue\r\nExpect: 100-continue\r\n"));
  ExpectStatus(400, Get("Authorization: a\r\nAuthorization: b\r\n"));
  ExpectStatus(400, Get("If-Modified-Since: a\r\nIf-Modified-Since: b\r\n"));
  ExpectAccepted(Get("Cookie: a=1\r\nCookie: b=2\r\nAccept: x\r\nAccept: y\r\n"));
}

}  // namespace
}  // namespace framewall::http
