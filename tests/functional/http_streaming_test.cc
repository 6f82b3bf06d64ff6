// Bodies far larger than memory, and answers that come in pieces.
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <thread>

#include "tests/support/fake_upstream.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

constexpr uint64_t kGigabyte = uint64_t{1} << 30;
constexpr size_t kMostKilobytes = 24 * 1024;

// What the first worker has ever held in memory since this was made, beyond what it held then.
class Growth {
 public:
  explicit Growth(const ProxyProcess& proxy) : process_(proxy.Workers().at(0)), start_(Peak()) {}
  size_t kilobytes() const { return Peak() - start_; }

 private:
  size_t Peak() const {
    std::ifstream status("/proc/" + std::to_string(process_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
    }
    ADD_FAILURE() << "no VmHWM of " << process_;
    return 0;
  }

  int process_;
  size_t start_;
};

// Counts what is uploaded, answers with the number, or makes as much as the path asks for.
void Serve(FakeUpstream::Peer& peer) {
  const HttpMessage request = peer.ReadRequest(BodyRule::kOnlyHead);
  if (request.start_line.starts_with("POST")) {
    const uint64_t size = std::stoull(request.Header("Content-Length"));
    uint64_t got = 0;
    while (got < size) {
      const std::string piece = peer.ReadSome();
      if (piece.empty()) return;
      got += piece.size();
    }
    const std::string text = std::to_string(got);
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
              text);
    peer.WaitForClose();
    return;
  }
  peer.Send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
            std::to_string(kGigabyte) + "\r\n\r\n");
  const std::string piece(1 << 18, 'd');
  for (uint64_t sent = 0; sent < kGigabyte; sent += piece.size()) {
    if (!peer.Send(piece)) return;
  }
  peer.WaitForClose();
}

std::string Config(const FakeUpstream& upstream, const std::string& http) {
  return "events {} http { client_max_body_size 0; " + http +
         " server { listen 127.0.0.1:%%PORT_0%%; proxy_http_version 1.1; location / { proxy_pass "
         "http://" +
         upstream.address() +
         "; } location /stream { proxy_request_buffering off; proxy_pass http://" +
         upstream.address() + "; } } }";
}

constexpr char kRules[] = R"(
  modsecurity on;
  modsecurity_rules '
    SecRuleEngine On
    SecRequestBodyAccess On
    SecRequestBodyLimit 131072
    SecRequestBodyNoFilesLimit 131072
    SecRequestBodyLimitAction ProcessPartial
    SecResponseBodyAccess On
    SecResponseBodyMimeType text/plain
    SecResponseBodyLimit 524288
    SecResponseBodyLimitAction ProcessPartial
    SecRule REQUEST_URI "@contains attack" "id:1,phase:1,deny,status:403"
  ';
)";

void Upload(ProxyProcess& proxy, const Growth& growth, const std::string& path, uint64_t size) {
  RawClient client(proxy.port(0));
  client.Send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n" +
              "Content-Length: " + std::to_string(size) + "\r\n\r\n");
  const std::string piece(1 << 18, 'u');
  for (uint64_t sent = 0; sent < size; sent += piece.size()) ASSERT_TRUE(client.Send(piece));
  // The file that holds the body takes its time on a slow disk.
  EXPECT_TRUE(
      Eventually([&] { return proxy.CountInLog(path + " HTTP/1.1\" 200", "access.log") > 0; },
                 std::chrono::seconds(60)));
  EXPECT_EQ(client.ReadResponse().body, std::to_string(size));
  EXPECT_LT(growth.kilobytes(), kMostKilobytes) << path;
}

