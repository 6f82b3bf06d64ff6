// What the programs under test have in common: run to their end, and the texts they are given.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "tests/support/proxy_process.h"

namespace framewall::test {

// Of waitpid(), as a shell shows it.
int ShellStatus(int status);

// `spawn` starts it with both outputs on the descriptor it is given, and returns the process. All
// it writes, and its end.
CommandResult RunToEnd(const std::function<pid_t(int output)>& spawn);

std::string ReplaceAll(std::string text, const std::string& from, const std::string& to);

}  // namespace framewall::test
