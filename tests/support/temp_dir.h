// A directory of a test's own, gone with it (FW_KEEP_TEMP=1 keeps it and says where).
#pragma once

#include <string>
#include <string_view>

namespace framewall::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }
  // Parents are made. Returns the path.
  std::string Write(std::string_view name, std::string_view text) const;
  // Empty where there is no such file.
  std::string Read(std::string_view name) const;
  bool Has(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace framewall::test
