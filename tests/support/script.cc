#include "tests/support/script.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

extern char** environ;

namespace framewall::test {

Script::Script(const std::string& program, const std::vector<std::string>& arguments,
               const std::vector<std::string>& environment) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return;
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> own = environment;
  std::vector<char*> env;
  for (std::string& setting : own) env.push_back(setting.data());
  for (char** setting = environ; *setting != nullptr; ++setting) env.push_back(*setting);
  env.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  ::posix_spawn_file_actions_addclose(&actions, pipe[0]);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  if (::posix_spawn(&pid_, program.c_str(), &actions, &attributes, argv.data(), env.data()) != 0) {
    pid_ = -1;
  }
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  fd_ = pipe[0];
}

Script::~Script() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (fd_ >= 0) ::close(fd_);
}

std::string Script::Read(bool to_end, std::chrono::milliseconds patience) {
  std::string text;
  pollfd poll_fd{fd_, POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || ::poll(&poll_fd, 1, static_cast<int>(left.count())) <= 0) break;
    char c;
    if (::read(fd_, &c, 1) <= 0) break;
    text += c;
    if (!to_end && c == '\n') break;
  }
  return text;
}

int Script::Wait() {
  if (pid_ <= 0) return -1;
  int status = -1;
  ::waitpid(pid_, &status, 0);
  ::kill(-pid_, SIGKILL);  // what it left behind
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace framewall::test
