#include "proxy/server/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace framewall::server {
namespace {

using Outcome = ProxyProtocolResult::Outcome;
using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;

// Every shorter piece must ask for more; the whole must be done, with something behind it, too.
ProxyProtocolHeader ParseWhole(const std::string& bytes) {
  ProxyProtocolHeader header;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ParseProxyProtocol(std::string_view(bytes).substr(0, size), &header).outcome,
              Outcome::kMore)
        << size;
  }
  header = ProxyProtocolHeader();
  const ProxyProtocolResult result = ParseProxyProtocol(bytes + "GET /", &header);
  EXPECT_EQ(result.outcome, Outcome::kDone);
  EXPECT_EQ(result.size, bytes.size());
  return header;
}

Outcome OutcomeOf(std::string_view bytes) {
  ProxyProtocolHeader header;
  return ParseProxyProtocol(bytes, &header).outcome;
}

std::string Binary(char version_command, char family, std::string_view body) {
  std::string bytes(kSignature);
  bytes += version_command;
  bytes += family;
  bytes += static_cast<char>(body.size() >> 8);
  bytes += static_cast<char>(body.size() & 0xff);
  bytes += body;
  return bytes;
}

TEST(ProxyProtocol, ReadsTextOfBothFamilies) {
  const auto v4 = ParseWhole("PROXY TCP4 192.0.2.1 198.51.100.1 1234 443\r\n");
  EXPECT_TRUE(v4.has_addresses);
  EXPECT_EQ(v4.source.ToText(), "192.0.2.1:1234");
  EXPECT_EQ(v4.destination.ToText(), "198.51.100.1:443");
  const auto v6 = ParseWhole("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n");
  EXPECT_EQ(v6.source.ToText(), "[2001:db8::1]:65535");
  EXPECT_FALSE(ParseWhole("PROXY UNKNOWN\r\n").has_addresses);
  EXPECT_FALSE(ParseWhole("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").has_addresses);
}

TEST(ProxyProtocol, RefusesBrokenText) {
  for (const std::string_view text :
       {"PROXY TCP4 192.0.2.1 198.51.100.1 1234 443\n"sv,      // no CR
        "PROXY TCP4 192.0.2.1 198.51.100.1 1234 65536\r\n"sv,  // port
        "PROXY TCP4 2001:db8::1 198.51.100.1 1234 443\r\n"sv,  // family
        "PROXY TCP4 192.0.2.1 198.51.100.1 1234\r\n"sv,        // missing
        "PROXY TCP4 192.0.2.1  198.51.100.1 1234 443\r\n"sv,   // two spaces
        "PROXY UDP4 192.0.2.1 198.51.100.1 1234 443\r\n"sv, "GET / HTTP/1.1\r\n"sv,
        "proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n"sv}) {
    EXPECT_EQ(OutcomeOf(text), Outcome::kBroken) << text;
  }
}

TEST(ProxyProtocol, LimitsTheLengthOfText) {
  const std::string start = "PROXY UNKNOWN ";
  EXPECT_EQ(OutcomeOf(start + std::string(107 - start.size() - 2, 'x') + "\r\n"), Outcome::kDone);
  EXPECT_EQ(OutcomeOf(start + std::string(108 - start.size() - 2, 'x') + "\r\n"), Outcome::kBroken);
  EXPECT_EQ(OutcomeOf(start + std::string(106 - start.size(), 'x')), Outcome::kMore);
  EXPECT_EQ(OutcomeOf(start + std::string(107 - start.size(), 'x')), Outcome::kBroken);
}

TEST(ProxyProtocol, ReadsBinaryOfBothFamilies) {
  const auto v4 =
      ParseWhole(Binary(0x21, 0x11, "\xc0\x00\x02\x01\xc6\x33\x64\x01\x04\xd2\x01\xbb"sv));
  EXPECT_EQ(v4.source.ToText(), "192.0.2.1:1234");
  EXPECT_EQ(v4.destination.ToText(), "198.51.100.1:443");
  std::string six(32, '\0');
  six[15] = 1;
  six[31] = 2;
  six += "\x00\x50\x1f\x90"sv;
  const auto v6 = ParseWhole(Binary(0x21, 0x21, six));
  EXPECT_EQ(v6.source.ToText(), "[::1]:80");
  EXPECT_EQ(v6.destination.ToText(), "[::2]:8080");
}

TEST(ProxyProtocol, SkipsWhatFollowsTheAddresses) {
  const auto header =
      ParseWhole(Binary(0x21, 0x11,
                        "\xc0\x00\x02\x01\xc6\x33\x64\x01\x04\xd2\x01\xbb\x04\x00\x03"
                        "abc"sv));
  EXPECT_EQ(header.source.ToText(), "192.0.2.1:1234");
}

TEST(ProxyProtocol, LocalAndUnknownFamiliesHaveNoAddresses) {
  EXPECT_FALSE(ParseWhole(Binary(0x20, 0x11, "\x01\x02\x03\x04"sv)).has_addresses);
  EXPECT_FALSE(ParseWhole(Binary(0x21, 0x31, std::string(216, 'x'))).has_addresses);
  EXPECT_FALSE(ParseWhole(Binary(0x21, 0x00, "")).has_addresses);
}

TEST(ProxyProtocol, RefusesBrokenBinary) {
  EXPECT_EQ(OutcomeOf(Binary(0x11, 0x11, std::string(12, 'x'))), Outcome::kBroken);  // version 1
  EXPECT_EQ(OutcomeOf(Binary(0x22, 0x11, std::string(12, 'x'))), Outcome::kBroken);  // command
  EXPECT_EQ(OutcomeOf(Binary(0x21, 0x11, std::string(11, 'x'))), Outcome::kBroken);  // too short
  EXPECT_EQ(OutcomeOf(Binary(0x21, 0x21, std::string(35, 'x'))), Outcome::kBroken);
  EXPECT_EQ(OutcomeOf(Binary(0x21, 0x00, std::string(4080, 'x'))), Outcome::kDone);
  EXPECT_EQ(OutcomeOf(Binary(0x21, 0x00, std::string(4081, 'x'))), Outcome::kBroken);
}

TEST(ProxyProtocol, ShowsOddOctetsAsDots) {
  EXPECT_EQ(PrintableStart("GET \r\n\xff"), "GET ...");
  EXPECT_EQ(PrintableStart(std::string(100, 'a')).size(), 64u);
}

}  // namespace
}  // namespace framewall::server
