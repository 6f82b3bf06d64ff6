#include "proxy/exchange/variables.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::exchange {
namespace {

constexpr std::string_view kAbsent = "(absent)";

class VariablesTest : public ::testing::Test {
 protected:
  // A request to "/" in a configuration that uses `names`. `server` and `location` stand in their
  // blocks.
  Exchange& Load(const std::string& names, std::string_view uri = "/",
                 std::vector<std::pair<std::string, std::string>> fields = {},
                 const std::string& server = "", const std::string& location = "") {
    testing_.Load("log_format own '" + names + "';\nserver { listen 8080; " + server +
                  " location / { " + location + " } }");
    return testing_.Request("/", uri, std::move(fields));
  }

  // Of a name that the configuration uses.
  std::string Value(std::string_view name) {
    Exchange& exchange = testing_.exchange();
    const auto& names = exchange.config.variables.names();
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].name == name) {
        return std::string(exchange.Get(static_cast<config::VariableSlot>(i)).value_or(kAbsent));
      }
    }
    ADD_FAILURE() << name << " is not in the configuration";
    return {};
  }

  ExchangeTesting testing_;
};

TEST_F(VariablesTest, TheRequestLine) {
  Exchange& exchange = Load(
      "$uri$document_uri$request_uri$request$request_method$args$query_string$is_args"
      "$server_protocol",
      "/a b?x=1&y", {}, "", "");
  exchange.request.request_line = "GET /a%20b?x=1&y HTTP/1.1";
  exchange.request.target = "/a%20b?x=1&y";
  EXPECT_EQ(Value("uri"), "/a b");
  EXPECT_EQ(Value("document_uri"), "/a b");
  EXPECT_EQ(Value("request_uri"), "/a%20b?x=1&y");
  EXPECT_EQ(Value("request"), "GET /a%20b?x=1&y HTTP/1.1");
  EXPECT_EQ(Value("request_method"), "GET");
  EXPECT_EQ(Value("args"), "x=1&y");
  EXPECT_EQ(Value("query_string"), "x=1&y");
  EXPECT_EQ(Value("is_args"), "?");
  EXPECT_EQ(Value("server_protocol"), "HTTP/1.1");
  exchange.args = "";
  EXPECT_EQ(Value("is_args"), "");
}

TEST_F(VariablesTest, ArgumentsAreFoundByWholeNameWithoutCase) {
  Load("$arg_a$arg_ab$arg_b$arg_c$arg_", "/?ab=1&A=2&a=3&b=&=x");
  EXPECT_EQ(Value("arg_a"), "2");
  EXPECT_EQ(Value("arg_ab"), "1");
  EXPECT_EQ(Value("arg_b"), "");
  EXPECT_EQ(Value("arg_c"), kAbsent);
}

TEST_F(VariablesTest, ArgumentsAreGivenAsSent) {
  Load("$arg_a", "/?a=%41+b;c");
  EXPECT_EQ(Value("arg_a"), "%41+b;c");
}

TEST_F(VariablesTest, FieldsOfOneNameAreJoined) {
  Load("$http_x_y$http_cookie$http_none$http_empty", "/",
       {{"X-Y", "1"},
        {"x_y", "2"},
        {"X-YZ", "3"},
        {"Cookie", "a=1"},
        {"Cookie", "b=2"},
        {"Empty", ""}});
  EXPECT_EQ(Value("http_x_y"), "1, 2");
  EXPECT_EQ(Value("http_cookie"), "a=1; b=2");
  EXPECT_EQ(Value("http_none"), kAbsent);
  EXPECT_EQ(Value("http_empty"), "");
}

TEST_F(VariablesTest, Cookies) {
  Load("$cookie_a$cookie_b$cookie_c", "/", {{"Cookie", "aa=0; a=1"}, {"Cookie", "b=2"}});
  EXPECT_EQ(Value("cookie_a"), "1");
  EXPECT_EQ(Value("cookie_b"), "2");
  EXPECT_EQ(Value("cookie_c"), kAbsent);
}

TEST_F(VariablesTest, TheRemoteUserIsRfc7617s) {
  const auto user = [this](const std::string& authorization) {
    Load("$remote_user", "/", {{"Authorization", authorization}});
    return Value("remote_user");
  };
  EXPECT_EQ(user("Basic dXNlcjpwYXNz"), "user");        // user:pass
  EXPECT_EQ(user("basic   dXNlcjpwYTpzcw=="), "user");  // user:pa:ss
  EXPECT_EQ(user("Basic dXNlcg=="), kAbsent);           // user
  EXPECT_EQ(user("Basic OnBhc3M="), kAbsent);           // :pass
  EXPECT_EQ(user("Basic ###"), kAbsent);
  EXPECT_EQ(user("Bearer dXNlcjpwYXNz"), kAbsent);
}

