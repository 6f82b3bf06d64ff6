#include "proxy/http/http1/client_codec.h"

#include <gtest/gtest.h>

#include "tests/unit/http/recorder.h"

namespace framewall::http {
namespace {

struct Answer {
  std::string log;
  size_t used = 0;
  bool keeps_alive = false;
  bool done = false;
};

// Feeds a response whole and in pieces; `close`: the upstream closes behind it.
Answer Respond(std::string_view text, Method method = Method::kGet, bool close = false,
               const HeadLimits& limits = {.first_buffer_size = 4096}) {
  Answer first;
  for (size_t step : {0u, 1u, 3u, 16u}) {
    ClientRecorder recorder(limits);
    recorder.codec.BeginResponse(method, &recorder.head);
    Answer answer;
    answer.used = recorder.Feed(text, step);
    // The owner sees more bytes come: an idle connection that speaks is not kept.
    if (answer.used < text.size()) recorder.codec.Receive(text.substr(answer.used));
    if (close) recorder.codec.ReceiveEnd();
    if (!recorder.body.empty()) recorder.log += "body " + recorder.body + "\n";
    answer.log = recorder.log;
    answer.keeps_alive = recorder.codec.keeps_alive();
    answer.done = recorder.codec.response_done();
    if (step == 0) {
      first = answer;
      continue;
    }
    EXPECT_EQ(answer.log, first.log) << text << " in steps of " << step;
    EXPECT_EQ(answer.keeps_alive, first.keeps_alive);
    if (first.done) {
      EXPECT_EQ(answer.used, first.used);
    }
  }
  return first;
}

std::string LogOf(std::string_view text, Method method = Method::kGet, bool close = false) {
  return Respond(text, method, close).log;
}

TEST(Http1ClientCodec, ReadsALengthResponse) {
  const Answer answer = Respond("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX_y: z\r\n\r\nhello");
  EXPECT_EQ(answer.log, "200 'OK' [Content-Length=5][X_y=z] length 5\nbody hello\nend\n");
  EXPECT_TRUE(answer.keeps_alive);
}

TEST(Http1ClientCodec, ReadsAChunkedResponseWithTrailers) {
  const Answer answer = Respond(
      "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: u\r\n\r\n");
  EXPECT_EQ(answer.log,
            "200 'Fine' [Transfer-Encoding=chunked] chunked\nbody abcde\nend [X-T=u]\n");
  EXPECT_TRUE(answer.keeps_alive);
}

TEST(Http1ClientCodec, ReadsUntilClose) {
  const Answer answer = Respond("HTTP/1.1 200 OK\n\nall", Method::kGet, true);
  EXPECT_EQ(answer.log, "200 'OK'  close\nbody all\nend\n");
  EXPECT_FALSE(answer.keeps_alive);
}

TEST(Http1ClientCodec, KnowsResponsesWithoutBody) {
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::kHead),
            "200 'OK' [Content-Length=5] none\nend\n");
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kHead),
            "200 'OK' [Transfer-Encoding=chunked] none\nend\n");
  EXPECT_EQ(LogOf("HTTP/1.1 204\r\n\r\n"), "204 ''  none\nend\n");
  EXPECT_EQ(LogOf("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
            "304 'Not Modified' [Content-Length=9] none\nend\n");
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            "200 'OK' [Content-Length=0] length 0\nend\n");
  EXPECT_TRUE(Respond("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n").keeps_alive);
}

