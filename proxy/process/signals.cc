#include "proxy/process/signals.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace framewall::process {
namespace {

struct SignalRow {
  int number;
  std::string_view name;
  std::string_view command;  // of -s
};

constexpr SignalRow kSignals[] = {
    {SIGHUP, "SIGHUP", "reload"}, {SIGUSR1, "SIGUSR1", "reopen"}, {SIGWINCH, "SIGWINCH", ""},
    {SIGTERM, "SIGTERM", "stop"}, {SIGQUIT, "SIGQUIT", "quit"},   {SIGUSR2, "SIGUSR2", ""},
    {SIGINT, "SIGINT", ""},       {SIGCHLD, "SIGCHLD", ""},
};

sigset_t MasterSet() {
  sigset_t set;
  sigemptyset(&set);
  for (const SignalRow& row : kSignals) sigaddset(&set, row.number);
  return set;
}

void SetHandler(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

}  // namespace

std::string_view SignalName(int signal_number) {
  for (const SignalRow& row : kSignals) {
    if (row.number == signal_number) return row.name;
  }
  return "";
}

std::optional<int> SignalOfCommand(std::string_view command) {
  if (command.empty()) return std::nullopt;
  for (const SignalRow& row : kSignals) {
    if (row.command == command) return row.number;
  }
  return std::nullopt;
}

void BlockMasterSignals() {
  const sigset_t set = MasterSet();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  // An ignored signal never becomes pending, whatever we inherited.
  for (const SignalRow& row : kSignals) SetHandler(row.number, SIG_DFL);
  SetHandler(SIGPIPE, SIG_IGN);
}

std::optional<ReceivedSignal> WaitForSignal(std::optional<std::chrono::milliseconds> wait) {
  const sigset_t set = MasterSet();
  siginfo_t info{};
  int number;
  if (wait) {
    const auto milliseconds = wait->count() < 0 ? 0 : wait->count();
    const timespec limit{milliseconds / 1000, (milliseconds % 1000) * 1000000};
    number = ::sigtimedwait(&set, &info, &limit);
  } else {
    number = ::sigwaitinfo(&set, &info);
  }
  if (number < 0) return std::nullopt;  // EAGAIN, or EINTR by a signal that is not ours (SIGCONT)
  return ReceivedSignal{number, info.si_code <= 0 || number == SIGCHLD ? info.si_pid : 0};
}

void UnblockSignalsInWorker() {
  // Not for workers: a terminal sends them to the whole group.
  for (const int number : {SIGHUP, SIGUSR2}) SetHandler(number, SIG_IGN);
  SetHandler(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void BlockSignalsInWorker() {
  const sigset_t set = MasterSet();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void RestoreDefaultSignals() {
  for (const SignalRow& row : kSignals) SetHandler(row.number, SIG_DFL);
  SetHandler(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace framewall::process
