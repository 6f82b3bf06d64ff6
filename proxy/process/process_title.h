// What `ps` shows, and the environment that a worker or a new binary sees.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace framewall::process {

// Copies the arguments and the environment away, so that their memory can hold a title.
// Call first thing in main, once.
void SaveArguments(int argc, char** argv);

// As they were at the start.
const std::vector<std::string>& SavedArguments();
// Our own program, absolute, as it was called; a new binary at that path is found by USR2.
const std::string& ProgramPath();

// "framewall: worker process".
void SetProcessTitle(std::string_view title);

// The variables that `env` directives let through, with TZ, as "NAME=VALUE".
std::vector<std::string> AllowedEnvironment(const std::vector<std::string>& env_directives);
// Replaces this process's environment.
void ReplaceEnvironment(std::vector<std::string> variables);

}  // namespace framewall::process
