#include "tests/support/backend_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/command.h"

namespace framewall::test {
namespace {

constexpr std::chrono::seconds kPatienceOfStart{30};
constexpr std::string_view kPrefix = "FRAMEWALL_BACKEND_";

}  // namespace

std::string BackendBinaryPath() {
  const char* path = std::getenv("FRAMEWALL_BACKEND_BINARY");
  return path != nullptr ? path : FW_TEST_BACKEND_BINARY;
}

BackendProcess::BackendProcess(std::string settings) : settings_(std::move(settings)) {}

BackendProcess::~BackendProcess() {
  if (pid_ > 0) Terminate();
  if (pid_ > 0) {
    ADD_FAILURE() << "it does not end\n" << Output();
    Kill();
  }
  const std::string log = Output();
  EXPECT_EQ(log.find("Sanitizer"), std::string::npos) << log;
  EXPECT_EQ(log.find("runtime error:"), std::string::npos) << log;
  if (!alerts_allowed_) {
    EXPECT_EQ(log.find("[alert]"), std::string::npos) << log;
  }
}

void BackendProcess::SetEnvironment(const std::string& name, const std::string& value) {
  environment_.emplace_back(name, value);
}

std::string BackendProcess::Expand(std::string text) const {
  text = ReplaceAll(std::move(text), "%%DIR%%", directory_.path());
  for (size_t i = 0; i < ports_.size(); ++i) {
    text = ReplaceAll(std::move(text), "%%PORT_" + std::to_string(i) + "%%",
                      std::to_string(ports_[i].number()));
  }
  return text;
}

// Forks and executes; both outputs go to `output`. It gets TERM if the test dies.
pid_t BackendProcess::Spawn(const std::vector<std::string>& arguments, int output) const {
  // All that allocates comes before the fork: the test may have threads.
  std::vector<std::string> words = {BackendBinaryPath()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(kPrefix)) variables.emplace_back(*entry);
  }
  for (const auto& [name, value] : environment_) variables.push_back(name + "=" + Expand(value));
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent || ::chdir(directory_.path().c_str()) != 0) ::_exit(1);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

bool BackendProcess::Start() {
  std::string text = settings_;
  if (text.find("log:") == text.npos) text += "\nlog: {level: info}\n";
  directory_.Write("backend.yaml", Expand(text));
  const int output =
      ::open(directory_.File("output").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  pid_ = Spawn({"--config", "backend.yaml"}, output);
  ::close(output);
  return Eventually(
             [this] {
               if (WaitForExit(std::chrono::milliseconds(0)) >= 0) return true;
               return Connect().connected() && Get("/health").status() == 200;
             },
             kPatienceOfStart) &&
         pid_ > 0;
}

std::string BackendProcess::Output() const {
  return directory_.Read("output") + directory_.Read("backend.log");
}

bool BackendProcess::WaitForOutput(std::string_view text) const {
  return Eventually([&] { return Output().find(text) != std::string::npos; });
}

RawClient BackendProcess::Connect() const {
  if (settings_.find("listen: 127.0.0.1:%%PORT_0%%") != std::string::npos) {
    return RawClient(port(0));
  }
  return RawClient::Unix(socket_path());
}

HttpMessage BackendProcess::Request(const std::string& method, const std::string& path,
                                    const std::string& headers, const std::string& body) const {
  RawClient client = Connect();
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
  if (!body.empty()) {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (headers.find("Content-Type:") == headers.npos) {
      request += "Content-Type: application/json\r\n";
    }
  }
  client.Send(request + "Connection: close\r\n\r\n" + body);
  return client.ReadResponse(method == "HEAD" ? BodyRule::kNoBody : BodyRule::kByHead);
}

void BackendProcess::Signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);  // -1 would be everybody
}

int BackendProcess::WaitForExit(std::chrono::milliseconds patience) {
  if (pid_ <= 0) return -1;
  int status = 0;
  const bool ended =
      Eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience);
  if (!ended) return -1;
  pid_ = -1;
  return ShellStatus(status);
}

int BackendProcess::Terminate() {
  Signal(SIGTERM);
  return WaitForExit();
}

int BackendProcess::Kill() {
  Signal(SIGKILL);
  return WaitForExit();
}

CommandResult BackendProcess::Run(const std::vector<std::string>& arguments) {
  directory_.Write("backend.yaml", Expand(settings_));
  return RunToEnd([&](int output) { return Spawn(arguments, output); });
}

}  // namespace framewall::test
