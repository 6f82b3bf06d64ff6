#include "proxy/http/http1/server_codec.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/http/recorder.h"

namespace framewall::http {
namespace {

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: example\r\nX-A:  one \r\n\r\n";

TEST(Http1ServerCodec, ReadsAHeadInAnySplit) {
  for (size_t step : {0u, 1u, 2u, 3u, 7u, 20u}) {
    ServerRecorder recorder;
    EXPECT_EQ(recorder.Feed(kGet, step), kGet.size());
    EXPECT_EQ(recorder.log, "GET /a?b=c HTTP/1.1 [Host=example][X-A=one] none\nend\n");
    const RequestHead& head = *recorder.heads[0];
    EXPECT_EQ(head.request_line, "GET /a?b=c HTTP/1.1");
    EXPECT_EQ(head.method, Method::kGet);
    EXPECT_EQ(head.fields.Find(FieldId::kHost)->name, "Host");
    EXPECT_EQ(recorder.codec.bytes_received(1), kGet.size());
    EXPECT_TRUE(recorder.codec.request_complete());
    EXPECT_FALSE(recorder.codec.in_head());
  }
}

TEST(Http1ServerCodec, KnowsWhenItIsInsideAHead) {
  ServerRecorder recorder;
  EXPECT_EQ(recorder.Feed("\r\n\r\n"), 4u);
  EXPECT_FALSE(recorder.codec.in_head());
  EXPECT_TRUE(recorder.heads.empty());
  recorder.Feed("G");
  EXPECT_TRUE(recorder.codec.in_head());
  recorder.Feed("ET / HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(recorder.codec.in_head());
  EXPECT_EQ(recorder.log, "GET / HTTP/1.0  none\nend\n");
}

TEST(Http1ServerCodec, LeavesPipelinedRequestsUntilBeginNext) {
  ServerRecorder recorder;
  const std::string two =
      std::string(kGet) + "POST /2 HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nxyz";
  EXPECT_EQ(recorder.codec.Receive(two), kGet.size());
  EXPECT_EQ(recorder.codec.Receive(two.substr(kGet.size())), 0u);
  recorder.codec.BeginNext();
  EXPECT_EQ(recorder.Feed(two.substr(kGet.size()), 1), two.size() - kGet.size());
  EXPECT_EQ(recorder.log,
            "GET /a?b=c HTTP/1.1 [Host=example][X-A=one] none\nend\n"
            "POST /2 HTTP/1.1 [Host=b][Content-Length=3] length 3\nbody xyz\nend\n");
}

TEST(Http1ServerCodec, GivesALengthBodyInOnePieceAndNoMore) {
  ServerRecorder recorder;
  const std::string_view text = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET";
  EXPECT_EQ(recorder.codec.Receive(text), text.size() - 3);
  EXPECT_EQ(recorder.pieces, 1);
  EXPECT_EQ(recorder.log, "PUT / HTTP/1.1 [Host=a][Content-Length=5] length 5\nbody hello\nend\n");
}

TEST(Http1ServerCodec, GivesChunksAndTrailers) {
  for (size_t step : {0u, 1u, 4u}) {
    ServerRecorder recorder;
    const std::string_view text =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n1\r\nd\r\n0\r\nX-T: u\r\nHost: evil\r\n\r\n";
    EXPECT_EQ(recorder.Feed(text, step), text.size());
    EXPECT_EQ(recorder.log,
              "POST / HTTP/1.1 [Host=a][Transfer-Encoding=chunked] chunked\nbody abcd\n"
              "end [X-T=u]\n");
    EXPECT_EQ(recorder.codec.bytes_received(1), text.size());
  }
}

TEST(Http1ServerCodec, GoesOnWhereTheOwnerBeginsTheNextInACallback) {
  ServerRecorder recorder;
  recorder.next_after_end = true;
  const std::string text = std::string(kGet) + std::string(kGet) +
                           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "1\r\nd\r\n0\r\n\r\n" +
                           std::string(kGet);
  for (size_t step : {0u, 1u, 9u}) {
    recorder.log.clear();
    EXPECT_EQ(recorder.Feed(text, step), text.size());
    EXPECT_EQ(recorder.log.find("error"), std::string::npos);
    EXPECT_EQ(recorder.heads.size(), 4u);
    recorder.heads.clear();
    recorder.arenas.clear();
  }
}

TEST(Http1ServerCodec, ThrowsAwayABodyWhenAsked) {
  ServerRecorder recorder;
  recorder.on_head = [&recorder] { recorder.codec.DiscardBody(1); };
  recorder.Feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(recorder.pieces, 0);
  EXPECT_TRUE(recorder.codec.request_complete());
}

TEST(Http1ServerCodec, ThrowsAwayWhatComesAfterAnError) {
  ServerRecorder recorder;
  EXPECT_EQ(recorder.Feed("GET / HTTP/1.1\r\n\r\nrest"), 22u);
  EXPECT_EQ(recorder.Feed("more"), 4u);
  EXPECT_EQ(recorder.log, "error 400 client sent HTTP/1.1 request without \"Host\" header\n");
  EXPECT_FALSE(recorder.codec.keeps_alive());
}

// Sends one response to `request` and returns the wire.
class Responding : public ::testing::Test {
 protected:
  void Ask(std::string_view request = kGet) { recorder_.Feed(request); }
  std::string Answer(int status, std::vector<std::pair<std::string, std::string>> fields,
                     std::vector<std::string> body, ResponseOptions options = {},
                     const HeaderMap* trailers = nullptr) {
    ResponseHead head(&arena_);
    head.status = status;
    for (const auto& [name, value] : fields) head.fields.Add(name, value);
    recorder_.codec.SendHead(1, head, options);
    for (const std::string& piece : body) recorder_.codec.SendBody(1, piece);
    recorder_.codec.SendEnd(1, trailers);
    return recorder_.wire;
  }
  bool keeps_alive() const { return recorder_.codec.keeps_alive(); }

  Arena arena_;
  ServerRecorder recorder_;
};

TEST_F(Responding, KeepsTheLengthAndTheOrder) {
  Ask();
  EXPECT_EQ(Answer(200, {{"Server", "s"}, {"Content-Length", "5"}, {"X", "y"}}, {"he", "llo"}),
            "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 5\r\nX: y\r\n"
            "Connection: keep-alive\r\n\r\nhello");
  EXPECT_TRUE(keeps_alive());
  EXPECT_EQ(recorder_.codec.bytes_sent(1), recorder_.wire.size());
  EXPECT_EQ(recorder_.codec.body_bytes_sent(1), 5u);
}

TEST_F(Responding, ChunksWithoutALength) {
  Ask();
  Arena arena;
  HeaderMap trailers(&arena);
  trailers.Add("X-T", "u");
  trailers.Add("Content-Length", "1");
  EXPECT_EQ(Answer(404, {}, {"hello", "", std::string(16, 'x')}, {}, &trailers),
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
            "5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\nX-T: u\r\n\r\n");
  EXPECT_TRUE(keeps_alive());
}

TEST_F(Responding, ChunksInsteadOfALengthForTrailers) {
  Ask();
  EXPECT_EQ(Answer(200, {{"Content-Length", "2"}}, {"ok"}, {.has_trailers = true}),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
            "2\r\nok\r\n0\r\n\r\n");
}

TEST_F(Responding, ClosesForHttp10WithoutALength) {
  Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(recorder_.codec.client_wants_keep_alive());
  EXPECT_EQ(Answer(200, {}, {"hello"}), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, ClosesWhereChunkingIsOff) {
  Ask();
  EXPECT_EQ(Answer(200, {}, {"hello"}, {.chunked_allowed = false}),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, KeepsAnHttp10ConnectionThatAsksForIt) {
  Ask("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_EQ(Answer(200, {{"Content-Length", "0"}}, {}, {.keep_alive_header = 20}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n"
            "Keep-Alive: timeout=20\r\n\r\n");
  EXPECT_TRUE(keeps_alive());
}

TEST_F(Responding, ClosesWhenTheClientOrTheOwnerSaysSo) {
  Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, close\r\n\r\n");
  EXPECT_FALSE(recorder_.codec.client_wants_keep_alive());
  EXPECT_EQ(Answer(200, {{"Content-Length", "0"}}, {}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(keeps_alive());
  recorder_.codec.BeginNext();
  recorder_.wire.clear();
  Ask();
  EXPECT_EQ(Answer(200, {{"Content-Length", "0"}}, {}, {.keep_alive = false}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, SendsNoBodyToHead) {
  Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(Answer(200, {{"Content-Length", "5"}}, {"hello"}, {.head_request = true}),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(keeps_alive());
}

TEST_F(Responding, SendsNoFramingToHeadWithoutALength) {
  Ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(Answer(200, {}, {"hello"}, {.head_request = true}),
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(keeps_alive());
}

TEST_F(Responding, SendsNoBodyWith204) {
  Ask();
  EXPECT_EQ(Answer(204, {{"Content-Length", "3"}}, {"abc"}),
            "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST_F(Responding, KeepsTheLengthOf304WithoutABody) {
  Ask();
  EXPECT_EQ(Answer(304, {{"Content-Length", "3"}}, {"abc"}),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n");
}

TEST_F(Responding, CutsABodyAtItsLength) {
  Ask();
  EXPECT_EQ(Answer(200, {{"Content-Length", "3"}}, {"abcd", "e"}),
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc");
  EXPECT_TRUE(keeps_alive());
}

TEST_F(Responding, ClosesWhenABodyIsShort) {
  Ask();
  Answer(200, {{"Content-Length", "3"}}, {"ab"});
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, ClosesAfterAbort) {
  Ask();
  Answer(200, {{"Content-Length", "3"}}, {"abc"});
  EXPECT_TRUE(keeps_alive());
  recorder_.codec.Abort(1);
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, GivesTheBytesUpAfter101) {
  Ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(Answer(101, {{"Upgrade", "websocket"}}, {}),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: upgrade\r\n\r\n");
  EXPECT_EQ(recorder_.codec.Receive("\x81\x80"), 0u);
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, CountsStayWhenTheStreamIsLeft) {
  const std::string_view request =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
  Ask(request);
  const size_t head = Answer(101, {{"Upgrade", "websocket"}}, {}).size();
  recorder_.codec.LeaveStream();
  EXPECT_EQ(recorder_.codec.bytes_received(1), request.size());
  EXPECT_EQ(recorder_.codec.bytes_sent(1), head);
  EXPECT_EQ(recorder_.codec.body_bytes_sent(1), 0u);
  EXPECT_EQ(recorder_.codec.Receive("GET / HTTP/1.1\r\n"), 0u);
  EXPECT_TRUE(recorder_.codec.request_complete());
  EXPECT_FALSE(keeps_alive());
}

TEST_F(Responding, LeavesOutWhatTheCodecWrites) {
  Ask();
  EXPECT_EQ(Answer(200,
                   {{"Connection", "x"},
                    {"Transfer-Encoding", "gzip"},
                    {"Keep-Alive", "y"},
                    {"Content-Length", "1, 2"}},
                   {"a"}),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
            "1\r\na\r\n0\r\n\r\n");
}

TEST_F(Responding, DoesNotLetAValueEndItsLine) {
  Ask();
  EXPECT_EQ(Answer(302, {{"Location", "/\r\nSet-Cookie: a"}, {"Content-Length", "0"}}, {}),
            "HTTP/1.1 302 Moved Temporarily\r\nLocation: /  Set-Cookie: a\r\n"
            "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST_F(Responding, AnswersAnErrorAndCloses) {
  Ask("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n");
  EXPECT_EQ(recorder_.status, 400);
  EXPECT_EQ(Answer(400, {}, {"no"}), "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno");
}

TEST_F(Responding, SendsInterimResponsesTo11Only) {
  ResponseHead head(&arena_);
  head.status = 103;
  head.fields.Add("Link", "x");
  Ask();
  recorder_.codec.SendInterim(1, head);
  EXPECT_EQ(recorder_.wire, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
  Answer(200, {{"Content-Length", "0"}}, {});
  EXPECT_EQ(recorder_.codec.body_bytes_sent(1), 0u);

  recorder_.codec.BeginNext();
  recorder_.wire.clear();
  Ask("GET / HTTP/1.0\r\n\r\n");
  recorder_.codec.SendInterim(1, head);
  EXPECT_EQ(recorder_.wire, "");
}

TEST_F(Responding, ReadsTheRestOfTheRequestAfterAnEarlyAnswer) {
  Ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  Answer(200, {{"Content-Length", "0"}}, {});
  EXPECT_FALSE(recorder_.codec.request_complete());
  EXPECT_TRUE(keeps_alive());
  EXPECT_EQ(recorder_.Feed("lloGET"), 3u);
  EXPECT_TRUE(recorder_.codec.request_complete());
  EXPECT_EQ(recorder_.pieces, 1);
  recorder_.codec.BeginNext();
  EXPECT_EQ(recorder_.Feed("GET / HTTP/1.0\r\n\r\n"), 18u);
}

}  // namespace
}  // namespace framewall::http
