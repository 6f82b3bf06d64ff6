// What lists of networks cost: a look-up among a thousand and a hundred thousand, for addresses all
// over and for few that come again and again, and what they take to build.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "proxy/base/network_map.h"

namespace framewall {
namespace {

class Random {
 public:
  uint32_t Number(uint32_t below) { return static_cast<uint32_t>(engine_() % below); }
  IpAddress Address(bool v4) {
    if (v4) return IpAddress::FromV4(static_cast<uint32_t>(engine_()));
    std::array<uint8_t, 16> bytes{};
    std::generate(bytes.begin(), bytes.begin() + 8,
                  [&] { return static_cast<uint8_t>(Number(256)); });
    // Where addresses are given out: 2001::/16, 2400::/12, 2600::/12, 2a00::/12.
    constexpr std::array<uint8_t, 4> kFirst = {0x20, 0x24, 0x26, 0x2a};
    bytes[0] = kFirst[Number(4)];
    if (bytes[0] == 0x20) bytes[1] = 1;
    return IpAddress::FromV6(bytes);
  }
  Cidr Network(bool v4) {
    const uint32_t bits = v4 ? 16 + Number(17) : 32 + Number(33);
    return *Cidr::Parse(Address(v4).ToText() + "/" + std::to_string(bits));
  }

 private:
  std::mt19937 engine_{1};
};

NetworkMap Make(int64_t count, bool v4) {
  Random random;
  NetworkMap map;
  for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i) {
    const Cidr network = random.Network(v4);
    map.Add(network, i, static_cast<uint32_t>(network.prefix_length()));
  }
  map.Build();
  return map;
}

void Find(benchmark::State& state, bool v4, size_t clients) {
  const NetworkMap map = Make(state.range(0), v4);
  Random random;
  std::vector<IpAddress> asked;
  for (size_t i = 0; i < clients; ++i) asked.push_back(random.Address(v4));
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(map.Find(asked[next]));
    if (++next == asked.size()) next = 0;
  }
  state.counters["kB"] = static_cast<double>(map.memory()) / 1024;
}
BENCHMARK_CAPTURE(Find, V4Everywhere, true, 65536)->Arg(1000)->Arg(100000);
BENCHMARK_CAPTURE(Find, V6Everywhere, false, 65536)->Arg(1000)->Arg(100000);
BENCHMARK_CAPTURE(Find, V4FewClients, true, 500)->Arg(1000)->Arg(100000);
BENCHMARK_CAPTURE(Find, V6FewClients, false, 500)->Arg(1000)->Arg(100000);

void Build(benchmark::State& state, bool v4) {
  for (auto _ : state) benchmark::DoNotOptimize(Make(state.range(0), v4));
}
BENCHMARK_CAPTURE(Build, V4, true)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Build, V6, false)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace framewall
