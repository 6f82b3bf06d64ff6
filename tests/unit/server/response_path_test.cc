#include "proxy/server/response_path.h"

#include <gtest/gtest.h>

#include "proxy/base/clock.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::server {
namespace {

using filter::Verdict;

// Writes down what would go onto the wire: "head 200 name=value …", "body …", "end …".
class FakeCodec final : public http::ServerCodec {
 public:
  size_t Receive(ByteView bytes) override { return bytes.size(); }
  bool in_head() const override { return false; }
  void BeginNext() override {}
  void DiscardBody(http::StreamId) override {}
  void SendInterim(http::StreamId, const http::ResponseHead&) override {}
  void SendHead(http::StreamId, const http::ResponseHead& head,
                const http::ResponseOptions& options) override {
    std::string line = "head " + std::to_string(head.status);
    for (const http::Field& field : head.fields) {
      line.append(" ").append(field.name).append("=").append(field.value);
    }
    calls.push_back(line);
    preamble = options.preamble;
    has_trailers = options.has_trailers;
  }
  void SendBody(http::StreamId, ByteView piece) override {
    calls.push_back("body " + std::string(piece));
    sent += piece.size();
  }
  void SendEnd(http::StreamId, const http::HeaderMap* trailers) override {
    std::string line = "end";
    if (trailers != nullptr) {
      for (const http::Field& field : *trailers) {
        line.append(" ").append(field.name).append("=").append(field.value);
      }
    }
    calls.push_back(line);
  }
  void Abort(http::StreamId) override { calls.push_back("abort"); }
  bool keeps_alive() const override { return true; }
  uint64_t bytes_sent(http::StreamId) const override { return sent; }
  uint64_t body_bytes_sent(http::StreamId) const override { return sent; }
  uint64_t bytes_received(http::StreamId) const override { return 0; }

  std::vector<std::string> calls;
  std::string preamble;
  bool has_trailers = false;
  uint64_t sent = 0;
};

// Answers as it is told, and writes down what it has seen.
class FakeFilter final : public filter::Filter {
 public:
  Verdict OnResponseHead(filter::Exchange&) override {
    seen += "head ";
    holds = holds_from_head;
    return at_head;
  }
  bool holds_response() const override { return holds; }
  Verdict OnResponseBody(filter::Exchange&, ByteView piece) override {
    seen.append(piece).append(" ");
    body += piece.size();
    if (body >= holds_up_to) holds = false;
    return at_body;
  }
  Verdict OnResponseEnd(filter::Exchange&) override {
    seen += "end ";
    return at_end;
  }

  Verdict at_head, at_body, at_end;
  bool holds_from_head = false;
  size_t holds_up_to = SIZE_MAX;
  bool holds = false;
  size_t body = 0;
  std::string seen;
};

class ResponsePathTest : public ::testing::Test, private ResponseOwner {
 protected:
  using Calls = std::vector<std::string>;

  void Load(const std::string& location = "",
            std::vector<std::pair<std::string, std::string>> fields = {},
            std::string_view method = "GET") {
    testing_.Load("server { listen 8080; location / { " + location + " } }");
    exchange::Exchange& exchange = testing_.Request("/", "/", std::move(fields), method);
    exchange.response.status = 200;
    path_ = std::make_unique<ResponsePath>(exchange, static_cast<ResponseOwner&>(*this));
  }
  FakeFilter& AddFilter() {
    auto made = std::make_unique<FakeFilter>();
    FakeFilter& filter = *made;
    filters_.push_back(nullptr);  // a row that is off here
    filters_.push_back(std::move(made));
    return filter;
  }
  exchange::Exchange& exchange() { return testing_.exchange(); }
  const Calls& calls() const { return codec_.calls; }

  ExchangeTesting testing_;
  FakeCodec codec_;
  std::unique_ptr<ResponsePath> path_;
  std::vector<std::string> said_;  // to the owner
  event::EventLoop loop_;