TEST_F(VariablesTest, TheBodyIsShownWhereItIsInMemory) {
  Exchange& exchange = Load("$request_body$request_body_file$content_length$content_type", "/",
                            {{"Content-Type", "text/plain"}});
  EXPECT_EQ(Value("request_body"), kAbsent);
  EXPECT_EQ(Value("content_length"), kAbsent);
  EXPECT_EQ(Value("content_type"), "text/plain");
  exchange.body.Configure(4, testing_.folder(), false, false);
  exchange.framing = {http::BodyFraming::Kind::kChunked, 0};
  ASSERT_TRUE(exchange.body.Append("abcd").ok());
  EXPECT_EQ(Value("request_body"), kAbsent);  // not whole yet
  exchange.body_collected = true;
  EXPECT_EQ(Value("request_body"), "abcd");
  EXPECT_EQ(Value("request_body_file"), kAbsent);
  EXPECT_EQ(Value("content_length"), "4");
  ASSERT_TRUE(exchange.body.Append("e").ok());
  EXPECT_EQ(Value("request_body"), kAbsent);
  EXPECT_EQ(Value("request_body_file"), exchange.body.file_path());
  EXPECT_EQ(Value("content_length"), "5");
}

TEST_F(VariablesTest, TheRequestIdIsMadeOnce) {
  Load("$request_id");
  const std::string first = Value("request_id");
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(Value("request_id"), first);
  testing_.Request("/", "/");
  EXPECT_NE(Value("request_id"), first);
}

TEST_F(VariablesTest, TheConnection) {
  testing_.connection().number = 42;
  testing_.connection().requests = 3;
  testing_.connection().accepted = CachedNow().steady - Milliseconds(1234);
  Exchange& exchange = Load(
      "$remote_addr$remote_port$binary_remote_addr$realip_remote_addr$realip_remote_port"
      "$server_addr$server_port$connection$connection_requests$connection_time$pipe$pid$scheme"
      "$https$http2$proxy_protocol_addr$proxy_protocol_x");
  exchange.client_address = *SocketAddress::Parse("[2001:db8::1]:7");
  EXPECT_EQ(Value("remote_addr"), "2001:db8::1");
  EXPECT_EQ(Value("remote_port"), "7");
  EXPECT_EQ(Value("binary_remote_addr").size(), 16u);
  EXPECT_EQ(Value("realip_remote_addr"), "127.0.0.1");
  EXPECT_EQ(Value("realip_remote_port"), "40000");
  EXPECT_EQ(Value("server_addr"), "127.0.0.1");
  EXPECT_EQ(Value("server_port"), "8080");
  EXPECT_EQ(Value("connection"), "42");
  EXPECT_EQ(Value("connection_requests"), "3");
  EXPECT_EQ(Value("connection_time"), "1.234");
  EXPECT_EQ(Value("pipe"), "p");
  EXPECT_EQ(Value("pid"), std::to_string(::getpid()));
  EXPECT_EQ(Value("scheme"), "http");
  EXPECT_EQ(Value("https"), "");
  EXPECT_EQ(Value("http2"), "");
  EXPECT_EQ(Value("proxy_protocol_addr"), "");
  EXPECT_EQ(Value("proxy_protocol_x"), kAbsent);
}

TEST_F(VariablesTest, AUnixSocketHasNoPort) {
  testing_.connection().peer = *SocketAddress::FromUnixPath("/c");
  testing_.connection().local = *SocketAddress::FromUnixPath("/s");
  Load("$remote_addr$remote_port$binary_remote_addr$server_addr$server_port");
  EXPECT_EQ(Value("remote_addr"), "unix:");
  EXPECT_EQ(Value("remote_port"), "");
  EXPECT_EQ(Value("binary_remote_addr"), "unix:");
  EXPECT_EQ(Value("server_addr"), "unix:/s");
  EXPECT_EQ(Value("server_port"), "");
}

TEST_F(VariablesTest, TheProxyProtocolsHeader) {
  ProxyProtocolInfo& info = testing_.connection().proxy_protocol;
  info.present = true;
  info.source = *SocketAddress::Parse("192.0.2.1:1111");
  info.destination = *SocketAddress::Parse("192.0.2.2:2222");
  Load(
      "$proxy_protocol_addr$proxy_protocol_port$proxy_protocol_server_addr"
      "$proxy_protocol_server_port");
  EXPECT_EQ(Value("proxy_protocol_addr"), "192.0.2.1");
  EXPECT_EQ(Value("proxy_protocol_port"), "1111");
  EXPECT_EQ(Value("proxy_protocol_server_addr"), "192.0.2.2");
  EXPECT_EQ(Value("proxy_protocol_server_port"), "2222");
}

