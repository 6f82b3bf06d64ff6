#include "proxy/upstream/peer_pool.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "proxy/base/unique_fd.h"
#include "proxy/event/tcp_stream.h"

namespace framewall::upstream {
namespace {

class NobodyListens final : public http::ClientCodecEvents {
  void OnInterimResponse(const http::ResponseHead&) override {}
  void OnResponseHead(http::BodyFraming) override {}
  void OnResponseBody(ByteView) override {}
  void OnResponseEnd(const http::HeaderMap*) override {}
  void OnResponseError(http::MessageError) override {}
};

class PeerPoolTest : public testing::Test {
 protected:
  PeerPoolTest() {
    config_.keepalive = 2;
    pool_ = std::make_unique<PeerPool>(loop_, config_);
  }
  Connection::Identity To(uint16_t port) {
    Connection::Identity identity;
    identity.address = SocketAddress::FromIp(*IpAddress::Parse("127.0.0.1"), port);
    return identity;
  }
  // A connection "to" that port; its other end is kept in peers_.
  std::unique_ptr<Connection> Make(uint16_t port) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peers_.emplace_back(ends[1]);
    auto stream = event::MakeTcpStream(loop_, ends[0], SocketAddress(), SocketAddress(),
                                       ErrorSource::kUpstream);
    return std::make_unique<Connection>(loop_, std::move(stream), To(port), http::HeadLimits(),
                                        &nobody_);
  }
  void Turn() { loop_.RunOnce(std::chrono::milliseconds(0)); }

  event::EventLoop loop_;
  NobodyListens nobody_;
  config::UpstreamConfig config_;
  std::vector<UniqueFd> peers_;
  std::unique_ptr<PeerPool> pool_;
};

TEST_F(PeerPoolTest, GivesBackWhatFits) {
  std::unique_ptr<Connection> connection = Make(1);
  const Connection* kept = connection.get();
  pool_->Give(std::move(connection));
  EXPECT_EQ(pool_->Take(To(2)), nullptr);
  Connection::Identity other = To(1);
  other.tls_name = "a";
  EXPECT_EQ(pool_->Take(other), nullptr);
  EXPECT_EQ(pool_->Take(To(1)).get(), kept);
  EXPECT_EQ(pool_->idle_count(), 0u);
}

TEST_F(PeerPoolTest, DropsTheLeastRecentlyUsed) {
  for (const uint16_t port : {uint16_t{1}, uint16_t{2}, uint16_t{3}}) pool_->Give(Make(port));
  EXPECT_EQ(pool_->idle_count(), 2u);
  EXPECT_EQ(pool_->Take(To(1)), nullptr);
  EXPECT_NE(pool_->Take(To(2)), nullptr);
}

TEST_F(PeerPoolTest, DropsWhatThePeerCloses) {
  pool_->Give(Make(1));
  Turn();
  EXPECT_EQ(pool_->idle_count(), 1u);
  peers_[0].Reset();
  Turn();
  EXPECT_EQ(pool_->idle_count(), 0u);
}

TEST_F(PeerPoolTest, DropsWhatSpeaksUnasked) {
  pool_->Give(Make(1));
  ASSERT_EQ(::send(peers_[0].get(), "x", 1, 0), 1);
  Turn();
  EXPECT_EQ(pool_->idle_count(), 0u);
}

TEST_F(PeerPoolTest, KeepsNothingThatWasUsedUp) {
  config_.keepalive_requests = 3;
  std::unique_ptr<Connection> fresh = Make(1);
  fresh->requests = 2;
  pool_->Give(std::move(fresh));
  EXPECT_EQ(pool_->idle_count(), 1u);
  std::unique_ptr<Connection> worn = Make(1);
  worn->requests = 3;
  pool_->Give(std::move(worn));
  EXPECT_EQ(pool_->idle_count(), 1u);
}

TEST_F(PeerPoolTest, KeepsNothingAfterShut) {
  pool_->Give(Make(1));
  pool_->Shut();
  EXPECT_EQ(pool_->idle_count(), 0u);
  pool_->Give(Make(1));
  EXPECT_EQ(pool_->idle_count(), 0u);
}

}  // namespace
}  // namespace framewall::upstream