 private:
  std::span<const std::unique_ptr<filter::Filter>> filters() override { return filters_; }
  http::ServerCodec& codec() override { return codec_; }
  http::StreamId stream_id() const override { return 1; }
  void OnResponseVerdict(const Verdict& verdict) override {
    said_.push_back("verdict " + std::to_string(verdict.status));
  }
  void OnResponseComplete() override { said_.push_back("complete"); }
  void OnRateAllows() override { said_.push_back("more"); }
  event::EventLoop& event_loop() override { return loop_; }

  std::vector<std::unique_ptr<filter::Filter>> filters_;
};

TEST_F(ResponsePathTest, PassesAResponseOnAsItComes) {
  Load();
  exchange().content_length = 5;
  path_->SendHead();
  EXPECT_EQ(calls(), (Calls{"head 200 Content-Length=5"}));
  EXPECT_TRUE(exchange().head_sent);
  EXPECT_FALSE(exchange().response_chunked);
  path_->SendBody("hel");
  path_->SendBody("");
  path_->SendBody("lo");
  path_->SendEnd(nullptr);
  EXPECT_EQ(calls(), (Calls{"head 200 Content-Length=5", "body hel", "body lo", "end"}));
  EXPECT_EQ(said_, (Calls{"complete"}));
  EXPECT_TRUE(exchange().response_ended);
}

TEST_F(ResponsePathTest, ServerAndDateGoAheadUnlessTheResponseHasThem) {
  Load();
  path_->SendHead();
  EXPECT_TRUE(codec_.preamble.starts_with("Server: ")) << codec_.preamble;
  EXPECT_TRUE(codec_.preamble.ends_with("\r\nDate: " + std::string(CachedHttpDate()) + "\r\n"));
  Load();
  exchange().response.fields.Add("Server", "own");
  path_->SendHead();
  EXPECT_EQ(codec_.preamble, "Date: " + std::string(CachedHttpDate()) + "\r\n");
  Load();
  exchange().response.fields.Add("Date", "own");
  path_->SendHead();
  EXPECT_TRUE(codec_.preamble.starts_with("Server: ") && codec_.preamble.ends_with("\r\n"));
  EXPECT_EQ(codec_.preamble.find("Date"), std::string::npos);
  exchange().response.fields.Add("Server", "own");
  path_->Reset();
  path_->SendHead();
  EXPECT_EQ(codec_.preamble, "");
}

TEST_F(ResponsePathTest, WithoutALengthItIsChunkedWhereThatIsPossible) {
  Load();
  path_->SendHead();
  EXPECT_TRUE(exchange().response_chunked);
  Load();
  exchange().request.version = http::Version::kHttp10;
  path_->SendHead();
  EXPECT_FALSE(exchange().response_chunked);
  Load("chunked_transfer_encoding off;");
  path_->SendHead();
  EXPECT_FALSE(exchange().response_chunked);
}

TEST_F(ResponsePathTest, AHeadRequestHasNoBody) {
  Load("", {}, "HEAD");
  exchange().content_length = 5;
  path_->SendHead();
  path_->SendBody("hello");
  path_->SendEnd(nullptr);
  EXPECT_EQ(calls(), (Calls{"head 200 Content-Length=5", "end"}));
}

TEST_F(ResponsePathTest, AConditionThatHoldsDropsTheBody) {
  Load("", {{"If-None-Match", "\"a\""}});
  exchange().response.fields.Add("ETag", "\"a\"");
  exchange().response.fields.Add("Content-Type", "text/plain");
  exchange().content_length = 5;
  path_->SendHead();
  path_->SendBody("hello");
  path_->SendEnd(nullptr);
  EXPECT_EQ(calls(), (Calls{"head 304 ETag=\"a\"", "end"}));
  EXPECT_EQ(said_, (Calls{"complete"}));
}

TEST_F(ResponsePathTest, AConditionThatFailsIsAVerdict) {
  Load("", {{"If-Match", "\"b\""}});
  exchange().response.fields.Add("ETag", "\"a\"");
  path_->SendHead();
  path_->SendBody("hello");
  path_->SendEnd(nullptr);
  EXPECT_EQ(calls(), Calls{});
  EXPECT_EQ(said_, (Calls{"verdict 412"}));
}

TEST_F(ResponsePathTest, ConditionsAreForNewResponsesOfStatus200) {
  Load("", {{"If-Match", "\"b\""}});
  exchange().response.fields.Add("ETag", "\"a\"");
  exchange().response.status = 404;
  path_->SendHead();
  EXPECT_EQ(said_, Calls{});
  Load("", {{"If-Match", "\"b\""}});
  exchange().response.fields.Add("ETag", "\"a\"");
  exchange().conditions_checked = true;
  path_->SendHead();
  EXPECT_EQ(said_, Calls{});
  EXPECT_EQ(calls().size(), 2u);
}

TEST_F(ResponsePathTest, FiltersSeeEveryMoment) {
  FakeFilter& one = AddFilter();
  FakeFilter& two = AddFilter();
  Load();
  path_->SendHead();
  path_->SendBody("a");
  path_->SendBody("b");
  path_->SendEnd(nullptr);
  EXPECT_EQ(one.seen, "head a b end ");
  EXPECT_EQ(two.seen, one.seen);
  EXPECT_EQ(calls(), (Calls{"head 200", "body a", "body b", "end"}));
}

TEST_F(ResponsePathTest, ARefusalAtTheHeadSendsNothing) {
  FakeFilter& one = AddFilter();
  FakeFilter& two = AddFilter();
  one.at_head = Verdict::Respond(403);
  Load();
  path_->SendHead();
  path_->SendBody("secret");
  path_->SendEnd(nullptr);
  EXPECT_EQ(calls(), Calls{});
  EXPECT_EQ(said_, (Calls{"verdict 403"}));
  EXPECT_EQ(two.seen, "");
}

TEST_F(ResponsePathTest, AHeldResponseWaitsForItsEnd) {
  AddFilter().holds_from_head = true;
  Load();
  path_->SendHead();
  path_->SendBody("a");
  path_->SendBody("b");
  EXPECT_TRUE(path_->held());
  EXPECT_EQ(calls(), Calls{});
  EXPECT_FALSE(exchange().head_sent);
  path_->SendEnd(nullptr);
  EXPECT_FALSE(path_->held());
  EXPECT_EQ(calls(), (Calls{"head 200", "body ab", "end"}));
}

TEST_F(ResponsePathTest, ARefusalOfAHeldResponseLetsNoOctetOut) {
  for (const bool at_end : {false, true}) {
    FakeFilter& one = AddFilter();
    one.holds_from_head = true;
    (at_end ? one.at_end : one.at_body) = Verdict::Respond(403);
    Load();
    path_->SendHead();
    path_->SendBody("secret");
    path_->SendEnd(nullptr);
    EXPECT_EQ(calls(), Calls{});
    EXPECT_EQ(said_, (Calls{"verdict 403"}));
    said_.clear();
    one = FakeFilter();
  }
}

TEST_F(ResponsePathTest, AFilterThatHasSeenEnoughLetsGo) {
  FakeFilter& one = AddFilter();
  one.holds_from_head = true;
  one.holds_up_to = 2;
  Load();
  path_->SendHead();
  path_->SendBody("a");
  EXPECT_EQ(calls(), Calls{});
  path_->SendBody("b");
  EXPECT_EQ(calls(), (Calls{"head 200", "body ab"}));
  path_->SendBody("c");
  EXPECT_EQ(calls().back(), "body c");
}

TEST_F(ResponsePathTest, OneFilterThatHoldsIsEnough) {
  FakeFilter& one = AddFilter();
  one.holds_from_head = true;
  one.holds_up_to = 1;
  AddFilter().holds_from_head = true;
  Load();
  path_->SendHead();
  path_->SendBody("a");
  EXPECT_TRUE(path_->held());
  EXPECT_EQ(calls(), Calls{});
}

// The page of a refusal takes the place of what was held, and is not judged itself.
TEST_F(ResponsePathTest, AnotherResponseTakesTheHeldOnesPlace) {
  FakeFilter& one = AddFilter();
  one.holds_from_head = true;
  one.at_end = Verdict::Respond(403);
  Load();
  path_->SendHead();
  path_->SendBody("secret");
  path_->SendEnd(nullptr);
  ASSERT_EQ(said_, (Calls{"verdict 403"}));
  path_->DropHeld();
  path_->Reset();
  path_->SkipFilters();
  exchange().response.status = 403;
  path_->SendHead();
  path_->SendBody("page");
  path_->SendEnd(nullptr);
  EXPECT_EQ(calls(), (Calls{"head 403", "body page", "end"}));
  EXPECT_EQ(one.seen, "head secret end ");
}

TEST_F(ResponsePathTest, TrailersOfBothSourcesGoTogether) {
  Load("add_trailer Own $status;");
  http::HeaderMap trailers(&exchange().arena);
  trailers.Add("Theirs", "x");
  path_->SendHead();
  EXPECT_TRUE(codec_.has_trailers);
  path_->SendEnd(&trailers);
  EXPECT_EQ(calls().back(), "end Theirs=x Own=200");
}

class RateTest : public ResponsePathTest {
 protected:
  RateTest() { At(0); }
  ~RateTest() override { UpdateCachedNow(); }

