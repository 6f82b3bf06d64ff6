// An HttpServer of a test's own routes, on a Unix socket, with its loop in a thread; clients of the
// test are real sockets.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/server/http_server.h"
#include "tests/support/proxy_process.h"  // Eventually
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace framewall::backend::server {

// Counts what it is told.
class CountingObserver final : public Observer {
 public:
  void OnCall(const Call&, const Route*, int, bool gone, int64_t) override {
    ++(gone ? gone_calls : calls);
  }
  void OnConnections(size_t now) override { connections = now; }
  void OnSockets(size_t now) override { sockets = now; }
  void OnSocketClosed(uint16_t code) override { last_code = code; }
  void OnOverload() override { ++overloads; }

  std::atomic<size_t> calls{0};
  std::atomic<size_t> gone_calls{0};
  std::atomic<size_t> connections{0};
  std::atomic<size_t> sockets{0};
  std::atomic<size_t> overloads{0};
  std::atomic<int> last_code{0};
};

class ServerHarness {
 public:
  // `authenticator` outlives it.
  explicit ServerHarness(std::vector<Route> routes, Limits limits = {},
                         Authenticator* authenticator = nullptr,
                         std::vector<ErrorPrefix> prefixes = {})
      : thread_([this, routes = std::move(routes), limits, authenticator,
                 prefixes = std::move(prefixes)]() mutable {
          Serve(std::move(routes), limits, authenticator, std::move(prefixes));
        }) {
    ready_.get_future().wait();
  }
  ~ServerHarness() {
    stopping_ = true;
    thread_.join();
  }

  std::string path() const { return directory_.File("s"); }
  test::RawClient Connect() const { return test::RawClient::Unix(path()); }
  // Sends it on a connection of its own.
  test::HttpMessage Ask(const std::string& request,
                        test::BodyRule rule = test::BodyRule::kByHead) const {
    test::RawClient client = Connect();
    client.Send(request);
    return client.ReadResponse(rule);
  }
  test::HttpMessage Get(const std::string& target, const std::string& fields = "") const {
    return Ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
  }
  test::HttpMessage Post(const std::string& target, const std::string& body,
                         const std::string& fields = "Content-Type: application/json\r\n") const {
    return Ask("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body);
  }
  // Runs it on the loop, and waits.
  void OnLoop(std::function<void()> task) {
    std::promise<void> done;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      tasks_.push_back([&] {
        task();
        done.set_value();
      });
    }
    done.get_future().wait();
  }
  HttpServer& server() { return *server_; }
  CountingObserver& observer() { return observer_; }

 private:
  void Serve(std::vector<Route> routes, Limits limits, Authenticator* authenticator,
             std::vector<ErrorPrefix> prefixes) {
    event::EventLoop loop;
    auto router = Router::Make(std::move(routes), std::move(prefixes));
    FW_CHECK(router.ok());
    server_ = std::make_unique<HttpServer>(loop, **router, authenticator, &observer_, limits);
    FW_CHECK(server_->Listen("unix:" + path(), 0600).ok());
    ready_.set_value();
    while (!stopping_) {
      loop.RunOnce(std::chrono::milliseconds(5));
      std::vector<std::function<void()>> tasks;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        tasks.swap(tasks_);
      }
      for (const auto& task : tasks) task();
    }
    server_.reset();
  }

  test::TempDir directory_;
  CountingObserver observer_;
  std::promise<void> ready_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

// A route that anybody may call.
inline Route Open(std::string_view method, std::string_view pattern, std::string_view operation,
                  Handler handler) {
  Route route;
  route.method = method;
  route.pattern = pattern;
  route.operation = operation;
  route.access.who = Access::Who::kAnyone;
  route.handler = std::move(handler);
  return route;
}

}  // namespace framewall::backend::server
