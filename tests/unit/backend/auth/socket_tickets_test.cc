#include "backend/auth/socket_tickets.h"

#include <gtest/gtest.h>

namespace framewall::backend::auth {
namespace {

constexpr int64_t kNow = 1'000'000;

Identity Of(const std::string& user, const std::string& session) {
  Identity identity;
  identity.kind = Identity::Kind::kSession;
  identity.user = user;
  identity.session = session;
  return identity;
}

class SocketTicketsTest : public testing::Test {
 protected:
  EndedSessions ended{600'000};
  SocketTickets tickets{ended};
};

TEST_F(SocketTicketsTest, AreGoodOnce) {
  const auto ticket = tickets.Issue(Of("ann", "s1"), kNow);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->size(), 43u);
  const auto identity = tickets.RedeemAt(*ticket, kNow);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->user, "ann");
  EXPECT_EQ(identity->session, "s1");
  EXPECT_FALSE(tickets.RedeemAt(*ticket, kNow));
  EXPECT_FALSE(tickets.RedeemAt("", kNow));
  EXPECT_FALSE(tickets.RedeemAt("nothing", kNow));
}

TEST_F(SocketTicketsTest, AreGoodForThirtySeconds) {
  const auto first = tickets.Issue(Of("ann", "s1"), kNow);
  const auto second = tickets.Issue(Of("ann", "s1"), kNow);
  EXPECT_TRUE(tickets.RedeemAt(*first, kNow + 29'999));
  EXPECT_FALSE(tickets.RedeemAt(*second, kNow + 30'000));
}

TEST_F(SocketTicketsTest, EndWithTheirSession) {
  const auto ours = tickets.Issue(Of("ann", "s1"), kNow);
  const auto other = tickets.Issue(Of("ann", "s2"), kNow);
  const auto bobs = tickets.Issue(Of("bob", "s3"), kNow);
  ended.End({"ann", "s1", "logout"}, kNow);
  EXPECT_FALSE(tickets.RedeemAt(*ours, kNow));
  EXPECT_TRUE(tickets.RedeemAt(*other, kNow));
  const auto more = tickets.Issue(Of("ann", "s2"), kNow);
  ended.End({"ann", "", "lock"}, kNow);
  EXPECT_FALSE(tickets.RedeemAt(*more, kNow));
  EXPECT_TRUE(tickets.RedeemAt(*bobs, kNow));
}

TEST_F(SocketTicketsTest, AUserHasSixteenAtATime) {
  std::optional<std::string> last;
  for (int i = 0; i < 16; ++i) {
    last = tickets.Issue(Of("ann", "s1"), kNow);
    EXPECT_TRUE(last) << i;
  }
  EXPECT_FALSE(tickets.Issue(Of("ann", "s1"), kNow));
  EXPECT_TRUE(tickets.Issue(Of("bob", "s2"), kNow));
  EXPECT_TRUE(tickets.RedeemAt(*last, kNow));
  EXPECT_TRUE(tickets.Issue(Of("ann", "s1"), kNow));
  EXPECT_FALSE(tickets.Issue(Of("ann", "s1"), kNow + 29'999));
  EXPECT_TRUE(tickets.Issue(Of("ann", "s1"), kNow + 30'000)) << "those that are over do not count";
}

TEST_F(SocketTicketsTest, ThereAreTwentyThousandAtATime) {
  std::optional<std::string> last;
  for (size_t i = 0; i < SocketTickets::kMost; ++i) {
    last = tickets.Issue(Of(std::to_string(i), "s1"), kNow);
    ASSERT_TRUE(last) << i;
  }
  EXPECT_FALSE(tickets.Issue(Of("ann", "s1"), kNow));
  EXPECT_TRUE(tickets.RedeemAt(*last, kNow));
  EXPECT_TRUE(tickets.Issue(Of("ann", "s1"), kNow));
  EXPECT_FALSE(tickets.Issue(Of("bob", "s1"), kNow));
  EXPECT_TRUE(tickets.Issue(Of("bob", "s1"), kNow + 30'000)) << "those that are over do not count";
}

}  // namespace
}  // namespace framewall::backend::auth
