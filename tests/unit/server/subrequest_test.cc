#include "proxy/server/subrequest.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "proxy/base/clock.h"
#include "proxy/content/proxy_handler.h"
#include "proxy/route/location_tree.h"
#include "proxy/route/server_select.h"
#include "proxy/upstream/runtime.h"
#include "tests/support/fake_upstream.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::server {
namespace {

using exchange::SubrequestAnswer;
using exchange::SubrequestOptions;
using test::FakeUpstream;

// A worker's services over a configuration with one server, and a request that asks.
class SubrequestTest : public ::testing::Test, public ExchangeTesting {
 protected:
  void Serve(const std::string& locations) {
    Load("server { listen 8080; root DIR; " + locations + " }");
    exchange::Exchange& parent =
        Request("", "/parent?a=b", {{"Cookie", "c"}, {"Range", "bytes=0-0"}}, "POST");
    parent.request.target = "/sent?a=b";
    parent.host = "example";
    config_ = &parent.config;
    services_.config = config_;
    services_.loop = &loop_;
    services_.variables = &parent.variables;
    services_.locations.push_back(
        std::make_unique<route::LocationTree>(config_->http.servers.front()->root));
    upstreams_ = std::make_unique<upstream::Runtime>(loop_, *config_, nullptr, nullptr);
    services_.upstreams = upstreams_.get();
    services_.metrics = &metrics_;
  }

  // What came of it, and copies of what is gone afterwards.
  struct Outcome {
    bool called = false;
    std::string failure;
    int status = 0;
    std::string body;
    std::string values;  // of `show`
  };
  std::unique_ptr<exchange::Subrequest> Start(Outcome& outcome, const SubrequestOptions& options,
                                              bool clientless = false) {
    const auto callback = [this, &outcome](const SubrequestAnswer& answer) {
      EXPECT_FALSE(outcome.called);
      outcome.called = true;
      outcome.failure = answer.failure;
      outcome.status = answer.status;
      outcome.body = answer.body;
      if (answer.exchange != nullptr) {
        for (const config::HeaderLine& line : show()) {
          outcome.values.append(answer.exchange->Expand(line.value)).append("|");
        }
      }
    };
    if (clientless) {
      return StartClientlessSubrequest(services_, *config_->http.servers.front(), options,
                                       callback);
    }
    return StartSubrequest(services_, exchange(), options, callback);
  }
  Outcome Ask(const SubrequestOptions& options, bool clientless = false) {
    Outcome outcome;
    const auto handle = Start(outcome, options, clientless);
    EXPECT_FALSE(outcome.called) << "from inside Start";
    EXPECT_TRUE(Until([&] { return outcome.called; }));
    return outcome;
  }
  static SubrequestOptions To(std::string_view uri, std::optional<size_t> body_limit = 1000) {
    SubrequestOptions options;
    options.uri = uri;
    options.body_limit = body_limit;
    return options;
  }
  bool Until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.RunOnce(std::chrono::milliseconds(20));
    }
    return true;
  }
  void Rest() {
    for (int i = 0; i < 5; ++i) loop_.RunOnce(std::chrono::milliseconds(5));
  }
  // The values of the server's add_header are shown in each outcome.
  const std::vector<config::HeaderLine>& show() const {
    return config_->http.servers.front()->root.settings.headers.add_header;
  }

  const config::Config* config_ = nullptr;
  event::EventLoop loop_;
  WorkerMetrics metrics_{nullptr};
  Services services_;
  std::unique_ptr<upstream::Runtime> upstreams_;
};

TEST_F(SubrequestTest, BringsStatusBodyAndVariables) {
  Serve(
      "add_header A $request_uri; add_header B $uri; add_header C $request_method;"
      "add_header D $http_cookie; add_header E $args; add_header F $host;"
      "location /x { return 203 \"$request_method $uri $args\"; }");
  SubrequestOptions options = To("/x/y");
  options.args = "q=1";
  const Outcome outcome = Ask(options);
  EXPECT_EQ(outcome.failure, "");
  EXPECT_EQ(outcome.status, 203);
  EXPECT_EQ(outcome.body, "POST /x/y q=1");
  EXPECT_EQ(outcome.values, "/sent?a=b|/x/y|POST|c|q=1|example|");
}

