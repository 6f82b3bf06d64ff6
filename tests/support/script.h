// Another program, for as long as this lives: its output is read, and it is killed with all that
// it started.
//
//   Script client("/usr/bin/python3", {FW_SOURCE_DIR "/tests/functional/clients/client.py"});
//   const std::string said = client.Read(true);
//   EXPECT_EQ(client.Wait(), 0) << said;
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace framewall::test {

class Script {
 public:
  // `program` is a path. `environment` ("NAME=value") comes before what we have ourselves.
  Script(const std::string& program, const std::vector<std::string>& arguments,
         const std::vector<std::string>& environment = {});
  ~Script();
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  // Standard output and error up to the end of a line, or of everything; what came in `patience`.
  std::string Read(bool to_end, std::chrono::milliseconds patience = std::chrono::seconds(130));
  // The exit code; -1 where a signal ended it.
  int Wait();

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
};

}  // namespace framewall::test
