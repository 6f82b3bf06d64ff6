#include "proxy/event/dns_message.h"

#include <gtest/gtest.h>

#include "tests/unit/event/dns_support.h"

namespace framewall::event {
namespace {

using std::string_literals::operator""s;

TEST(EncodeDnsQuery, IsTheMessageOfRfc1035) {
  EXPECT_EQ(
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
      "\x01"
      "a\x07"
      "example\x00\x00\x1c\x00\x01"s,
      EncodeDnsQuery(0x1234, "a.example", DnsType::kAaaa));
}

TEST(EncodeDnsQuery, RefusesWhatIsNoName) {
  const auto fits = [](const std::string& name) {
    return EncodeDnsQuery(1, name, DnsType::kA).has_value();
  };
  EXPECT_FALSE(fits(""));
  EXPECT_FALSE(fits("."));
  EXPECT_FALSE(fits("a..b"));
  EXPECT_FALSE(fits(".a"));
  EXPECT_FALSE(fits("a."));
  EXPECT_TRUE(fits(std::string(63, 'a') + ".b"));
  EXPECT_FALSE(fits(std::string(64, 'a') + ".b"));
  const std::string label(63, 'a');
  EXPECT_TRUE(fits(label + "." + label + "." + label + "." + label));
  EXPECT_FALSE(fits(label + "." + label + "." + label + "." + label + ".b"));
}

std::vector<std::string> Texts(const DnsAnswer& answer) {
  std::vector<std::string> texts;
  for (const IpAddress& ip : answer.addresses) texts.push_back(ip.ToText());
  return texts;
}

TEST(ParseDnsAnswer, ReadsAddressesAndTheLeastTtl) {
  DnsReply reply("A.Example", DnsType::kA);
  reply.Record(DnsType::kA, 300, "\x7f\x00\x00\x01"s);
  reply.Record(DnsType::kA, 60, "\x7f\x00\x00\x02"s);
  const auto answer = ParseDnsAnswer(reply.Message(7));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(7, answer->id);
  EXPECT_EQ("a.example", answer->name);
  EXPECT_EQ(1, answer->type);
  EXPECT_EQ((std::vector<std::string>{"127.0.0.1", "127.0.0.2"}), Texts(*answer));
  EXPECT_EQ(60u, answer->ttl);
}

TEST(ParseDnsAnswer, ReadsAliasesWithCompression) {
  DnsReply reply("www.example", DnsType::kAaaa);
  // The name ends with a pointer to "example" at octet 16.
  reply.Record(DnsType::kCname, 10,
               "\x03"
               "web\xc0\x10"s);
  reply.Record(DnsType::kAaaa, 20, std::string(15, '\0') + "\x01");
  const auto answer = ParseDnsAnswer(reply.Message(7));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ("web.example", answer->cname);
  EXPECT_EQ((std::vector<std::string>{"::1"}), Texts(*answer));
  EXPECT_EQ(10u, answer->ttl);
}

TEST(ParseDnsAnswer, RefusesEveryCutMessage) {
  DnsReply reply("www.example", DnsType::kA);
  reply.Record(DnsType::kCname, 10,
               "\x03"
               "web\xc0\x10"s);
  reply.Record(DnsType::kA, 20, "\x7f\x00\x00\x01"s);
  const std::string whole = reply.Message(7);
  EXPECT_TRUE(ParseDnsAnswer(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseDnsAnswer(ByteView(whole).substr(0, size)).ok()) << size;
  }
}

TEST(ParseDnsAnswer, RefusesWhatDoesNotFit) {
  const auto parses = [](DnsType asked, DnsType type, const std::string& data) {
    DnsReply reply("a.example", asked);
    reply.Record(type, 1, data);
    return ParseDnsAnswer(reply.Message(1)).ok();
  };
  EXPECT_TRUE(parses(DnsType::kA, DnsType::kA, "1234"));
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kA, ""));
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kA, "123"));
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kA, "12345"));
  EXPECT_FALSE(parses(DnsType::kAaaa, DnsType::kA, "1234"));
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kAaaa, std::string(16, 'x')));
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kCname, "\x00"s));  // the root
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kCname,
                      "\x01"
                      "a\x00z"s));                                  // octets after the name
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kCname, "\x40"s));      // a reserved label type
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kCname, "\xc0\xff"s));  // a pointer forwards
  EXPECT_FALSE(parses(DnsType::kA, DnsType::kCname, "\xc0\x27"s));  // a pointer to itself
}

TEST(ParseDnsAnswer, RefusesQueriesAndOtherCounts) {
  std::string message = DnsReply("a.example", DnsType::kA).Message(1);
  EXPECT_TRUE(ParseDnsAnswer(message).ok());
  std::string query = message;
  query[2] = '\x01';
  EXPECT_FALSE(ParseDnsAnswer(query).ok());
  std::string two_questions = message;
  two_questions[5] = '\x02';
  EXPECT_FALSE(ParseDnsAnswer(two_questions).ok());
  std::string more_records = message;
  more_records[7] = '\x01';
  EXPECT_FALSE(ParseDnsAnswer(more_records).ok());
}

TEST(ParseDnsAnswer, TakesAFormatErrorWithoutAQuestion) {
  const auto answer = ParseDnsAnswer("\x00\x07\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00"s);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(kDnsFormatError, answer->code);
}

}  // namespace
}  // namespace framewall::event
