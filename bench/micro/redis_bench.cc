// What a command over Redis costs us besides the kernel: its format, its reply, and both.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "proxy/redis/reply_reader.h"
#include "proxy/redis/request.h"

namespace framewall::redis {
namespace {

const Script& Gcra() {
  // The size of a limit's script.
  static const Script script("-- " + std::string(800, 'x') + "\nreturn {0, 0, 0}");
  return script;
}

void FormatEvalsha(benchmark::State& state) {
  const std::string_view arguments[] = {"50000", "1000000", "1"};
  for (auto _ : state) {
    benchmark::DoNotOptimize(MakeRequest(Gcra(), "fw:api:203.0.113.7", arguments));
  }
}
BENCHMARK(FormatEvalsha);

void ReadArray(benchmark::State& state) {
  const std::string_view octets = "*4\r\n:0\r\n:19\r\n:50\r\n$1\r\n0\r\n";
  ReplyReader reader({});
  for (auto _ : state) {
    reader.Feed(octets);
    benchmark::DoNotOptimize(reader.Next());
  }
}
BENCHMARK(ReadArray);

// As they come when many are outstanding.
void ReadPipelined(benchmark::State& state) {
  std::string octets;
  for (int i = 0; i < 64; ++i) octets += "*4\r\n:0\r\n:19\r\n:50\r\n$1\r\n0\r\n";
  ReplyReader reader({});
  for (auto _ : state) {
    reader.Feed(octets);
    for (int i = 0; i < 64; ++i) benchmark::DoNotOptimize(reader.Next());
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(ReadPipelined);

void FormatAndRead(benchmark::State& state) {
  const std::string_view arguments[] = {"50000", "1000000", "1"};
  const std::string_view octets = "*4\r\n:0\r\n:19\r\n:50\r\n$1\r\n0\r\n";
  ReplyReader reader({});
  for (auto _ : state) {
    const RequestPtr request = MakeRequest(Gcra(), "fw:api:203.0.113.7", arguments);
    benchmark::DoNotOptimize(request->bytes.data());
    reader.Feed(octets);
    benchmark::DoNotOptimize(reader.Next());
  }
}
BENCHMARK(FormatAndRead);

}  // namespace
}  // namespace framewall::redis
