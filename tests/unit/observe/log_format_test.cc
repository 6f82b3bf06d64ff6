#include "proxy/observe/log_format.h"

#include <gtest/gtest.h>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::observe {
namespace {

// The line of a format for a request with these fields.
class LogFormatTest : public ::testing::Test {
 protected:
  std::string Line(const std::string& format, std::string_view uri = "/",
                   std::vector<std::pair<std::string, std::string>> fields = {}) {
    testing_.Load("log_format own " + format + ";\nserver { listen 8080; server_name a; }");
    exchange::Exchange& exchange = testing_.Request("", uri, std::move(fields));
    std::string line;
    AppendLogLine(exchange, exchange.config.http.log_formats.back(), line);
    return line;
  }

  ExchangeTesting testing_;
};

std::string DefaultEscaped(std::string_view text) {
  std::string out;
  AppendDefaultEscaped(out, text);
  return out;
}

TEST(DefaultEscape, LeavesPrintableAsciiButQuoteAndBackslash) {
  EXPECT_EQ(DefaultEscaped(" !#[]~az09"), " !#[]~az09");
  EXPECT_EQ(DefaultEscaped("a\"b\\c"), "a\\x22b\\x5Cc");
}

TEST(DefaultEscape, WritesControlsDelAndHighOctetsAsHex) {
  EXPECT_EQ(DefaultEscaped(std::string_view("\0\x1f\x7f\x80\xff", 5)), "\\x00\\x1F\\x7F\\x80\\xFF");
  EXPECT_EQ(DefaultEscaped("\r\n\t"), "\\x0D\\x0A\\x09");
  EXPECT_EQ(DefaultEscaped("\xd0\xb6"), "\\xD0\\xB6");
}

TEST(DefaultEscape, AppendsToWhatIsThere) {
  std::string line = "\"";
  AppendDefaultEscaped(line, "");
  EXPECT_EQ(line, "\"");
}

TEST_F(LogFormatTest, DefaultEscapesValuesAndNotItsOwnText) {
  EXPECT_EQ(Line(R"('"$http_x" \t$arg_a')", "/?a=%22", {{"X", "a\"b\xc3"}}),
            "\"a\\x22b\\xC3\" \t%22");
}

TEST_F(LogFormatTest, AbsentIsADashUnlessTheEscapeIsAnother) {
  EXPECT_EQ(Line("'[$http_x]'"), "[-]");
  EXPECT_EQ(Line("escape=default '[$http_x]'"), "[-]");
  EXPECT_EQ(Line("escape=json '[$http_x]'"), "[]");
  EXPECT_EQ(Line("escape=none '[$http_x]'"), "[]");
}

TEST_F(LogFormatTest, EmptyIsNotAbsent) {
  EXPECT_EQ(Line("'[$http_x]'", "/", {{"X", ""}}), "[]");
  EXPECT_EQ(Line("'[$arg_a][$arg_b]'", "/?a="), "[][-]");
}

TEST_F(LogFormatTest, JsonEscapesAsRfc8259) {
  EXPECT_EQ(
      Line(R"(escape=json '{"x":"$http_x"}')", "/", {{"X", "q\"b\\s/\b\f\t\x01\x7f\xd0\xb6"}}),
      "{\"x\":\"q\\\"b\\\\s/\\b\\f\\t\\u0001\x7f\xd0\xb6\"}");
}

TEST_F(LogFormatTest, NoneWritesValuesAsTheyAre) {
  EXPECT_EQ(Line("escape=none '$http_x'", "/", {{"X", "a\"\\\t\x80"}}), "a\"\\\t\x80");
}

TEST_F(LogFormatTest, ManyPiecesAreOneText) {
  EXPECT_EQ(Line("'$request_method ' \"$uri\" '|$is_args$args'", "/p?a=b"), "GET /p|?a=b");
}

TEST_F(LogFormatTest, CombinedIsThere) {
  testing_.Load("server { listen 8080; server_name a; }");
  exchange::Exchange& exchange = testing_.Request("", "/x", {{"Referer", "http://r/\""}});
  exchange.request.request_line = "GET /x HTTP/1.1";
  exchange.response.status = 404;
  exchange.head_sent = true;
  exchange.body_bytes_sent = 17;
  std::string line;
  AppendLogLine(exchange, exchange.config.http.log_formats.front(), line);
  EXPECT_EQ(line, "127.0.0.1 - - [" + std::string(CachedLogTime()) +
                      "] \"GET /x HTTP/1.1\" 404 17 \"http://r/\\x22\" \"-\"");
}

}  // namespace
}  // namespace framewall::observe