TEST_F(VariablesTest, TheServer) {
  Exchange& exchange = Load("$host$server_name", "/", {}, "server_name .a.example b;");
  EXPECT_EQ(Value("server_name"), "a.example");
  EXPECT_EQ(Value("host"), "localhost");
  exchange.host = {};
  EXPECT_EQ(Value("host"), ".a.example");
}

TEST_F(VariablesTest, FilesOfRootAndAlias) {
  Load("$document_root$request_filename$realpath_root", "/x/y", {}, "", "root DIR/r/../r;");
  EXPECT_EQ(Value("document_root"), testing_.folder() + "/r/../r");
  EXPECT_EQ(Value("request_filename"), testing_.folder() + "/r/../r/x/y");
  EXPECT_EQ(Value("realpath_root"), kAbsent);
  std::filesystem::create_directories(testing_.folder() + "/r");
  EXPECT_EQ(Value("realpath_root"), std::filesystem::canonical(testing_.folder() + "/r").string());
  Load("$request_filename", "/x/y", {}, "", "alias DIR/a/;");
  EXPECT_EQ(Value("request_filename"), testing_.folder() + "/a/x/y");
}

TEST_F(VariablesTest, TheResponse) {
  Exchange& exchange = Load(
      "$status$bytes_sent$body_bytes_sent$sent_http_x$sent_http_content_length"
      "$sent_http_transfer_encoding$sent_http_connection$request_completion$request_length"
      "$sent_trailer_x");
  exchange.bytes_sent = 100;
  exchange.body_bytes_sent = 60;
  exchange.request_length = 40;
  exchange.content_length = 60;
  exchange.response.fields.Add("X", "1");
  exchange.response.fields.Add("X", "2");
  EXPECT_EQ(Value("status"), "000");
  exchange.response.status = 200;
  exchange.head_sent = true;
  EXPECT_EQ(Value("status"), "200");
  EXPECT_EQ(Value("bytes_sent"), "100");
  EXPECT_EQ(Value("body_bytes_sent"), "60");
  EXPECT_EQ(Value("request_length"), "40");
  EXPECT_EQ(Value("sent_http_x"), "1, 2");
  EXPECT_EQ(Value("sent_http_content_length"), "60");
  EXPECT_EQ(Value("sent_http_transfer_encoding"), kAbsent);
  EXPECT_EQ(Value("sent_http_connection"), "keep-alive");
  EXPECT_EQ(Value("request_completion"), "");
  EXPECT_EQ(Value("sent_trailer_x"), kAbsent);
  exchange.response_chunked = true;
  exchange.keep_alive = false;
  exchange.response_ended = true;
  http::HeaderMap trailers(&exchange.arena);
  trailers.Add("X", "t");
  exchange.sent_trailers = &trailers;
  EXPECT_EQ(Value("sent_http_transfer_encoding"), "chunked");
  EXPECT_EQ(Value("sent_http_connection"), "close");
  EXPECT_EQ(Value("request_completion"), "OK");
  EXPECT_EQ(Value("sent_trailer_x"), "t");
  exchange.response.status = 101;
  EXPECT_EQ(Value("sent_http_connection"), "upgrade");
}

TEST_F(VariablesTest, AttemptsAreJoinedWithTheirBoundaries) {
  Exchange& exchange = Load(
      "$upstream_addr$upstream_status$upstream_connect_time$upstream_header_time"
      "$upstream_response_time$upstream_bytes_sent$upstream_bytes_received"
      "$upstream_response_length");
  EXPECT_EQ(Value("upstream_addr"), kAbsent);
  exchange.upstream.push_back({.address = "a:1", .response_ms = 5, .bytes_sent = 10});
  exchange.upstream.push_back({.address = "b:2", .status = 502, .connect_ms = 0});
  exchange.upstream.push_back({.address = "c:3",
                               .status = 200,
                               .connect_ms = 1,
                               .header_ms = 20,
                               .response_ms = 3000,
                               .bytes_sent = 1,
                               .bytes_received = 2,
                               .response_length = 3,
                               .internal_redirect = true});
  EXPECT_EQ(Value("upstream_addr"), "a:1, b:2 : c:3");
  EXPECT_EQ(Value("upstream_status"), "-, 502 : 200");
  EXPECT_EQ(Value("upstream_connect_time"), "-, 0.000 : 0.001");
  EXPECT_EQ(Value("upstream_header_time"), "-, - : 0.020");
  EXPECT_EQ(Value("upstream_response_time"), "0.005, - : 3.000");
  EXPECT_EQ(Value("upstream_bytes_sent"), "10, 0 : 1");
  EXPECT_EQ(Value("upstream_bytes_received"), "0, 0 : 2");
  EXPECT_EQ(Value("upstream_response_length"), "0, 0 : 3");
}

