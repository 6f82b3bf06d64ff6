// The real framewall-backend in a directory of its own, on a Unix socket unless the settings say
// otherwise.
//
//   BackendProcess backend("limits: {page_size: 10}\n");
//   ASSERT_TRUE(backend.Start()) << backend.Output();
//   EXPECT_EQ(backend.Get("/health").status(), 200);
//
// In settings %%DIR%% is the directory, which is also the working directory, and %%PORT_0%% to
// %%PORT_9%% are free ports; log.level is info where they say nothing of a log. When it ends, its
// log must hold no [alert] and no sanitizer report.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/http_message.h"
#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace framewall::test {

// FRAMEWALL_BACKEND_BINARY of the environment, else of the build.
std::string BackendBinaryPath();

class BackendProcess {
 public:
  explicit BackendProcess(std::string settings = "");
  ~BackendProcess();
  BackendProcess(const BackendProcess&) = delete;
  BackendProcess& operator=(const BackendProcess&) = delete;

  // For the next start. Nothing of FRAMEWALL_BACKEND_ is inherited from the test.
  void SetEnvironment(const std::string& name, const std::string& value);
  void SetSettings(std::string settings) { settings_ = std::move(settings); }

  // Writes the settings and starts; true once /health answers. Again after an end: the same data.
  bool Start();
  // What it wrote, also into a log file "backend.log": for failure messages.
  std::string Output() const;
  bool WaitForOutput(std::string_view text) const;

  TempDir& directory() { return directory_; }
  // "unix:PATH" of the default socket, for upstream blocks.
  std::string address() const { return "unix:" + socket_path(); }
  std::string socket_path() const { return directory_.File("backend.sock"); }
  uint16_t port(size_t index) const { return ports_.at(index).number(); }
  pid_t pid() const { return pid_; }

  RawClient Connect() const;
  // One request on a connection of its own. `headers`: lines that end in CRLF; Host and, where
  // there is a body, Content-Length and Content-Type: application/json are added.
  HttpMessage Request(const std::string& method, const std::string& path,
                      const std::string& headers = "", const std::string& body = "") const;
  HttpMessage Get(const std::string& path, const std::string& headers = "") const {
    return Request("GET", path, headers);
  }

  void Signal(int number) const;
  // TERM, and waits for the end. The exit status as a shell shows it, -1 where it stays.
  int Terminate();
  // KILL: what is on the disk is what there is.
  int Kill();
  int WaitForExit(std::chrono::milliseconds patience = std::chrono::seconds(60));
  void AllowAlerts() { alerts_allowed_ = true; }

  // Runs the binary to its end with these arguments, in the directory and with the environment.
  CommandResult Run(const std::vector<std::string>& arguments);

  // The text with its placeholders filled in.
  std::string Expand(std::string text) const;

 private:
  pid_t Spawn(const std::vector<std::string>& arguments, int output) const;

  TempDir directory_;
  std::array<ReservedPort, 10> ports_;
  std::string settings_;
  std::vector<std::pair<std::string, std::string>> environment_;
  pid_t pid_ = -1;
  bool alerts_allowed_ = false;
};

}  // namespace framewall::test
