#include "proxy/content/static_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/filter/exchange_testing.h"

namespace framewall::content {
namespace {

using Calls = std::vector<std::string>;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr char kDate[] = "Mon, 28 Sep 1970 06:00:00 GMT";

class StaticFile : public ::testing::Test, public ExchangeTesting {
 protected:
  void SetUp() override {
    WriteDated("www/a.html", "0123456789");
    WriteDated("www/empty.txt", "");
    WriteDated("www/dir/index.html", "index");
    std::filesystem::create_directories(folder() + "/www/bare");
    Load(R"(types { text/html html; } root DIR/www;
server {
  listen 8080;
  location /quiet { log_not_found off; }
  location /noetag { etag off; }
  location /one { max_ranges 1; }
  location /none { max_ranges 0; }
  location /stamped { add_header Last-Modified "Tue, 29 Sep 1970 06:00:00 GMT"; add_header ETag x; }
  location /alias/ { alias DIR/www/; location ~ nested { } }
  location ~ ^/re { alias DIR/www/a.html; }
  location /index { index $arg_i a.html; }
  location /absolute { index none.html /x.html; }
})");
  }
  void WriteDated(std::string_view name, std::string_view text) {
    const std::string path = Write(name, text);
    const timespec times[2] = {{23349600, 0}, {23349600, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  Calls Start() {
    handler_ = MakeStaticHandler(exchange());
    handler_->Start();
    return driver().calls;
  }
  Calls Run(std::string_view uri, Fields fields = {}, std::string_view method = "GET",
            std::string_view location = "") {
    handler_.reset();
    Request(location, uri, std::move(fields), method);
    return Start();
  }
  int status() { return exchange().response.status; }
  int64_t length() { return exchange().content_length; }
  std::string Path(std::string_view name) { return folder() + "/www" + std::string(name); }

  const Calls sent_ = {"head", "end"};
  std::unique_ptr<ContentHandler> handler_;
};

TEST_F(StaticFile, SendsAFile) {
  EXPECT_EQ(Run("/a.html"), sent_);
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(driver().body, "0123456789");
  EXPECT_EQ(length(), 10);
  EXPECT_EQ(Field("Content-Type"), "text/html");
  EXPECT_EQ(Field("Last-Modified"), kDate);
  EXPECT_EQ(Field("ETag"), "\"1644960-a\"");
  EXPECT_EQ(Field("Accept-Ranges"), "bytes");
  EXPECT_EQ(exchange().last_modified, 23349600);
  EXPECT_TRUE(exchange().conditions_checked);
  EXPECT_EQ(log(), "");
}

TEST_F(StaticFile, SendsNoBodyForHead) {
  EXPECT_EQ(Run("/a.html", {}, "HEAD"), sent_);
  EXPECT_EQ(driver().body, "");
  EXPECT_EQ(length(), 10);
}

TEST_F(StaticFile, SendsAnEmptyFile) {
  EXPECT_EQ(Run("/empty.txt"), sent_);
  EXPECT_EQ(length(), 0);
  EXPECT_EQ(Field("Content-Type"), "text/plain");
}

TEST_F(StaticFile, LeavesTheTagOutWhereItIsOff) {
  EXPECT_EQ(Run("/a.html", {}, "GET", "/noetag"), sent_);
  EXPECT_EQ(Field("ETag"), "-");
}

TEST_F(StaticFile, RefusesOtherMethods) {
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "PATCH", "X"}) {
    EXPECT_EQ(Run("/a.html", {}, method), Calls{"finish 405"}) << method;
    EXPECT_EQ(Run("/none", {}, method), Calls{"finish 405"}) << method;
    EXPECT_EQ(Run("/dir/", {}, method), Calls{"finish 405"}) << method;
  }
  // As nginx: what is not there is not there, and an index may take a POST.
  EXPECT_EQ(Run("/a.html", {}, "POST"), Calls{"finish 405"});
  EXPECT_EQ(Run("/missing", {}, "POST"), Calls{"finish 404"});
  EXPECT_EQ(Run("/dir/", {}, "POST"), Calls{"internal /dir/index.html"});
}

TEST_F(StaticFile, SaysWhatIsMissing) {
  EXPECT_EQ(Run("/missing"), Calls{"finish 404"});
  EXPECT_EQ(log(),
            "[error] open() \"" + Path("/missing") + "\" failed (2: No such file or directory)\n");
  EXPECT_EQ(Run("/a.html/x"), Calls{"finish 404"});
  EXPECT_EQ(Run("/" + std::string(300, 'x')), Calls{"finish 404"});
  EXPECT_EQ(Run(std::string_view("/a.html\0", 8)), Calls{"finish 404"});
}

TEST_F(StaticFile, IsQuietWhereAsked) {
  EXPECT_EQ(Run("/missing", {}, "GET", "/quiet"), Calls{"finish 404"});
  EXPECT_EQ(Run("/missing/", {}, "GET", "/quiet"), Calls{"finish 404"});
  EXPECT_EQ(log(), "");
}

TEST_F(StaticFile, RefusesWhatItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  ::chmod(Path("/a.html").c_str(), 0);
  EXPECT_EQ(Run("/a.html"), Calls{"finish 403"});
}

TEST_F(StaticFile, RefusesWhatIsNoFile) {
  ASSERT_EQ(::mkfifo(Path("/fifo").c_str(), 0600), 0);
  EXPECT_EQ(Run("/fifo"), Calls{"finish 404"});
  EXPECT_EQ(log(), "[crit] \"" + Path("/fifo") + "\" is not a regular file\n");
}

TEST_F(StaticFile, RefusesLoopsOfLinks) {
  ASSERT_EQ(::symlink(Path("/loop").c_str(), Path("/loop").c_str()), 0);
  EXPECT_EQ(Run("/loop"), Calls{"finish 403"});
}

TEST_F(StaticFile, RedirectsToADirectory) {
  EXPECT_EQ(Run("/dir"), Calls{"redirect 301 /dir/"});
  EXPECT_EQ(Run("/dir?a=b"), Calls{"redirect 301 /dir/?a=b"});
  std::filesystem::create_directories(Path("/a b?"));
  EXPECT_EQ(Run("/dir/../a b"), Calls{"finish 404"});
  Request("", "/");
  exchange().uri = "/a b?";
  EXPECT_EQ(Start(), Calls{"redirect 301 /a%20b%3F/"});
}

TEST_F(StaticFile, GoesToTheIndex) {
  EXPECT_EQ(Run("/dir/?a=b"), Calls{"internal /dir/index.html?a=b"});
  EXPECT_EQ(Run("/?i=none", {}, "GET", "/index"), Calls{"internal /a.html?i=none"});
  EXPECT_EQ(Run("/?i=dir", {}, "GET", "/index"), Calls{"internal /dir?i=dir"});
  EXPECT_EQ(Run("/?i=/x", {}, "GET", "/index"), Calls{"internal /x?i=/x"});
  EXPECT_EQ(Run("/bare/", {}, "GET", "/absolute"), Calls{"internal /x.html"});
}

TEST_F(StaticFile, ADirectoryWithoutIndexIsForbidden) {
  EXPECT_EQ(Run("/bare/"), Calls{"finish 403"});
  EXPECT_EQ(log(), "[error] directory index of \"" + Path("/bare/") + "\" is forbidden\n");
}

TEST_F(StaticFile, AMissingDirectoryIsNotFound) {
  EXPECT_EQ(Run("/missing/"), Calls{"finish 404"});
  EXPECT_EQ(log(), "[error] \"" + Path("/missing/index.html") +
                       "\" is not found (2: No such file or directory)\n");
  EXPECT_EQ(Run("/a.html/"), Calls{"finish 404"});
}

TEST_F(StaticFile, FollowsAnAlias) {
  EXPECT_EQ(Run("/alias/a.html", {}, "GET", "/alias/"), sent_);
  EXPECT_EQ(Run("/alias/a.html", {}, "GET", "nested"), sent_);
  EXPECT_EQ(Run("/re/whatever", {}, "GET", "^/re"), sent_);
  EXPECT_EQ(Run("/alias/dir/", {}, "GET", "/alias/"), Calls{"internal /alias/dir/index.html"});
  Request("/alias/", "/other");
  exchange().valid_location = false;
  EXPECT_EQ(Start(), Calls{"finish 500"});
  EXPECT_NE(log().find("[alert] \"alias\" cannot be used in location \"/alias/\""),
            std::string::npos);
}

TEST_F(StaticFile, AnswersConditions) {
  EXPECT_EQ(Run("/a.html", {{"If-Modified-Since", kDate}}), sent_);
  EXPECT_EQ(status(), 304);
  EXPECT_EQ(driver().body, "");
  EXPECT_EQ(length(), -1);
  EXPECT_EQ(Field("Content-Type"), "-");
  EXPECT_EQ(Field("Accept-Ranges"), "-");
  EXPECT_EQ(Field("ETag"), "\"1644960-a\"");
  EXPECT_EQ(Run("/a.html", {{"If-Match", "\"x\""}}), Calls{"finish 412"});
  EXPECT_EQ(Run("/a.html", {{"If-Modified-Since", kDate}, {"Range", "bytes=0-1"}}), sent_);
  EXPECT_EQ(status(), 304);
}

TEST_F(StaticFile, ThePageOfAnErrorIsSentWhole) {
  Request("", "/a.html", {{"If-Modified-Since", kDate}, {"Range", "bytes=0-1"}, {"If-Match", "x"}});
  exchange().error_page_status = 404;
  EXPECT_EQ(Start(), sent_);
  EXPECT_EQ(status(), 404);
  EXPECT_EQ(driver().body, "0123456789");
  EXPECT_EQ(Field("Accept-Ranges"), "-");
}

TEST_F(StaticFile, CutsOneRange) {
  EXPECT_EQ(Run("/a.html", {{"Range", "bytes=2-4"}}), sent_);
  EXPECT_EQ(status(), 206);
  EXPECT_EQ(driver().body, "234");
  EXPECT_EQ(length(), 3);
  EXPECT_EQ(Field("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(Field("Accept-Ranges"), "-");
  EXPECT_EQ(Run("/a.html", {{"Range", "bytes=2-4"}}, "HEAD"), sent_);
  EXPECT_EQ(status(), 206);
  EXPECT_EQ(driver().body, "");
}

TEST_F(StaticFile, CutsManyRanges) {
  EXPECT_EQ(Run("/a.html", {{"Range", "bytes=0-1,-2"}}), sent_);
  EXPECT_EQ(status(), 206);
  const std::string type = Field("Content-Type");
  const std::string prefix = "multipart/byteranges; boundary=";
  ASSERT_TRUE(type.starts_with(prefix));
  const std::string boundary = type.substr(prefix.size());
  EXPECT_EQ(boundary.size(), 20u);
  EXPECT_EQ(driver().body,
            "\r\n--" + boundary +
                "\r\nContent-Type: text/html\r\nContent-Range: bytes 0-1/10\r\n"
                "\r\n01\r\n--" +
                boundary +
                "\r\nContent-Type: text/html\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--" +
                boundary + "--\r\n");
  EXPECT_EQ(length(), static_cast<int64_t>(driver().body.size()));
  EXPECT_EQ(Field("Content-Range"), "-");
}

TEST_F(StaticFile, RefusesRangesBeyond) {
  EXPECT_EQ(Run("/a.html", {{"Range", "bytes=10-"}}), Calls{"finish 416"});
  EXPECT_EQ(Field("Content-Range"), "bytes */10");
}

TEST_F(StaticFile, LimitsRanges) {
  EXPECT_EQ(Run("/a.html", {{"Range", "bytes=0-1,3-4"}}, "GET", "/one"), sent_);
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(Field("Accept-Ranges"), "bytes");
  EXPECT_EQ(Run("/a.html", {{"Range", "bytes=0-1"}}, "GET", "/none"), sent_);
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(Field("Accept-Ranges"), "-");
}

TEST_F(StaticFile, IfRangeGuardsRanges) {
  const auto with = [&](std::string_view if_range, std::string_view location = "") {
    Run("/a.html", {{"Range", "bytes=2-4"}, {"If-Range", std::string(if_range)}}, "GET", location);
    return status();
  };
  EXPECT_EQ(with("\"1644960-a\""), 206);
  EXPECT_EQ(with("\"other\""), 200);
  EXPECT_EQ(with(kDate), 206);
  EXPECT_EQ(with("wrong"), 200);
  // The validator that is sent counts.
  EXPECT_EQ(with(kDate, "/stamped"), 200);
  EXPECT_EQ(with("Tue, 29 Sep 1970 06:00:00 GMT", "/stamped"), 206);
}

TEST_F(StaticFile, WaitsForACongestedClient) {
  WriteDated("www/big", std::string(300000, 'x'));
  driver().full_at = 70000;
  EXPECT_EQ(Run("/big"), Calls{"head"});
  EXPECT_EQ(driver().body.size(), 131072u);
  EXPECT_LE(driver().largest_piece, 65536u);
  handler_->OnClientDrained();
  EXPECT_EQ(driver().body.size(), 131072u);
  driver().full_at = SIZE_MAX;
  handler_->OnClientDrained();
  EXPECT_EQ(driver().calls, sent_);
  EXPECT_EQ(driver().body, std::string(300000, 'x'));
  handler_->OnClientDrained();
  EXPECT_EQ(driver().calls, sent_);
}

TEST_F(StaticFile, LeavesTheLoopToOthersNowAndThen) {
  WriteDated("www/big", std::string(3 << 20, 'x'));
  EXPECT_EQ(Run("/big"), Calls{"head"});
  EXPECT_EQ(driver().body.size(), 1u << 20);
  while (driver().calls != sent_) driver().loop().RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(driver().body.size(), 3u << 20);
}

TEST_F(StaticFile, APostedTaskMayOutliveTheHandler) {
  WriteDated("www/big", std::string(3 << 20, 'x'));
  Run("/big");
  handler_.reset();
  driver().loop().RunOnce(std::chrono::milliseconds(0));
  EXPECT_EQ(driver().body.size(), 1u << 20);
}

TEST_F(StaticFile, AFileThatShrinksEndsTheResponseBadly) {
  WriteDated("www/big", std::string(200000, 'x'));
  driver().full_at = 65536;
  EXPECT_EQ(Run("/big"), Calls{"head"});
  std::filesystem::resize_file(Path("/big"), 65536);
  driver().full_at = SIZE_MAX;
  handler_->OnClientDrained();
  EXPECT_EQ(driver().calls, (Calls{"head", "abort"}));
  handler_->OnClientDrained();
  EXPECT_EQ(driver().calls, (Calls{"head", "abort"}));
  EXPECT_NE(log().find("was truncated at 65536"), std::string::npos);
}

}  // namespace
}  // namespace framewall::content