TEST_F(VariablesTest, TheUpstreamsHead) {
  Exchange& exchange =
      Load("$upstream_http_x$upstream_cookie_sid$upstream_trailer_t$proxy_add_x_forwarded_for");
  EXPECT_EQ(Value("upstream_http_x"), kAbsent);
  EXPECT_EQ(Value("upstream_cookie_sid"), kAbsent);
  EXPECT_EQ(Value("upstream_trailer_t"), kAbsent);
  http::ResponseHead head(&exchange.arena);
  head.fields.Add("X", "1");
  head.fields.Add("Set-Cookie", "SID=abc; Path=/");
  exchange.upstream_head = &head;
  http::HeaderMap trailers(&exchange.arena);
  trailers.Add("T", "end");
  exchange.upstream_trailers = &trailers;
  EXPECT_EQ(Value("upstream_http_x"), "1");
  EXPECT_EQ(Value("upstream_cookie_sid"), "abc");
  EXPECT_EQ(Value("upstream_trailer_t"), "end");
  EXPECT_EQ(Value("proxy_add_x_forwarded_for"), "127.0.0.1");
  exchange.request.fields.Add("X-Forwarded-For", "192.0.2.1");
  exchange.request.fields.Add("X-Forwarded-For", "192.0.2.2");
  EXPECT_EQ(Value("proxy_add_x_forwarded_for"), "192.0.2.1, 192.0.2.2, 127.0.0.1");
}

TEST_F(VariablesTest, SetStoresAndChangesWhatMayBeChanged) {
  Exchange& exchange = Load("$own$args$limit_rate", "/?a=1", {}, "", "set $own x;");
  const auto slot = [&exchange](std::string_view name) {
    const auto& names = exchange.config.variables.names();
    size_t i = 0;
    while (names[i].name != name) ++i;
    return static_cast<config::VariableSlot>(i);
  };
  EXPECT_EQ(Value("own"), kAbsent);
  {
    std::string text = "value";
    exchange.Set(slot("own"), text);
    text.assign("xxxxx");
  }
  EXPECT_EQ(Value("own"), "value");
  exchange.Set(slot("args"), "b=2");
  EXPECT_EQ(exchange.args, "b=2");
  EXPECT_EQ(Value("args"), "b=2");
  exchange.Set(slot("limit_rate"), "4k");
  EXPECT_EQ(Value("limit_rate"), "4096");
  exchange.Set(slot("limit_rate"), "");
  EXPECT_EQ(Value("limit_rate"), "0");
}

TEST_F(VariablesTest, Referers) {
  const auto invalid = [this](const std::string& rules, const std::string& referer) {
    std::vector<std::pair<std::string, std::string>> fields;
    if (referer != "none") fields.emplace_back("Referer", referer);
    Load("$invalid_referer", "/", std::move(fields), "server_name own.example;",
         "valid_referers " + rules + ";");
    return Value("invalid_referer");
  };
  EXPECT_EQ(invalid("none a.example", "none"), "");
  EXPECT_EQ(invalid("a.example", "none"), "1");
  EXPECT_EQ(invalid("a.example", "http://a.example/x?y"), "");
  EXPECT_EQ(invalid("a.example", "https://A.example:8443"), "");
  EXPECT_EQ(invalid("a.example", "http://a.example.evil/"), "1");
  EXPECT_EQ(invalid("*.a.example", "http://b.a.example/"), "");
  EXPECT_EQ(invalid("*.a.example", "http://ba.example/"), "1");
  EXPECT_EQ(invalid("a.*", "http://a.org/////"), "");
  EXPECT_EQ(invalid("a.example/p", "http://a.example/p/q"), "");
  EXPECT_EQ(invalid("a.example/p", "http://a.example/q"), "1");
  EXPECT_EQ(invalid("a.example", "ftp://a.example/"), "1");
  EXPECT_EQ(invalid("blocked a.example", "hidden by a firewall"), "");
  EXPECT_EQ(invalid("server_names", "http://own.example/"), "");
  EXPECT_EQ(invalid(R"(~\.google\.)", "http://www.google.org/"), "");
  EXPECT_EQ(invalid(R"(~\.google\.)", "http://www.example.org/"), "1");
}

TEST(VariableCatalog, FamiliesAndNames) {
  const config::VariableCatalog& catalog = BuiltinCatalog();
  EXPECT_TRUE(catalog.IsBuiltin("uri") && catalog.IsBuiltin("http_anything"));
  EXPECT_FALSE(catalog.IsBuiltin("urii"));
  EXPECT_FALSE(catalog.IsBuiltin("http"));
  EXPECT_TRUE(catalog.IsChangeable("args") && catalog.IsChangeable("own"));
  EXPECT_FALSE(catalog.IsChangeable("uri"));
}

}  // namespace
}  // namespace framewall::exchange
