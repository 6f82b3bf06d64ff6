#include "tests/support/paced_load.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/support/raw_client.h"

namespace framewall::test {

using std::chrono::duration_cast;
using std::chrono::microseconds;

PacedLoad::PacedLoad(Options options) : options_(std::move(options)), began_(Clock::now()) {
  for (int i = 0; i < options_.connections; ++i) threads_.emplace_back([this] { Run(); });
}

PacedLoad::~PacedLoad() {
  Stop();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// Each thread has a connection to every port.
void PacedLoad::Run() {
  const std::string request = "GET " + options_.path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::vector<std::unique_ptr<RawClient>> clients(options_.ports.size());
  std::vector<Sample> samples;
  const std::chrono::duration<double> period(1 / options_.per_second);
  while (!stop_) {
    const uint64_t ticket = next_++;
    const auto due = began_ + duration_cast<Clock::duration>(period * static_cast<double>(ticket));
    if (due - began_ >= options_.duration) break;
    std::this_thread::sleep_until(due);
    auto& client = clients[ticket % clients.size()];
    const auto sent = Clock::now();
    if (client == nullptr) {
      client = std::make_unique<RawClient>(options_.ports[ticket % clients.size()]);
    }
    HttpMessage answer;
    if (client->Send(request)) answer = client->ReadResponse();
    const int status = answer.complete ? answer.status() : 0;
    if (status == 0 || answer.Header("Connection") == "close") client.reset();
    samples.push_back({sent, duration_cast<microseconds>(Clock::now() - sent), status});
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  samples_.insert(samples_.end(), samples.begin(), samples.end());
}

PacedLoad::Result PacedLoad::Wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  Result result;
  result.samples = std::move(samples_);
  std::sort(result.samples.begin(), result.samples.end(),
            [](const Sample& a, const Sample& b) { return a.sent < b.sent; });
  if (result.samples.empty()) return result;
  auto last = result.samples.front().sent;
  for (const Sample& sample : result.samples) last = std::max(last, sample.sent + sample.took);
  result.seconds = std::chrono::duration<double>(last - result.samples.front().sent).count();
  return result;
}

size_t PacedLoad::Result::Count(int status) const {
  return CountBetween(status, Clock::time_point::min(), Clock::time_point::max());
}

size_t PacedLoad::Result::CountBetween(int status, Clock::time_point from,
                                       Clock::time_point to) const {
  return static_cast<size_t>(
      std::count_if(samples.begin(), samples.end(), [&](const Sample& sample) {
        return sample.status == status && sample.sent >= from && sample.sent < to;
      }));
}

std::chrono::microseconds PacedLoad::Result::Slowest() const { return Quantile(1); }

std::chrono::microseconds PacedLoad::Result::Quantile(double share) const {
  if (samples.empty()) return microseconds(0);
  std::vector<microseconds> times;
  for (const Sample& sample : samples) times.push_back(sample.took);
  std::sort(times.begin(), times.end());
  const auto last = static_cast<double>(times.size() - 1);
  return times[static_cast<size_t>(share * last)];
}

}  // namespace framewall::test
