// The files that secrets were read from, and who else may read them: in our own directory that
// refuses the start, in somebody's (mounted secrets, a file of settings) it is a warning.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "backend/settings/rows.h"

namespace framewall::backend {

// Does `path` lie in `directory`, links followed? What is not there yet counts as it is written.
bool IsInside(const std::string& directory, const std::string& path);

class SecretFiles {
 public:
  // `place`: where it was named. `mode`: of the file that was read.
  void Add(std::string place, std::string path, mode_t mode);
  // The same of a file that somebody else read; nothing of one that cannot be opened.
  void AddUnread(std::string place, const std::string& path);

  // Once it is known what is ours. Each file once.
  void Judge(const std::string& data_dir, Complaints& complaints,
             std::vector<std::string>& warnings) const;

 private:
  struct File {
    std::string place;
    std::string path;
    mode_t mode = 0;
  };
  std::vector<File> files_;
};

}  // namespace framewall::backend
