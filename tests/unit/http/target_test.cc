#include "proxy/http/target.h"

#include <gtest/gtest.h>

namespace framewall::http {
namespace {

using namespace std::string_view_literals;

using Form = RequestTarget::Form;

std::string Parts(std::string_view text, bool connect = false) {
  const auto target = ParseTarget(text, connect);
  if (!target.ok()) return "refused";
  std::string parts;
  parts.append(target->scheme).append("|").append(target->authority).append("|");
  parts.append(target->path).append("|");
  if (target->has_query) parts.append("?").append(target->query);
  return parts;
}

TEST(ParseTarget, SplitsOriginForm) {
  EXPECT_EQ(Parts("/"), "||/|");
  EXPECT_EQ(Parts("/a/b?c=d?e"), "||/a/b|?c=d?e");
  EXPECT_EQ(Parts("/a?"), "||/a|?");
  EXPECT_EQ(Parts("//host/a"), "||//host/a|");
  EXPECT_EQ(Parts("/a#frag?x"), "||/a|");
  EXPECT_EQ(Parts("/a?b#frag"), "||/a|?b");
}

TEST(ParseTarget, SplitsAbsoluteForm) {
  EXPECT_EQ(Parts("http://localhost"), "http|localhost|/|");
  EXPECT_EQ(Parts("http://localhost/"), "http|localhost|/|");
  EXPECT_EQ(Parts("http://localhost?args"), "http|localhost|/|?args");
  EXPECT_EQ(Parts("http://localhost:8080?args#frag"), "http|localhost:8080|/|?args");
  EXPECT_EQ(Parts("HTTPS://[::1]:80/x"), "HTTPS|[::1]:80|/x|");
  EXPECT_EQ(ParseTarget("http://a/", false)->form, Form::kAbsolute);
}

TEST(ParseTarget, RefusesWhatIsNoTarget) {
  for (std::string_view text : {"",
                                "a",
                                "a/b",
                                "?a",
                                "#",
                                "http:/a",
                                "http:a",
                                "http://",
                                "http:///a",
                                "http://:80/",
                                "http://u@h/",
                                "http://a_b/",
                                "http://\\e/x",
                                "http://[::1/",
                                "http://[::1]x/",
                                "http://a:b/",
                                "http://a:80:90/",
                                "1ttp://a/",
                                "ht_tp://a/",
                                "/a b",
                                "/a\x01",
                                "/a\x7f",
                                "host:80",
                                "**"}) {
    EXPECT_EQ(Parts(text), "refused") << text;
  }
  EXPECT_EQ(Parts("/a\0b"sv), "refused");
}

TEST(ParseTarget, KnowsAsteriskAndAuthority) {
  EXPECT_EQ(ParseTarget("*", false)->form, Form::kAsterisk);
  EXPECT_EQ(Parts("*"), "||*|");
  EXPECT_EQ(Parts("host:80", true), "|host:80|/|");
  EXPECT_EQ(Parts("host/80", true), "refused");
  EXPECT_EQ(Parts("*", true), "refused");
}

std::string Normal(std::string_view path, bool merge = true) {
  const auto normal = NormalizePath(path, merge);
  const std::string text = normal.ok() ? *normal : "refused";
  EXPECT_EQ(IsNormalPath(path, merge), normal.ok() && text == path) << path;
  return text;
}

TEST(NormalizePath, ResolvesDots) {
  EXPECT_EQ(Normal("/"), "/");
  EXPECT_EQ(Normal("/foo/bar/."), "/foo/bar/");
  EXPECT_EQ(Normal("/foo/bar/.."), "/foo/");
  EXPECT_EQ(Normal("/foo/bar/../"), "/foo/");
  EXPECT_EQ(Normal("/a/./b"), "/a/b");
  EXPECT_EQ(Normal("/a/../b"), "/b");
  EXPECT_EQ(Normal("/a/b/../../c"), "/c");
  EXPECT_EQ(Normal("/.a/..b/c.."), "/.a/..b/c..");
  EXPECT_EQ(Normal("/..."), "/...");
  EXPECT_EQ(Normal("/a/.../b"), "/a/.../b");
  EXPECT_EQ(Normal("/."), "/");
}

TEST(NormalizePath, RefusesToLeaveTheRoot) {
  for (std::string_view path : {"/..", "/../", "/../a", "/a/../..", "/a/../../b", "/%2e%2e/a",
                                "/.%2e/a", "/..%2fa", "/./../a", "//../.."}) {
    EXPECT_EQ(Normal(path), "refused") << path;
  }
}

TEST(NormalizePath, MergesSlashesWhereAsked) {
  EXPECT_EQ(Normal("//a///b//"), "/a/b/");
  EXPECT_EQ(Normal("//a///b//", false), "//a///b//");
  EXPECT_EQ(Normal("/a//../b"), "/b");
  EXPECT_EQ(Normal("/a//../b", false), "/a/b");
  EXPECT_EQ(Normal("//", false), "//");
  EXPECT_EQ(Normal("//.", false), "//");
}

TEST(NormalizePath, DecodesOnce) {
  EXPECT_EQ(Normal("/%41%62"), "/Ab");
  EXPECT_EQ(Normal("/a%2fb"), "/a/b");
  EXPECT_EQ(Normal("/a%2F%2Fb"), "/a/b");
  EXPECT_EQ(Normal("/a/%2e/b"), "/a/b");
  EXPECT_EQ(Normal("/%02"), "/\x02");
  EXPECT_EQ(Normal("/%20"), "/ ");
  EXPECT_EQ(Normal("/%252e"), "/%2e");
  EXPECT_EQ(Normal("/%3fa%23"), "/?a#");
  EXPECT_EQ(Normal("/a+b"), "/a+b");
  EXPECT_EQ(Normal("/\xd0\xb0"), "/\xd0\xb0");
}

TEST(NormalizePath, RefusesMalformedEscapes) {
  for (std::string_view path : {"/%", "/foo/bar%1", "/%g1", "/%1g", "/%00", "/a%00b", "", "a"}) {
    EXPECT_EQ(Normal(path), "refused") << path;
  }
}

std::string Host(std::string_view text) {
  const auto host = ParseHost(text);
  if (!host.ok()) return "refused";
  std::string parts = host->host;
  if (host->port) parts.append("|").append(std::to_string(*host->port));
  return parts;
}

TEST(ParseHost, ReadsHostsAsNginx) {
  EXPECT_EQ(Host("www.abcd-ef.g02.xyz"), "www.abcd-ef.g02.xyz");
  EXPECT_EQ(Host("abcd-ef.g02.xyz:8080"), "abcd-ef.g02.xyz|8080");
  EXPECT_EQ(Host("abcd-ef.g02.xyz."), "abcd-ef.g02.xyz");
  EXPECT_EQ(Host("abcd-ef.g02.xyz.:88"), "abcd-ef.g02.xyz|88");
  EXPECT_EQ(Host("AbC-d93.0.34ZhGt-s.nk.Ru:88"), "abc-d93.0.34zhgt-s.nk.ru|88");
  EXPECT_EQ(Host("[abcd::EF98:0:7654:321]:80"), "[abcd::ef98:0:7654:321]|80");
  EXPECT_EQ(Host("[::ffff:12.30.67.89]"), "[::ffff:12.30.67.89]");
  EXPECT_EQ(Host("[v0aBcDeF.!$&'()*+,;=-._~Ab:]"), "[v0abcdef.!$&'()*+,;=-._~ab:]");
  EXPECT_EQ(Host("123.40.56.78:9000:80"), "123.40.56.78");
  EXPECT_EQ(Host("a_b"), "a_b");
  EXPECT_EQ(Host("a:"), "a");
  EXPECT_EQ(Host("a:65535"), "a|65535");
}

TEST(ParseHost, RefusesWhatIsNoHost) {
  for (std::string_view text : {"",
                                ".",
                                ":80",
                                "..examp-LE.com",
                                "com.exa-m.45..:",
                                "example.com/\\:552",
                                "a b",
                                "a\tb",
                                "localhost\x02",
                                "a\x7f",
                                "u@h",
                                "a:65536",
                                "a:99999999999",
                                "a:8o",
                                "a:-1",
                                "[::1",
                                "[]",
                                "[::1]x",
                                "[abcd::ef98:0:7654:321]..:98",
                                "[ab..cd::ef98:0:7654:321]",
                                "[a/b]"}) {
    EXPECT_EQ(Host(text), "refused") << text;
  }
  EXPECT_EQ(Host("a\0b"sv), "refused");
}

}  // namespace
}  // namespace framewall::http
