// Reloads in quick succession and killed workers, under load: what a client may lose, and what not.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReloadEvery{200};

// Answers of 64 octets and 100 kB, and a place that takes uploads, before an upstream of its own.
const char* const kConfig = R"(
worker_processes 2;
events {}
http {
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:%%PORT_0%%;
    root %%DIR%%;
    location /upload { proxy_pass http://127.0.0.1:%%PORT_1%%; }
  }
  server { listen 127.0.0.1:%%PORT_1%%; location / { return 200 taken; } }
}
)";

struct Counts {
  std::atomic<uint64_t> answered{0};
  std::atomic<uint64_t> lost{0};
  std::atomic<uint64_t> retried{0};
};

bool IsWhole(const HttpMessage& answer, size_t size) {
  return answer.status() == 200 && answer.complete && answer.body.size() == size;
}

// A connection for each request, small and large in turn.
void LoadWithConnections(uint16_t port, const std::atomic<bool>& stop, Counts& counts) {
  for (bool small = true; !stop; small = !small) {
    const HttpMessage answer = Get(port, small ? "/small" : "/large");
    ++(IsWhole(answer, small ? 64 : 100000) ? counts.answered : counts.lost);
  }
}

// One connection for as many requests as it lives. Where it was closed before the first octet of an
// answer the request is sent again on a new one, as every client does; anything else is a loss.
void LoadWithKeepAlive(uint16_t port, const std::atomic<bool>& stop, Counts& counts) {
  RawClient client(port);
  bool reused = false;
  while (!stop) {
    client.Send("GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpMessage answer = client.ReadResponse();
    if (IsWhole(answer, 64)) {
      ++counts.answered;
      reused = answer.Header("Connection") != "close";
      if (!reused) client = RawClient(port);
      continue;
    }
    ++(reused && answer.raw.empty() ? counts.retried : counts.lost);
    client = RawClient(port);
    reused = false;
  }
}

// Uploads that take longer than several reloads.
void LoadWithSlowUploads(uint16_t port, const std::atomic<bool>& stop, Counts& counts) {
  const std::string piece(5000, 'u');
  while (!stop) {
    RawClient client(port);
    client.Send(
        "POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 50000\r\n\r\n");
    for (int i = 0; i < 10; ++i) {
      client.Send(piece);
      std::this_thread::sleep_for(milliseconds(100));
    }
    ++(IsWhole(client.ReadResponse(), 5) ? counts.answered : counts.lost);
  }
}

struct StormResult {
  Counts connections, keep_alive, uploads;
  int reloads = 0;
};

void Storm(ProxyProcess& proxy, std::chrono::seconds length, StormResult& result) {
  std::atomic<bool> stop{false};
  const uint16_t port = proxy.port(0);
  std::thread connections([&] { LoadWithConnections(port, stop, result.connections); });
  std::thread keep_alive([&] { LoadWithKeepAlive(port, stop, result.keep_alive); });
  std::thread uploads([&] { LoadWithSlowUploads(port, stop, result.uploads); });
  const auto end = steady_clock::now() + length;
  while (steady_clock::now() < end) {
    proxy.Signal(SIGHUP);
    ++result.reloads;
    std::this_thread::sleep_for(kReloadEvery);
  }
  stop = true;
  connections.join();
  keep_alive.join();
  uploads.join();
}

void WriteFiles(ProxyProcess& proxy) {
  proxy.directory().Write("small", std::string(64, 's'));
  proxy.directory().Write("large", std::string(100000, 'l'));
}

std::string Tell(const char* name, const StormResult& result) {
  const auto part = [](const char* what, const Counts& counts) {
    return std::string(", ") + what + " " + std::to_string(counts.answered) + " answered " +
           std::to_string(counts.lost) + " lost " + std::to_string(counts.retried) + " retried";
  };
  return std::string(name) + ": " + std::to_string(result.reloads) + " reloads" +
         part("connections", result.connections) + part("keep-alive", result.keep_alive) +
         part("uploads", result.uploads) + "\n";
}

TEST(Storm, ReloadsLoseNoRequest) {
  ProxyProcess proxy(kConfig);
  WriteFiles(proxy);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  StormResult result;
  Storm(proxy, std::chrono::seconds(30), result);
  std::cout << Tell("framewall", result);
  EXPECT_EQ(result.connections.lost, 0u);
  EXPECT_EQ(result.keep_alive.lost, 0u);
  EXPECT_EQ(result.uploads.lost, 0u);
  EXPECT_GT(result.connections.answered, 100u);
  EXPECT_GT(result.keep_alive.answered, 100u);
  EXPECT_GT(result.uploads.answered, 10u);
}

// For the number beside ours; what nginx loses is no failure of this test.
TEST(Storm, NginxForComparison) {
  const std::string nginx = "/usr/sbin/nginx";
  if (::access(nginx.c_str(), X_OK) != 0) GTEST_SKIP() << "there is no nginx";
  ProxyProcess proxy(kConfig, nginx);
  proxy.AllowAlerts();
  WriteFiles(proxy);
  if (!proxy.Start()) GTEST_SKIP() << proxy.Output();
  StormResult result;
  Storm(proxy, std::chrono::seconds(10), result);
  std::cout << Tell("nginx", result);
}

TEST(Storm, AKilledWorkerCostsOnlyItsOwnRequests) {
  ProxyProcess proxy(kConfig);
  proxy.AllowAlerts();
  WriteFiles(proxy);
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  std::atomic<bool> stop{false};
  Counts counts;
  std::thread load([&] { LoadWithConnections(proxy.port(0), stop, counts); });
  constexpr uint64_t kKills = 5;
  for (uint64_t i = 0; i < kKills; ++i) {
    std::this_thread::sleep_for(milliseconds(500));
    const auto workers = proxy.Workers();
    ASSERT_FALSE(workers.empty());
    ::kill(workers.front(), SIGKILL);
  }
  EXPECT_TRUE(Eventually([&] { return proxy.Workers().size() == 2; }));
  stop = true;
  load.join();
  std::cout << "answered " << counts.answered << ", lost " << counts.lost << "\n";
  // One request at a time was open.
  EXPECT_LE(counts.lost, kKills);
  EXPECT_GT(counts.answered, 100u);
  EXPECT_EQ(Get(proxy.port(0), "/small").status(), 200);
}

}  // namespace
}  // namespace framewall::test