void Download(ProxyProcess& proxy, const Growth& growth) {
  RawClient client(proxy.port(0));
  client.Send("GET /down HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string head = client.ReadUntil("\r\n\r\n");
  EXPECT_NE(head.find("200 OK"), std::string::npos) << head;
  uint64_t got = client.ReadUntil("d").size();
  for (std::string piece; !(piece = client.wire().ReadSome(1 << 18)).empty();) got += piece.size();
  // ReadUntil keeps what came with the first octet.
  got += client.ReadToEnd().size();
  EXPECT_EQ(got, kGigabyte);
  EXPECT_LT(growth.kilobytes(), kMostKilobytes);
}

TEST(HttpStreaming, AGigabyteEachWayFitsIntoLittleMemory) {
  FakeUpstream upstream(Serve);
  ProxyProcess proxy(Config(upstream, ""));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const Growth growth(proxy);
  Download(proxy, growth);
  Upload(proxy, growth, "/stream", kGigabyte);
  Upload(proxy, growth, "/buffered", kGigabyte);
}

TEST(HttpStreaming, BeyondTheInspectionLimitToo) {
  FakeUpstream upstream(Serve);
  ProxyProcess proxy(Config(upstream, kRules));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const Growth growth(proxy);
  EXPECT_EQ(Get(proxy.port(0), "/attack").status(), 403);
  Download(proxy, growth);
  EXPECT_TRUE(proxy.WaitForLog("response body is over SecResponseBodyLimit"));
  Upload(proxy, growth, "/stream", kGigabyte);
  EXPECT_TRUE(proxy.WaitForLog("request body is over SecRequestBodyLimit"));
}

TEST(HttpStreaming, ASlowUpstreamPausesTheClient) {
  std::promise<void> go;
  std::shared_future<void> told = go.get_future().share();
  FakeUpstream upstream([told](FakeUpstream::Peer& peer) {
    peer.ReadRequest(BodyRule::kOnlyHead);
    told.wait_for(kPatience);
    while (!peer.ReadSome().empty()) {
    }
  });
  ProxyProcess proxy(Config(upstream, ""));
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  const Growth growth(proxy);
  RawClient client(proxy.port(0));
  client.Send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 500000000\r\n\r\n");
  std::thread sender([&client] {
    const std::string piece(1 << 18, 'x');
    for (int i = 0; i < 800 && client.Send(piece); ++i) {
    }
  });
  ASSERT_TRUE(Eventually([&] { return upstream.requests().size() == 1; }));
  // Long enough for far more than the kernel's buffers to pass, if nobody held it.
  size_t peak = 0;
  Eventually([&] { return (peak = growth.kilobytes()) > kMostKilobytes; },
             std::chrono::milliseconds(700));
  EXPECT_LT(peak, kMostKilobytes);
  go.set_value();
  sender.join();
}

TEST(HttpStreaming, EventsLeaveAsTheyArrive) {
  for (const std::string more : {"", "proxy_buffering on;", "proxy_buffering off;", kRules}) {
    std::promise<void> first;
    std::promise<void> second;
    std::shared_future<void> first_seen = first.get_future().share();
    std::shared_future<void> second_seen = second.get_future().share();
    FakeUpstream upstream([&](FakeUpstream::Peer& peer) {
      peer.ReadRequest();
      peer.Send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"
          "\r\n\r\n9\r\ndata: 1\n\n\r\n");
      first_seen.wait_for(kPatience);
      peer.Send("9\r\ndata: 2\n\n\r\n");
      second_seen.wait_for(kPatience);
      peer.Send("0\r\n\r\n");
      peer.WaitForClose();
    });
    ProxyProcess proxy(Config(upstream, more));
    ASSERT_TRUE(proxy.Start()) << proxy.Output();
    RawClient client(proxy.port(0));
    client.Send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(client.ReadUntil("data: 1\n\n").find("data: 1"), std::string::npos) << more;
    first.set_value();
    EXPECT_NE(client.ReadUntil("data: 2\n\n").find("data: 2"), std::string::npos) << more;
    second.set_value();
    EXPECT_NE(client.ReadUntil("\r\n0\r\n\r\n").find("\r\n0\r\n\r\n"), std::string::npos) << more;
  }
}

}  // namespace
}  // namespace framewall::test
