// Signals by nginx's meanings, and how the master waits for them.
//
// The master blocks all it understands and takes them one by one, so no handler ever runs and two
// HUPs that arrive while one is being served are one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string_view>

namespace framewall::process {

// "SIGHUP"; "" where we do not know it.
std::string_view SignalName(int signal_number);

// What `-s` sends: stop TERM, quit QUIT, reopen USR1, reload HUP.
std::optional<int> SignalOfCommand(std::string_view command);

struct ReceivedSignal {
  int number = 0;
  pid_t sender = 0;  // 0: the kernel
};

// Blocks the master's signals, ignores SIGPIPE; SIGCHLD comes even if our parent ignored it.
void BlockMasterSignals();

// The next signal, or nothing once `wait` has passed. No `wait`: for ever.
// Requires: BlockMasterSignals was called.
std::optional<ReceivedSignal> WaitForSignal(std::optional<std::chrono::milliseconds> wait);

// In a new worker that has its handlers: the mask is empty again. What came since the fork is
// delivered now.
void UnblockSignalsInWorker();

// In a worker that ends, before its handlers go: what comes now (the master repeats TERM) no longer
// reaches it, where without a handler it would be a death by signal.
void BlockSignalsInWorker();

// Before exec and where there is no master: dispositions and mask as they are at a program's start.
void RestoreDefaultSignals();

}  // namespace framewall::process
