// The real binary in a directory of its own.
//
//   ProxyProcess proxy("events {} http { server { listen 127.0.0.1:%%PORT_0%%; return 204; } }");
//   ASSERT_TRUE(proxy.Start()) << proxy.Output();
//   EXPECT_EQ(Get(proxy.port(0), "/").status(), 204);
//
// In configurations %%DIR%% is the directory and %%PORT_0%% to %%PORT_9%% are free ports. Before
// the text stand: daemon off; pid nginx.pid; error_log error.log info; and worker_processes 1 where
// the text has none; after "http {" access_log access.log; and paths of temporary files, where it
// has none. When it ends, the log must hold no [alert] and no sanitizer report.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temp_dir.h"

namespace framewall::test {

// A port of the loopback that nobody else is given while this lives; connections are refused until
// somebody listens on it.
class ReservedPort {
 public:
  ReservedPort();
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  uint16_t number() const { return number_; }

 private:
  int fd_;
  uint16_t number_;
};

struct CommandResult {
  int exit_code = -1;
  std::string output;  // standard output and error, merged
};

// Path of the binary under test: FRAMEWALL_BINARY of the environment, else of the build.
std::string BinaryPath();

// Asks `condition` again and again until it holds; false after `patience`.
bool Eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds(20));

class ProxyProcess {
 public:
  // `binary` is another that takes the same command line: nginx, to compare with.
  explicit ProxyProcess(std::string config, std::string binary = BinaryPath());
  ~ProxyProcess();
  ProxyProcess(const ProxyProcess&) = delete;
  ProxyProcess& operator=(const ProxyProcess&) = delete;

  // Writes the configuration and starts; true once the pid file and a worker are there.
  bool Start(const std::vector<std::string>& more_arguments = {});
  // What it said before its log took over, and the log: for failure messages.
  std::string Output() const;

  TempDir& directory() { return directory_; }
  uint16_t port(size_t index) const { return ports_.at(index).number(); }
  pid_t pid() const { return pid_; }
  // Children of the master, oldest first.
  std::vector<pid_t> Workers() const;

  void SetConfig(std::string config);
  void Signal(int number) const;
  // HUP, and waits until workers of a new generation are there and all old ones are told to go.
  bool Reload();
  // QUIT, and waits for the end. The exit status as a shell shows it, -1 where it stays.
  int Quit();
  int Terminate();

  std::string Log(std::string_view name = "error.log") const { return directory_.Read(name); }
  bool WaitForLog(std::string_view text, std::string_view name = "error.log") const;
  size_t CountInLog(std::string_view text, std::string_view name = "error.log") const;
  // The test provokes [alert] lines.
  void AllowAlerts() { alerts_allowed_ = true; }

  // Runs the binary to its end with -p and -c of this directory and `arguments`.
  CommandResult Run(const std::vector<std::string>& arguments);
  // The same with nothing but `arguments`.
  static CommandResult RunBinary(const std::vector<std::string>& arguments);

  // The text with its placeholders filled in.
  std::string Expand(std::string text) const;

 private:
  int WaitForExit(std::chrono::milliseconds patience);
  void WriteConfig() const;

  TempDir directory_;
  std::array<ReservedPort, 10> ports_;
  std::string config_;
  std::string binary_;
  pid_t pid_ = -1;
  bool alerts_allowed_ = false;
};

}  // namespace framewall::test
