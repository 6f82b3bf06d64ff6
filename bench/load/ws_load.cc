// ws_load: load for a WebSocket proxy, and the echo server behind it.
//
//   ws_load --echo PORT
//   ws_load [--connections N] [--size OCTETS] [--seconds N] PORT
//   ws_load --idle N PORT
//
// The second prints round trips, seconds, and the median and the 99th percentile of a round trip in
// µs. The third holds N connections, each after one echo, until its standard input ends.
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients.h"
#include "echo_server.h"
#include "poller.h"
#include "proxy/base/parse.h"

namespace framewall::load {
namespace {

[[noreturn]] void Usage() {
  Fail(
      "usage: ws_load --echo PORT | [--connections N] [--size OCTETS] [--seconds N] PORT | "
      "--idle N PORT");
}

uint64_t Number(std::string_view text, uint64_t most) {
  const std::optional<uint64_t> number = ParseUnsigned(text);
  if (!number || *number == 0 || *number > most) {
    Fail("\"" + std::string(text) + "\" is not a number from 1 to " + std::to_string(most));
  }
  return *number;
}

uint16_t Port(std::string_view text) { return static_cast<uint16_t>(Number(text, 65535)); }

int Main(const std::vector<std::string_view>& arguments) {
  LoadOptions options;
  bool idle = false;
  size_t at = 0;
  for (; at + 1 < arguments.size(); at += 2) {
    const std::string_view name = arguments[at];
    const std::string_view value = arguments[at + 1];
    if (name == "--echo") ServeEcho(Port(value));
    if (name == "--connections" || name == "--idle") {
      options.connections = Number(value, 50000);
      idle = idle || name == "--idle";
    } else if (name == "--size") {
      options.size = Number(value, uint64_t{16} << 20);
    } else if (name == "--seconds") {
      options.duration = std::chrono::seconds(Number(value, 86400));
    } else {
      Usage();
    }
  }
  if (at + 1 != arguments.size()) Usage();
  options.port = Port(arguments[at]);
  if (idle) {
    HoldIdle(options);
    return 0;
  }
  const LoadResult result = RunLoad(options);
  std::printf("%llu round trips in %.3f s, median %lld µs, 99 %% %lld µs\n",
              static_cast<unsigned long long>(result.round_trips), result.elapsed.count(),
              static_cast<long long>(result.median.count()),
              static_cast<long long>(result.slowest_percent.count()));
  return 0;
}

}  // namespace
}  // namespace framewall::load

int main(int argc, char** argv) {
  return framewall::load::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}
