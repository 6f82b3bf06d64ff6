// Files: types, conditions, ranges, redirects, and what is not served.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

class Static : public testing::Test {
 protected:
  void Start(const std::string& server = "location / { root %%DIR%%/www; }",
             const std::string& http = "") {
    proxy_ = std::make_unique<ProxyProcess>(
        "events {} http { " + http + " server { listen 127.0.0.1:%%PORT_0%%; " + server + " } }");
    proxy_->directory().Write("www/file.txt", "0123456789");
    proxy_->directory().Write("www/index.html", "<p>index</p>");
    proxy_->directory().Write("www/dir/index.html", "<p>dir</p>");
    proxy_->directory().Write("www/empty/file", "");
    proxy_->directory().Write("secret", "secret");
    ASSERT_TRUE(proxy_->Start()) << proxy_->Output();
  }
  HttpMessage Ask(const std::string& path, const std::string& fields = "",
                  const std::string& method = "GET") {
    RawClient client(proxy_->port(0));
    client.Send(method + " " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    return client.ReadResponse(method == "HEAD" ? BodyRule::kNoBody : BodyRule::kByHead);
  }
  std::unique_ptr<ProxyProcess> proxy_;
};

TEST_F(Static, ServesFilesWithTheirTypes) {
  Start(
      "default_type x/y; location / { root %%DIR%%/www; } location /alias/ { alias %%DIR%%/www/; "
      "} ",
      "types { text/html html; text/plain txt; }");
  const HttpMessage file = Ask("/file.txt");
  EXPECT_EQ(file.status(), 200);
  EXPECT_EQ(file.body, "0123456789");
  EXPECT_EQ(file.Header("Content-Type"), "text/plain");
  EXPECT_EQ(file.Header("Content-Length"), "10");
  EXPECT_EQ(file.Header("Accept-Ranges"), "bytes");
  EXPECT_FALSE(file.Header("ETag").empty());
  EXPECT_FALSE(file.Header("Last-Modified").empty());
  EXPECT_EQ(Ask("/").body, "<p>index</p>");
  EXPECT_EQ(Ask("/dir/").Header("Content-Type"), "text/html");
  EXPECT_EQ(Ask("/empty/file").Header("Content-Type"), "x/y");
  EXPECT_EQ(Ask("/empty/file").Header("Content-Length"), "0");
  EXPECT_EQ(Ask("/alias/file.txt").body, "0123456789");
  const HttpMessage head = Ask("/file.txt", "", "HEAD");
  EXPECT_EQ(head.Header("Content-Length"), "10");
}

TEST_F(Static, WhatIsNotThereOrNotAllowed) {
  Start("location / { root %%DIR%%/www; } location /images { alias %%DIR%%/www/; }");
  EXPECT_EQ(Ask("/none").status(), 404);
  EXPECT_EQ(Ask("/file.txt/below").status(), 404);
  EXPECT_EQ(Ask("/empty/").status(), 403);
  EXPECT_EQ(Ask("/file.txt", "Content-Length: 0\r\n", "POST").status(), 405);
  EXPECT_EQ(Ask("/file.txt", "", "DELETE").status(), 405);
  const HttpMessage directory = Ask("/dir?a=b");
  EXPECT_EQ(directory.status(), 301);
  EXPECT_EQ(directory.Header("Location"),
            "http://a:" + std::to_string(proxy_->port(0)) + "/dir/?a=b");
}

TEST_F(Static, NoPathLeadsOutOfTheRoot) {
  Start("location / { root %%DIR%%/www; } location /down/ { alias %%DIR%%/www/dir/; }");
  for (const char* path :
       {"/../secret", "/%2e%2e/secret", "/dir/../../secret", "/dir/..%2f..%2fsecret",
        "/%2e%2e%2fsecret", "/.%2e/secret", "/down/../../secret", "/down/%2e%2e/%2e%2e/secret",
        "/dir/%2e%2e%2f%2e%2e%2fsecret", "/down../secret", "/file.txt%00.html", "//../secret"}) {
    const HttpMessage response = Ask(path);
    EXPECT_NE(response.status(), 0) << path;
    EXPECT_GE(response.status(), 400) << path;
    EXPECT_EQ(response.raw.find("\r\n\r\nsecret"), std::string::npos) << path;
  }
  // Within the root dots are fine.
  EXPECT_EQ(Ask("/dir/../file.txt").body, "0123456789");
}

TEST_F(Static, Conditions) {
  Start();
  const HttpMessage file = Ask("/file.txt");
  const std::string etag = file.Header("ETag");
  const std::string date = file.Header("Last-Modified");
  struct Case {
    std::string fields;
    int status;
  };
  const std::string old = "Thu, 01 Jan 1998 00:00:00 GMT";
  for (const Case& one : {
           Case{"If-None-Match: " + etag + "\r\n", 304},
           Case{"If-None-Match: \"x\", W/" + etag + "\r\n", 304},
           Case{"If-None-Match: *\r\n", 304},
           Case{"If-None-Match: \"x\"\r\n", 200},
           Case{"If-Modified-Since: " + date + "\r\n", 304},
           Case{"If-Modified-Since: " + old + "\r\n", 200},
           Case{"If-None-Match: \"x\"\r\nIf-Modified-Since: " + date + "\r\n", 200},
           Case{"If-Match: " + etag + "\r\n", 200},
           Case{"If-Match: \"x\"\r\n", 412},
           Case{"If-Unmodified-Since: " + date + "\r\n", 200},
           Case{"If-Unmodified-Since: " + old + "\r\n", 412},
       }) {
    const HttpMessage response = Ask("/file.txt", one.fields);
    EXPECT_EQ(response.status(), one.status) << one.fields;
    if (one.status == 304) {
      EXPECT_EQ(response.Header("ETag"), etag);
      EXPECT_EQ(response.CountHeaders("Content-Length"), 0u);
    }
  }
}

TEST_F(Static, Ranges) {
  Start(
      "location / { root %%DIR%%/www; } location /one/ { alias %%DIR%%/www/; max_ranges 1; } "
      "location /no/ { alias %%DIR%%/www/; max_ranges 0; }");
  struct Case {
    const char* range;
    int status;
    const char* body;
    const char* content_range;
  };
  for (const Case& one : {
           Case{"bytes=0-3", 206, "0123", "bytes 0-3/10"},
           {"bytes=8-", 206, "89", "bytes 8-9/10"},
           {"bytes=-3", 206, "789", "bytes 7-9/10"},
           {"bytes=5-100", 206, "56789", "bytes 5-9/10"},
           {"bytes=9-9", 206, "9", "bytes 9-9/10"},
           {"bytes=10-", 416, nullptr, "bytes */10"},
           {"bytes=5-4", 416, nullptr, "bytes */10"},
           {"lines=1-2", 200, "0123456789", ""},
       }) {
    const HttpMessage response = Ask("/file.txt", std::string("Range: ") + one.range + "\r\n");
    EXPECT_EQ(response.status(), one.status) << one.range;
    EXPECT_EQ(response.Header("Content-Range"), one.content_range) << one.range;
    if (one.body != nullptr) {
      EXPECT_EQ(response.body, one.body) << one.range;
    }
  }
  const HttpMessage several = Ask("/file.txt", "Range: bytes=0-1,8-9\r\n");
  EXPECT_EQ(several.status(), 206);
  EXPECT_TRUE(several.complete);
  EXPECT_TRUE(several.Header("Content-Type").starts_with("multipart/byteranges; boundary="));
  EXPECT_NE(several.body.find("Content-Range: bytes 8-9/10\r\n\r\n89\r\n"), std::string::npos);
  // More than the file itself, or than allowed: the whole file.
  EXPECT_EQ(Ask("/file.txt", "Range: bytes=0-9,0-9,0-9\r\n").status(), 200);
  EXPECT_EQ(Ask("/one/file.txt", "Range: bytes=0-1,8-9\r\n").status(), 200);
  EXPECT_EQ(Ask("/no/file.txt", "Range: bytes=0-1\r\n").status(), 200);
  const std::string etag = Ask("/file.txt").Header("ETag");
  EXPECT_EQ(Ask("/file.txt", "Range: bytes=0-1\r\nIf-Range: " + etag + "\r\n").status(), 206);
  EXPECT_EQ(Ask("/file.txt", "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n").status(), 200);
}

TEST_F(Static, FilesThatChangeWhileTheyAreSentBreakTheAnswer) {
  Start();
  proxy_->AllowAlerts();
  constexpr size_t kSize = 50000000;
  const std::string path = proxy_->directory().Write("www/big", "");
  ASSERT_EQ(::truncate(path.c_str(), kSize), 0);
  RawClient client(proxy_->port(0));
  client.Send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ReadUntil("\r\n\r\n");
  ASSERT_EQ(::truncate(path.c_str(), 1000), 0);
  EXPECT_LT(client.ReadToEnd().size(), kSize);
  EXPECT_TRUE(proxy_->WaitForLog("was truncated at"));
}

TEST_F(Static, ManyFilesOverOneConnection) {
  Start();
  RawClient client(proxy_->port(0));
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += i % 2 == 0 ? "GET /file.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                      : "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  client.Send(all);
  for (int i = 0; i < 200; ++i) {
    const HttpMessage response = client.ReadResponse();
    ASSERT_EQ(response.status(), i % 2 == 0 ? 200 : 404) << i;
  }
}

TEST_F(Static, SpecialFilesAreNotOpened) {
  Start();
  ASSERT_EQ(::mkfifo(proxy_->directory().File("www/pipe").c_str(), 0666), 0);
  EXPECT_EQ(Ask("/pipe").status(), 404);
}

}  // namespace
}  // namespace framewall::test
