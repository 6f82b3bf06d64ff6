// A request body that is collected: in memory up to a limit, then in an unlinked file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/unique_fd.h"

namespace framewall::exchange {

class BodyBuffer {
 public:
  // Beyond `memory_limit` octets everything goes to a file in `temp_path`. `keep_name`: the file is
  // not unlinked at once (client_body_in_file_only), see file_path; `file_only` starts with a file.
  void Configure(uint64_t memory_limit, std::string temp_path, bool file_only, bool keep_name);

  Status Append(std::string_view piece);
  uint64_t size() const { return size_; }
  bool in_file() const { return file_.valid(); }
  bool empty() const { return size_ == 0; }
  // Requires: !in_file().
  std::string_view memory() const { return memory_; }
  // Reads up to `capacity` octets at `offset`; 0 at the end. Works for both places.
  Result<size_t> ReadAt(uint64_t offset, char* out, size_t capacity) const;
  // $request_body_file: empty without a file. Its name may be gone already.
  const std::string& file_path() const { return file_path_; }
  // client_body_in_file_only clean: remove the named file now.
  void RemoveFile();
  void Clear();

 private:
  Status SpillToFile();

  uint64_t memory_limit_ = 16384;
  std::string temp_path_;
  bool file_only_ = false;
  bool keep_name_ = false;
  uint64_t size_ = 0;
  std::string memory_;
  UniqueFd file_;
  std::string file_path_;
};

}  // namespace framewall::exchange