TEST_F(SubrequestTest, TakesABodyUpToItsLimit) {
  Serve("location /five { return 200 12345; }");
  EXPECT_EQ(Ask(To("/five", 5)).body, "12345");
  const Outcome large = Ask(To("/five", 4));
  EXPECT_EQ(large.failure, "the response of the subrequest is too large");
  EXPECT_EQ(large.body, "");
  const Outcome head = Ask(To("/five", std::nullopt));
  EXPECT_EQ(head.failure, "");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(SubrequestTest, ReadsAFileWholeWhateverRangeTheClientWants) {
  const std::string content(300'000, 'x');
  Write("file", content);
  Serve("");
  EXPECT_EQ(Ask(To("/file", content.size())).body, content);
  EXPECT_EQ(Ask(To("/file", content.size() - 1)).failure,
            "the response of the subrequest is too large");
  EXPECT_EQ(Ask(To("/none")).status, 404);
}

TEST_F(SubrequestTest, IsNoWayRoundButForInternalLocations) {
  Serve(
      "location /internal { internal; return 204; } location /denied { deny all; return 200; }"
      "location /files { deny all; } location /redirect { return 301 /x; }"
      "location /page { error_page 404 =200 /internal; }");
  Write("files", "content");
  EXPECT_EQ(Ask(To("/internal")).status, 204);
  EXPECT_EQ(Ask(To("/files")).body, "content");
  EXPECT_EQ(Ask(To("/redirect")).status, 301);
  EXPECT_EQ(Ask(To("/page")).status, 200);
}

TEST_F(SubrequestTest, SaysWhatFailed) {
  Serve("location /close { return 444; }");
  const Outcome outcome = Ask(To("/close"));
  EXPECT_EQ(outcome.failure, "the subrequest was closed without a response");
  EXPECT_EQ(outcome.status, 0);
}

TEST_F(SubrequestTest, IsNotDeeperThanItsLimit) {
  Serve("location /x { return 204; }");
  exchange().subrequest_depth = exchange::kDeepestSubrequest - 1;
  EXPECT_EQ(Ask(To("/x")).status, 204);
  exchange().subrequest_depth = exchange::kDeepestSubrequest;
  const Outcome outcome = Ask(To("/x"));
  EXPECT_EQ(outcome.failure, "subrequests deeper than 2 are not made");
  EXPECT_EQ(outcome.status, 0);
}

TEST_F(SubrequestTest, SharesWhatSetHasSaid) {
  Serve(
      "set $a parent; set $b parent; add_header A \"$a $b $c\";"
      "location /x { set $b child; set $c child; return 204; }");
  const auto& line = show().front();
  const auto slot = line.value.parts[0].variable;
  exchange().Set(slot, "parent");
  EXPECT_EQ(Ask(To("/x")).values, "parent child child|");
  EXPECT_EQ(exchange().Expand(line.value), "parent child child");
}

TEST_F(SubrequestTest, KeepsItsOwnWhereItIsDetached) {
  Serve("set $b parent; add_header A \"$b\"; location /x { set $b child; return 204; }");
  SubrequestOptions options = To("/x");
  options.detached = true;
  EXPECT_EQ(Ask(options).values, "child|");
  EXPECT_EQ(exchange().Expand(show().front().value), "");
}

TEST_F(SubrequestTest, NeedsNoClient) {
  Serve(
      "add_header A $request_uri; add_header B $uri; add_header C $request_method;"
      "add_header D $http_cookie; add_header E $remote_addr;"
      "location /x { internal; return 200 keys; }");
  const Outcome outcome = Ask(To("/x"), true);
  EXPECT_EQ(outcome.body, "keys");
  EXPECT_EQ(outcome.values, "|/x|GET|||");
}

TEST_F(SubrequestTest, NobodyIsCalledAfterItsHandle) {
  Serve("location /x { return 204; }");
  Outcome outcome;
  auto handle = Start(outcome, To("/x"));
  handle.reset();
  Rest();
  EXPECT_FALSE(outcome.called);
}

TEST_F(SubrequestTest, TheCallbackMayEndItAndStartAnother) {
  Serve("location /x { return 204; }");
  int called = 0;
  std::unique_ptr<exchange::Subrequest> handle;
  std::function<void(const SubrequestAnswer&)> callback = [&](const SubrequestAnswer&) {
    handle.reset();
    if (++called < 3) handle = StartSubrequest(services_, exchange(), To("/x"), callback);
  };
  handle = StartSubrequest(services_, exchange(), To("/x"), callback);
  EXPECT_TRUE(Until([&] { return called == 3; }));
  Rest();
  EXPECT_EQ(called, 3);
}

class ProxiedSubrequest : public SubrequestTest {
 protected:
  void ServeWith(FakeUpstream& upstream, const std::string& more = "") {
    Serve(
        "add_header A $upstream_http_x_user; add_header B $upstream_status; add_header C "
        "$sent_http_x_user; location /x { proxy_pass http://" +
        upstream.address() + "/keys; proxy_http_version 1.1; " + more + " }");
  }
};

TEST_F(ProxiedSubrequest, BringsWhatTheUpstreamSaid) {
  FakeUpstream upstream(
      FakeUpstream::Always("HTTP/1.1 200 OK\r\nX-User: anna\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  ServeWith(upstream);
  const Outcome outcome = Ask(To("/x", 5));
  EXPECT_EQ(outcome.body, "abcde");
  EXPECT_EQ(outcome.values, "anna|200|anna|");
  EXPECT_EQ(upstream.requests()[0].start_line, "GET /keys HTTP/1.1");
  EXPECT_EQ(upstream.requests()[0].Header("Cookie"), "c");
  EXPECT_EQ(Ask(To("/x", 4)).failure, "the response of the subrequest is too large");
  EXPECT_EQ(Ask(To("/x", std::nullopt)).values, "anna|200|anna|");
  EXPECT_EQ(Ask(To("/x", 5), true).body, "abcde");
  EXPECT_EQ(upstream.requests().back().Header("Cookie"), "");
}

TEST_F(ProxiedSubrequest, ABodyThatBreaksOffIsAFailureOnlyWhereItIsWanted) {
  FakeUpstream upstream(
      FakeUpstream::Once("HTTP/1.1 200 OK\r\nX-User: anna\r\nContent-Length: 10\r\n\r\nhalf"));
  ServeWith(upstream);
  const Outcome whole = Ask(To("/x"));
  EXPECT_EQ(whole.failure, "the response of the subrequest was broken off");
  EXPECT_EQ(whole.status, 200);
  const Outcome head = Ask(To("/x", std::nullopt));
  EXPECT_EQ(head.failure, "");
  EXPECT_EQ(head.values, "anna|200|anna|");
}

TEST_F(ProxiedSubrequest, WaitsNoLongerThanItsLocation) {
  FakeUpstream upstream([](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    peer.WaitForClose();
  });
  ServeWith(upstream, "proxy_read_timeout 50ms;");
  EXPECT_EQ(Ask(To("/x")).status, 504);
}

TEST_F(ProxiedSubrequest, EndsTowardsItsUpstreamWithItsHandle) {
  std::atomic<bool> closed = false;
  FakeUpstream upstream([&](FakeUpstream::Peer& peer) {
    peer.ReadRequest();
    closed = peer.WaitForClose();
  });
  ServeWith(upstream);
  Outcome outcome;
  auto handle = Start(outcome, To("/x"));
  EXPECT_TRUE(Until([&] { return upstream.requests().size() == 1; }));
  handle.reset();
  loop_.RunOnce(std::chrono::milliseconds(0));  // what has retired goes before its services do
  EXPECT_TRUE(Until([&] { return closed.load(); }));
  EXPECT_FALSE(outcome.called);
}

}  // namespace
}  // namespace framewall::server
