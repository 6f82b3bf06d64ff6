// GET requests at a steady pace over keep-alive connections, from threads of its own.
//
//   PacedLoad load({.ports = {proxy.port(0)}, .per_second = 200, .duration = 5s});
//   const PacedLoad::Result result = load.Wait();
//   EXPECT_EQ(result.Count(429), 0u);
//
// The pace is a schedule: who is late catches up. A connection that breaks is made anew.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace framewall::test {

class PacedLoad {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::vector<uint16_t> ports;  // in turn
    std::string path = "/";
    double per_second = 100;
    std::chrono::milliseconds duration{1000};
    int connections = 4;
  };
  struct Sample {
    Clock::time_point sent;
    std::chrono::microseconds took;
    int status;  // 0: no answer
  };
  struct Result {
    std::vector<Sample> samples;
    // From the first request's sending to the last one's answer.
    double seconds = 0;

    size_t Count(int status) const;
    size_t CountBetween(int status, Clock::time_point from, Clock::time_point to) const;
    std::chrono::microseconds Slowest() const;
    // The share (0 to 1) of samples that took no longer.
    std::chrono::microseconds Quantile(double share) const;
  };

  // Begins at once.
  explicit PacedLoad(Options options);
  ~PacedLoad();
  PacedLoad(const PacedLoad&) = delete;
  PacedLoad& operator=(const PacedLoad&) = delete;

  // Ends before its time.
  void Stop() { stop_ = true; }
  Result Wait();

 private:
  void Run();

  const Options options_;
  const Clock::time_point began_;
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Sample> samples_;
  std::vector<std::thread> threads_;
};

}  // namespace framewall::test
