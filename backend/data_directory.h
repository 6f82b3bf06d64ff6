// server.data_dir, made and kept for one process: two that serve from it would each sign, rotate
// keys and hand out numbers by what they alone know.
#pragma once

#include <string>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace framewall::backend {

class DataDirectory {
 public:
  // Makes it with mode 0700 where it is missing, and locks PATH/backend.lock (flock) as long as
  // this lives, at the longest until the process ends: a file that is left behind is no lock. The
  // error of one that is taken tells the path and, where it can, the process.
  static Result<DataDirectory> Open(const std::string& path);

 private:
  explicit DataDirectory(UniqueFd lock) : lock_(std::move(lock)) {}

  UniqueFd lock_;
};

}  // namespace framewall::backend
