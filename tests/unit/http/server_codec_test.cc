#include "proxy/http/http1/server_codec.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace framewall::http
