// The program: what the command line asks for, done.
#pragma once

namespace framewall::process {

// Returns the exit status.
int RunProgram(int argc, char** argv);

}  // namespace framewall::process