TEST(Http1ClientCodec, PassesInterimResponses) {
  EXPECT_EQ(LogOf("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"),
            "interim 100 \ninterim 103 [Link=x]\n200 'OK' [Content-Length=1] length 1\n"
            "body y\nend\n");
  std::string many;
  for (int i = 0; i < 33; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_NE(LogOf(many).find("error 502 upstream sent too many interim responses"),
            std::string::npos);
}

TEST(Http1ClientCodec, LeavesTheOctetsBehindA101) {
  ClientRecorder recorder;
  recorder.codec.BeginResponse(Method::kGet, &recorder.head);
  const std::string_view head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  EXPECT_EQ(recorder.codec.Receive(std::string(head) + "\x81\x01z"), head.size());
  EXPECT_EQ(recorder.codec.Receive("\x81\x01z"), 0u);
  EXPECT_EQ(recorder.log, "101 'Switching Protocols' [Upgrade=websocket] none\n");
  EXPECT_TRUE(recorder.codec.head_received());
  EXPECT_FALSE(recorder.codec.keeps_alive());
}

TEST(Http1ClientCodec, DoesNotPassOnOctetsBehindTheEnd) {
  const Answer length = Respond("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEVIL");
  EXPECT_EQ(length.log, "200 'OK' [Content-Length=2] length 2\nbody ok\nend\n");
  EXPECT_TRUE(length.done);
  EXPECT_FALSE(length.keeps_alive);
  EXPECT_FALSE(Respond("HTTP/1.1 304 x\r\n\r\nbody").keeps_alive);
  EXPECT_FALSE(
      Respond("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")
          .keeps_alive);
}

TEST(Http1ClientCodec, HearsClose) {
  EXPECT_FALSE(
      Respond("HTTP/1.1 200 x\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n").keeps_alive);
  EXPECT_FALSE(Respond("HTTP/1.0 200 x\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  EXPECT_TRUE(
      Respond("HTTP/1.0 200 x\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
}

TEST(Http1ClientCodec, RefusesWhatIsNoResponse) {
  const std::string refused = "error 502 upstream sent invalid header\n";
  for (std::string_view text :
       {"<html>\n", "HTTP/0.9 200 OK\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 2000 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 099 x\r\n", "\r\nHTTP/1.1 200 x",
        "HTTP/1.1 200 a\x01\r\n", "HTTP/1.1 200 OK\rX", "ICY 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nX\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: y\r\n\r\n", "HTTP/1.1 200 OK\r\nX@: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\x02\r\n\r\n"}) {
    EXPECT_EQ(LogOf(text), refused) << text;
  }
}

TEST(Http1ClientCodec, RefusesAmbiguousFraming) {
  const auto refused = [](std::string_view fields) {
    const std::string log = LogOf("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n");
    EXPECT_EQ(log.substr(0, 10), "error 502 ") << fields;
    return log.substr(10);
  };
  EXPECT_EQ(refused("Content-Length: foo\r\n"),
            "upstream sent invalid \"Content-Length\" header\n");
  EXPECT_EQ(refused("Content-Length: 0\r\nContent-Length: 0\r\n"),
            "upstream sent duplicate header line\n");
  EXPECT_EQ(refused("Transfer-Encoding: foo\r\n"), "upstream sent unknown \"Transfer-Encoding\"\n");
  EXPECT_EQ(refused("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            "upstream sent duplicate header line\n");
  const std::string both =
      "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time\n";
  EXPECT_EQ(refused("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), both);
  EXPECT_EQ(refused("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), both);
  EXPECT_EQ(LogOf("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "error 502 upstream sent HTTP/1.0 response with \"Transfer-Encoding\" header\n");
}

TEST(Http1ClientCodec, CallsATruncatedResponseAnError) {
  const std::string error = "error 502 upstream prematurely closed connection\n";
  EXPECT_EQ(LogOf("", Method::kGet, true), error);
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nX:", Method::kGet, true), error);
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", Method::kGet, true),
            "200 'OK' [Content-Length=5] length 5\nbody hell\n" + error);
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
                  Method::kGet, true),
            "200 'OK' [Transfer-Encoding=chunked] chunked\nbody abc\n" + error);
  EXPECT_EQ(LogOf("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Method::kGet, true),
            "200 'OK' [Content-Length=0] length 0\nend\n");
}

TEST(Http1ClientCodec, LimitsTheHead) {
  const HeadLimits limits = {.first_buffer_size = 40};
  const std::string line = "HTTP/1.1 204 OK\r\n";  // 17 octets
  EXPECT_EQ(Respond(line + "X: " + std::string(16, 'a') + "\r\n\r\n", Method::kGet, false, limits)
                .log.substr(0, 3),
            "204");
  EXPECT_EQ(
      Respond(line + "X: " + std::string(17, 'a') + "\r\n\r\n", Method::kGet, false, limits).log,
      "error 502 upstream sent too big header\n");
  EXPECT_EQ(Respond("HTTP/1.1 200 " + std::string(100, 'a'), Method::kGet, false, limits).log,
            "error 502 upstream sent too big header\n");
}

TEST(Http1ClientCodec, ReadsOneResponseAfterTheOther) {
  ClientRecorder recorder;
  for (int i = 0; i < 3; ++i) {
    recorder.codec.BeginResponse(Method::kGet, &recorder.head);
    EXPECT_FALSE(recorder.codec.head_received());
    recorder.Feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 2);
    EXPECT_TRUE(recorder.codec.keeps_alive());
  }
}

class RequestWriting : public ::testing::Test {
 protected:
  std::string Write(BodyFraming body, bool keep_alive = true,
                    const std::string_view* connection = nullptr) {
    std::string out;
    Http1ClientCodec::WriteRequestHead(head_, {body, keep_alive}, connection, out);
    return out;
  }

  Arena arena_;
  RequestHead head_{&arena_};
};

TEST_F(RequestWriting, WritesFramingAndConnectionItself) {
  head_.method_name = "POST";
  head_.target = "/a b";
  head_.fields.Add("Host", "up");
  head_.fields.Add("Content-Length", "77");
  head_.fields.Add("connection", "x");
  head_.fields.Add("Transfer-Encoding", "x");
  head_.fields.Add("X", "a\r\nEvil: 1");
  EXPECT_EQ(Write({BodyFraming::Kind::kLength, 5}),
            "POST /a%20b HTTP/1.1\r\nHost: up\r\nX: a  Evil: 1\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(Write({BodyFraming::Kind::kChunked, 0}, false),
            "POST /a%20b HTTP/1.1\r\nHost: up\r\nX: a  Evil: 1\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
  const std::string_view upgrade = "upgrade";
  EXPECT_EQ(Write({}, false, &upgrade),
            "POST /a%20b HTTP/1.1\r\nHost: up\r\nX: a  Evil: 1\r\nConnection: upgrade\r\n\r\n");
  const std::string_view nothing;
  EXPECT_EQ(Write({}, false, &nothing),
            "POST /a%20b HTTP/1.1\r\nHost: up\r\nX: a  Evil: 1\r\n\r\n");
}

TEST_F(RequestWriting, SpeaksHttp10) {
  head_.method = Method::kGet;
  head_.target = "/";
  head_.version = Version::kHttp10;
  EXPECT_EQ(Write({}), "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(Write({}, false), "GET / HTTP/1.0\r\nConnection: close\r\n\r\n");
}

TEST_F(RequestWriting, FramesABody) {
  const RequestFraming chunked = {{BodyFraming::Kind::kChunked, 0}, true};
  std::string out;
  Http1ClientCodec::WriteBodyPrefix(chunked, 26, out);
  out.append("abc");
  Http1ClientCodec::WriteBodySuffix(chunked, out);
  Http1ClientCodec::WriteEnd(chunked, out);
  EXPECT_EQ(out, "1a\r\nabc\r\n0\r\n\r\n");
  out.clear();
  const RequestFraming length = {{BodyFraming::Kind::kLength, 3}, true};
  Http1ClientCodec::WriteBodyPrefix(length, 3, out);
  Http1ClientCodec::WriteBodySuffix(length, out);
  Http1ClientCodec::WriteEnd(length, out);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace framewall::http
