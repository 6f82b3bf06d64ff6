#include "tests/support/proxy_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/command.h"

namespace framewall::test {
namespace {

constexpr std::chrono::seconds kPatienceOfStart{60};  // rules under a sanitizer take long
constexpr std::chrono::seconds kPatienceOfStop{60};
constexpr std::chrono::milliseconds kPoll{5};

// Forks and executes; both outputs go to `output_fd`. The master gets TERM if the test dies.
pid_t Spawn(const std::string& binary, const std::vector<std::string>& arguments, int output_fd) {
  std::vector<std::string> words = {binary};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  ::dup2(output_fd, STDOUT_FILENO);
  ::dup2(output_fd, STDERR_FILENO);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

size_t Count(const std::string& text, std::string_view what) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++count;
  return count;
}

}  // namespace

ReservedPort::ReservedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // Bound but not listening: with SO_REUSEADDR on both sides another socket may listen on it, while
  // the kernel gives the number to nobody who asks for any.
  const int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd_, generic, length) != 0) std::abort();
  ::getsockname(fd_, generic, &length);
  number_ = ntohs(address.sin_port);
}

ReservedPort::~ReservedPort() { ::close(fd_); }

std::string BinaryPath() {
  const char* path = std::getenv("FRAMEWALL_BINARY");
  return path != nullptr ? path : FW_TEST_BINARY;
}

bool Eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

ProxyProcess::ProxyProcess(std::string config, std::string binary)
    : config_(std::move(config)), binary_(std::move(binary)) {
  // Orphans of an exchanged binary come to us, so that they can be waited for.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

ProxyProcess::~ProxyProcess() {
  if (pid_ > 0) Terminate();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    WaitForExit(kPatienceOfStop);
  }
  const std::string log = Output();
  EXPECT_EQ(log.find("Sanitizer"), std::string::npos) << log;
  EXPECT_EQ(log.find("runtime error:"), std::string::npos) << log;
  if (!alerts_allowed_) {
    EXPECT_EQ(log.find("[alert]"), std::string::npos) << log;
  }
}

std::string ProxyProcess::Expand(std::string text) const {
  text = ReplaceAll(std::move(text), "%%DIR%%", directory_.path());
  for (size_t i = 0; i < ports_.size(); ++i) {
    text = ReplaceAll(std::move(text), "%%PORT_" + std::to_string(i) + "%%",
                      std::to_string(ports_[i].number()));
  }
  return text;
}

void ProxyProcess::WriteConfig() const {
  std::string text;
  const auto add = [this, &text](const std::string& name, const std::string& line) {
    if (config_.find(name) == config_.npos) text += line;
  };
  add("daemon ", "daemon off;\n");
  add("pid ", "pid %%DIR%%/nginx.pid;\n");
  add("worker_processes ", "worker_processes 1;\n");
  // One on the main level, whatever locations say.
  text += "error_log %%DIR%%/error.log info;\n";
  std::string http;
  for (const char* place :
       {"access_log %%DIR%%/access.log", "client_body_temp_path %%DIR%%/body_temp",
        "proxy_temp_path %%DIR%%/proxy_temp"}) {
    const std::string line = place;
    if (config_.find(line.substr(0, line.find(' '))) == config_.npos) http += " " + line + ";";
  }
  std::string config = config_;
  const size_t block = config.find("http {");
  if (block != config.npos) config.insert(block + 6, http);
  directory_.Write("nginx.conf", Expand(text + config));
}

bool ProxyProcess::Start(const std::vector<std::string>& more_arguments) {
  WriteConfig();
  std::vector<std::string> arguments = {
      "-p", directory_.path() + "/", "-c", "nginx.conf", "-e", "error.log"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  const int output =
      ::open(directory_.File("output").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  pid_ = Spawn(binary_, arguments, output);
  ::close(output);
  const bool is_up = Eventually(
      [this] {
        // The text too, since the file is there before its number.
        if (directory_.Read("nginx.pid").find('\n') != std::string::npos) return true;
        return WaitForExit(std::chrono::milliseconds(0)) >= 0;
      },
      kPatienceOfStart);
  if (!is_up || pid_ <= 0) return false;
  // The pid file is there before the workers are.
  if (config_.find("master_process off") != std::string::npos) return true;
  return Eventually([this] {
           return !Workers().empty() || WaitForExit(std::chrono::milliseconds(0)) >= 0;
         }) &&
         pid_ > 0;
}

std::string ProxyProcess::Output() const {
  return directory_.Read("output") + directory_.Read("error.log");
}

std::vector<pid_t> ProxyProcess::Workers() const {
  const std::string pid = std::to_string(pid_);
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  std::vector<pid_t> workers;
  for (pid_t child; children >> child;) workers.push_back(child);
  return workers;
}

void ProxyProcess::SetConfig(std::string config) {
  config_ = std::move(config);
  WriteConfig();
}

void ProxyProcess::Signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);  // -1 would be everybody
}

bool ProxyProcess::Reload() {
  // Just after the start there may be none yet.
  if (!Eventually([&] { return !Workers().empty(); })) return false;
  const std::vector<pid_t> old = Workers();
  Signal(SIGHUP);
  return Eventually([&] {
    const std::string log = Log();
    const auto was_told = [&log](pid_t pid) {
      const std::string number = std::to_string(pid);
      return log.find(number + "#" + number + ": gracefully shutting down") != log.npos ||
             log.find("worker process " + number + " exited") != log.npos;
    };
    const std::vector<pid_t> now = Workers();
    const auto is_new = [&old](pid_t pid) {
      return std::find(old.begin(), old.end(), pid) == old.end();
    };
    return std::all_of(old.begin(), old.end(), was_told) &&
           std::any_of(now.begin(), now.end(), is_new);
  });
}

int ProxyProcess::WaitForExit(std::chrono::milliseconds patience) {
  if (pid_ <= 0) return -1;
  int status = 0;
  const bool ended =
      Eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience);
  if (!ended) return -1;
  pid_ = -1;
  return ShellStatus(status);
}

int ProxyProcess::Quit() {
  Signal(SIGQUIT);
  return WaitForExit(kPatienceOfStop);
}

int ProxyProcess::Terminate() {
  Signal(SIGTERM);
  return WaitForExit(kPatienceOfStop);
}

bool ProxyProcess::WaitForLog(std::string_view text, std::string_view name) const {
  return Eventually([&] { return CountInLog(text, name) > 0; });
}

size_t ProxyProcess::CountInLog(std::string_view text, std::string_view name) const {
  return Count(directory_.Read(name), text);
}

CommandResult ProxyProcess::Run(const std::vector<std::string>& arguments) {
  WriteConfig();
  std::vector<std::string> all = {"-p",       directory_.path() + "/", "-c", "nginx.conf", "-e",
                                  "error.log"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return RunBinary(all);
}

CommandResult ProxyProcess::RunBinary(const std::vector<std::string>& arguments) {
  return RunToEnd([&](int output) { return Spawn(BinaryPath(), arguments, output); });
}

}  // namespace framewall::test
