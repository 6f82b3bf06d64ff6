// The built-in pages, stub_status, the empty GIF and media types.
#include <gtest/gtest.h>

#include "proxy/content/builtin_page.h"
#include "proxy/content/media_type.h"
#include "proxy/content/status_page.h"
#include "tests/unit/filter/exchange_testing.h"

namespace framewall::content {
namespace {

using config::ServerTokens;

TEST(BuiltinPage, IsNginxsToTheOctet) {
  EXPECT_EQ(BuiltinPage(404, ServerTokens::kOn),
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
            "<center><h1>404 Not Found</h1></center>\r\n"
            "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n");
  EXPECT_EQ(BuiltinPage(401, ServerTokens::kOff),
            "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n"
            "<center><h1>401 Authorization Required</h1></center>\r\n"
            "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n");
}

TEST(BuiltinPage, ShowsItsOwnCodesAs400) {
  EXPECT_EQ(BuiltinPage(494, ServerTokens::kOff),
            "<html>\r\n<head><title>400 Request Header Or Cookie Too Large</title></head>\r\n"
            "<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
            "<center>Request Header Or Cookie Too Large</center>\r\n"
            "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n");
  EXPECT_NE(BuiltinPage(497, ServerTokens::kOff)
                .find("<center>The plain HTTP request was sent to HTTPS port</center>"),
            std::string::npos);
}

TEST(BuiltinPage, IsEmptyWhereNginxHasNone) {
  for (const int status :
       {200, 201, 204, 300, 304, 305, 407, 417, 418, 422, 428, 430, 499, 506, 508, 999}) {
    EXPECT_EQ(BuiltinPage(status, ServerTokens::kOn), "") << status;
  }
}

TEST(ServerField, FollowsServerTokens) {
  EXPECT_EQ(ServerField(ServerTokens::kOn), "nginx/1.22.1");
  EXPECT_EQ(ServerField(ServerTokens::kBuild), "nginx/1.22.1");
  EXPECT_EQ(ServerField(ServerTokens::kOff), "nginx");
}

class SmallPages : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    Load(
        "types { text/html html htm; image/png PNG; } default_type text/x-$host;"
        " server { listen 8080; }");
  }
  std::string TypeOf(std::string_view uri) { return std::string(MediaTypeFor(Request("", uri))); }
};

TEST_F(SmallPages, StubStatus) {
  ConnectionTotals totals;
  totals.active = 1;
  totals.accepted = 2;
  totals.handled = 3;
  totals.requests = 4;
  totals.reading = 5;
  totals.writing = 6;
  totals.waiting = 7;
  SendStubStatus(Request("", "/"), totals);
  EXPECT_EQ(driver().calls, std::vector<std::string>{"whole 200 text/plain"});
  EXPECT_EQ(driver().body,
            "Active connections: 1 \nserver accepts handled requests\n 2 3 4 \n"
            "Reading: 5 Writing: 6 Waiting: 7 \n");
  SendStubStatus(Request("", "/", {}, "POST"), totals);
  EXPECT_EQ(driver().calls, std::vector<std::string>{"finish 405"});
}

TEST_F(SmallPages, EmptyGif) {
  SendEmptyGif(Request("", "/"));
  EXPECT_EQ(driver().calls, std::vector<std::string>{"whole 200 image/gif"});
  EXPECT_EQ(driver().body.size(), 43u);
  EXPECT_TRUE(driver().body.starts_with("GIF89a"));
  EXPECT_EQ(Field("Last-Modified"), "Mon, 28 Sep 1970 06:00:00 GMT");
}

TEST_F(SmallPages, MediaTypeByExtension) {
  EXPECT_EQ(TypeOf("/a.html"), "text/html");
  EXPECT_EQ(TypeOf("/a.tar.HTM"), "text/html");
  EXPECT_EQ(TypeOf("/a.png"), "image/png");
  for (const char* uri : {"/a", "/a.html/b", "/.html", "/x/.html", "/a.", "/a.htmlx", "/"}) {
    EXPECT_EQ(TypeOf(uri), "text/x-localhost") << uri;
  }
}

}  // namespace
}  // namespace framewall::content