  static void At(int64_t second) {
    SetCachedNowForTest({.steady = SteadyTime() + Milliseconds(1000 * second),
                         .unix_milliseconds = 1700000000000 + 1000 * second});
  }
  std::string Body() const {
    std::string body;
    for (const std::string& call : calls()) {
      if (call.starts_with("body ")) body += call.substr(5);
    }
    return body;
  }
};

TEST_F(RateTest, TheFirstSecondsWorthGoesAtOnce) {
  Load("limit_rate 4;");
  path_->SendHead();
  path_->SendBody("1234");
  EXPECT_EQ(Body(), "1234");
  EXPECT_FALSE(path_->rate_limited());
  path_->SendBody("56");
  EXPECT_EQ(Body(), "1234");
  EXPECT_TRUE(path_->rate_limited());
}

TEST_F(RateTest, LimitRateAfterIsFree) {
  Load("limit_rate 4; limit_rate_after 3;");
  path_->SendHead();
  path_->SendBody("12345678");
  EXPECT_EQ(Body(), "1234567");
  EXPECT_TRUE(path_->rate_limited());
}

TEST_F(RateTest, WhatWaitsLeavesInTimeAndThenTheEnd) {
  Load("limit_rate 1k;");
  path_->SendHead();
  path_->SendBody(std::string(2500, 'x'));
  path_->SendEnd(nullptr);
  EXPECT_EQ(Body().size(), 1024u);
  EXPECT_EQ(said_, Calls{});
  for (int turn = 0; turn < 100 && said_.empty(); ++turn) loop_.RunOnce(Milliseconds(100));
  EXPECT_EQ(Body().size(), 2500u);
  EXPECT_EQ(calls().back(), "end");
  EXPECT_EQ(said_, (Calls{"complete"}));
}

TEST_F(RateTest, TrailersWaitWithTheEnd) {
  Load("limit_rate 1k;");
  path_->SendHead();
  path_->SendBody(std::string(1500, 'x'));
  {
    Arena arena;
    http::HeaderMap trailers(&arena);
    trailers.Add("Theirs", "x");
    path_->SendEnd(&trailers);
  }
  for (int turn = 0; turn < 100 && said_.empty(); ++turn) loop_.RunOnce(Milliseconds(100));
  EXPECT_EQ(calls().back(), "end Theirs=x");
}

TEST_F(RateTest, TheProducerIsAskedForMoreWhenTheQueueIsEmpty) {
  Load("limit_rate 1k;");
  path_->SendHead();
  path_->SendBody(std::string(1500, 'x'));
  for (int turn = 0; turn < 100 && said_.empty(); ++turn) loop_.RunOnce(Milliseconds(100));
  EXPECT_EQ(said_, (Calls{"more"}));
  EXPECT_FALSE(path_->rate_limited());
}

}  // namespace
}  // namespace framewall::server
