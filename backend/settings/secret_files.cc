#include "backend/settings/secret_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

namespace framewall::backend {
namespace {

constexpr mode_t kOthers = 077;

}  // namespace

bool IsInside(const std::string& directory, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path outer = fs::weakly_canonical(fs::absolute(directory, failed), failed);
  const fs::path inner = fs::weakly_canonical(fs::absolute(path, failed), failed);
  if (failed || outer.empty() || inner.empty()) return false;
  const auto [outer_end, inner_at] =
      std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  // "data/" ends with an empty name.
  return outer_end == outer.end() || outer_end->empty();
}

void SecretFiles::Add(std::string place, std::string path, mode_t mode) {
  files_.push_back({std::move(place), std::move(path), mode});
}

void SecretFiles::AddUnread(std::string place, const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0) Add(std::move(place), path, file.st_mode);
}

void SecretFiles::Judge(const std::string& data_dir, Complaints& complaints,
                        std::vector<std::string>& warnings) const {
  std::set<std::string_view> seen;
  for (const File& file : files_) {
    if (!seen.insert(file.path).second) continue;
    if ((file.mode & kOthers) != 0 && IsInside(data_dir, file.path)) {
      complaints.Add(file.place,
                     fmt::format("\"{}\" holds a secret, lies in server.data_dir and has mode "
                                 "{:04o}, 0600 was expected (chmod 600)",
                                 file.path, file.mode & 07777));
    } else if ((file.mode & S_IROTH) != 0) {
      warnings.push_back(
          fmt::format("{}: \"{}\" holds a secret and may be read by everybody; chmod o-r",
                      file.place, file.path));
    }
  }
}

}  // namespace framewall::backend
