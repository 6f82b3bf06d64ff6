#include "proxy/redis/topology.h"

#include <gtest/gtest.h>

#include "proxy/redis/reply_reader.h"

namespace framewall::redis {
namespace {

Reply Parse(std::string_view octets) {
  ReplyReader reader({});
  reader.Feed(octets);
  auto reply = reader.Next();
  EXPECT_TRUE(reply.ok() && reply->has_value()) << octets;
  return reply.ok() && reply->has_value() ? std::move(**reply) : Reply{};
}

TEST(ClusterSlots, GivesTheMasterOfEachRange) {
  const auto ranges = ParseClusterSlots(
      Parse("*2\r\n*4\r\n:0\r\n:99\r\n*2\r\n$9\r\n127.0.0.1\r\n:7000\r\n*2\r\n$9\r\n127.0.0.1\r\n"
            ":7003\r\n*3\r\n:100\r\n:16383\r\n*4\r\n$3\r\n::1\r\n:7001\r\n$2\r\nid\r\n*0\r\n"));
  ASSERT_TRUE(ranges.ok()) << ranges.error().message;
  EXPECT_EQ((std::vector<SlotRange>{{0, 99, "127.0.0.1", 7000}, {100, 16383, "::1", 7001}}),
            *ranges);
}

TEST(ClusterSlots, AnUnknownHostIsTheAskedOne) {
  const auto ranges = ParseClusterSlots(Parse("*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$-1\r\n:7000\r\n"));
  ASSERT_TRUE(ranges.ok());
  EXPECT_EQ("", ranges->front().host);
}

TEST(ClusterSlots, RefusesWhatItIsNot) {
  for (const char* octets : {
           "+OK\r\n", "$-1\r\n", "*0\r\n", "-ERR This instance has cluster support disabled\r\n",
           "*1\r\n:1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n",
           "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",   // slots end at 16383
           "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",      //
           "*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",       //
           "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:65536\r\n",   // a port
           "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:0\r\n",       //
           "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$3\r\na b\r\n:1\r\n",     // a host
           "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\n?\r\n:1\r\n",       // none that can be reached
           "*1\r\n*3\r\n$1\r\n0\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",  //
       }) {
    EXPECT_FALSE(ParseClusterSlots(Parse(octets)).ok()) << octets;
  }
}

TEST(ClusterSlots, RefusesMoreSlotsThanThereAre) {
  const std::string row = "*3\r\n:0\r\n:8191\r\n*2\r\n$1\r\na\r\n:1\r\n";
  EXPECT_TRUE(ParseClusterSlots(Parse("*2\r\n" + row + row)).ok());
  EXPECT_FALSE(ParseClusterSlots(Parse("*3\r\n" + row + row + row)).ok());
}

TEST(Redirection, ReadsMovedAndAsk) {
  auto to = ParseRedirection("MOVED 3999 127.0.0.1:6381");
  ASSERT_TRUE(to.has_value());
  EXPECT_FALSE(to->is_ask);
  EXPECT_EQ(3999, to->slot);
  EXPECT_EQ("127.0.0.1", to->host);
  EXPECT_EQ(6381, to->port);
  to = ParseRedirection("ASK 0 ::1:1");
  ASSERT_TRUE(to.has_value());
  EXPECT_TRUE(to->is_ask);
  EXPECT_EQ("::1", to->host);
  to = ParseRedirection("MOVED 1 :6381");
  ASSERT_TRUE(to.has_value());
  EXPECT_EQ("", to->host);
}

TEST(Redirection, RefusesOthers) {
  for (const char* text :
       {"", "MOVED", "MOVED 1", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1 a", "MOVED 1 a:0",
        "MOVED 1 a:65536", "MOVED 1 a:", "MOVED 1 ?:1", "MOVED 1 a/b:1", "MOVE 1 a:1"}) {
    EXPECT_FALSE(ParseRedirection(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace framewall::redis
