// A client and an upstream that were not written here: Debian's python3-websockets on both sides.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tests/functional/websocket_testing.h"

extern char** environ;

namespace framewall::test {
namespace {

// A script in tests/functional/clients; ended with the object.
class Script {
 public:
  Script(const std::string& name, std::vector<std::string> arguments) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) return;
    arguments.insert(arguments.begin(),
                     {"/usr/bin/python3", FW_SOURCE_DIR "/tests/functional/clients/" + name});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
    ::posix_spawn_file_actions_addclose(&actions, pipe[0]);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    fd_ = pipe[0];
  }
  ~Script() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(fd_);
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Up to the end of a line, or of everything.
  std::string Read(bool to_end) {
    std::string text;
    pollfd poll_fd{fd_, POLLIN, 0};
    while (::poll(&poll_fd, 1, 130'000) > 0) {
      char c;
      if (::read(fd_, &c, 1) <= 0) break;
      text += c;
      if (!to_end && c == '\n') break;
    }
    return text;
  }
  int Wait() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
};

constexpr char kLocations[] = R"(
  websocket_message_rate off; websocket_client_message_rate off;
  location /large { PASS; websocket_max_message_size 16m; }
  location /takeover { PASS; websocket_deflate_context_takeover on; }
  location /small { PASS; websocket_deflate_window_bits 10; }
  location /plain { PASS; websocket_deflate off; }
  location /both { PASS; websocket_upstream_deflate on; }
  location /both/takeover { PASS; websocket_deflate_context_takeover on;
    websocket_upstream_deflate on; websocket_upstream_deflate_context_takeover on; }
  location /inspected { PASS; modsecurity on; modsecurity_rules '
    SecRuleEngine On
    SecRequestBodyAccess On
    SecRule ARGS "@contains attack" "id:1,phase:2,deny,status:403,log"
    '; }
  location / { PASS; }
)";

class WebSocket : public ::testing::TestWithParam<const char*> {};

TEST_P(WebSocket, OfPython) {
  Script server("websocket_server.py", {});
  const std::string port = server.Read(false);
  ASSERT_GT(std::atoi(port.c_str()), 0) << port << "\npython3-websockets: ./dev deps test";
  std::string locations = kLocations;
  const std::string pass = SocketPass("127.0.0.1:" + std::to_string(std::atoi(port.c_str())));
  for (size_t at; (at = locations.find("PASS;")) != locations.npos;) {
    locations.replace(at, 5, pass);
  }
  ProxyProcess proxy("events {} http { server { listen 127.0.0.1:%%PORT_0%%;\n" + locations +
                     "} }");
  ASSERT_TRUE(proxy.Start()) << proxy.Output();
  Script client("websocket_client.py",
                {"ws://127.0.0.1:" + std::to_string(proxy.port(0)), GetParam()});
  const std::string said = client.Read(true);
  EXPECT_EQ(client.Wait(), 0) << said << proxy.Log();
}

INSTANTIATE_TEST_SUITE_P(Check, WebSocket,
                         ::testing::Values("text_and_binary", "fragmented", "ping_both_ways",
                                           "close_of_the_client", "close_of_the_upstream",
                                           "sixteen_mebibytes", "deflate_as_browsers_offer_it",
                                           "deflate_with_context_takeover",
                                           "deflate_with_small_windows",
                                           "deflate_towards_the_upstream", "deflate_off",
                                           "subprotocols", "many_at_once", "attack"),
                         [](const auto& check) { return std::string(check.param); });

}  // namespace
}  // namespace framewall::test
