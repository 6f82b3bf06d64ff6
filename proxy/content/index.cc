// index: the file that stands for a directory.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <string>

#include "proxy/content/file_lookup.h"

namespace framewall::content {
namespace {

using exchange::Exchange;

int NotFound(Exchange& exchange, const std::string& path, int error) {
  if (error == EACCES) {
    exchange.LogError(LogLevel::kError, fmt::format("\"{}\" is forbidden", path), error);
    return 403;
  }
  if (exchange.settings().core.log_not_found) {
    exchange.LogError(LogLevel::kError, fmt::format("\"{}\" is not found", path), error);
  }
  return 404;
}

// 0 where the directory is there: then a missing index is no reason for 404.
int CheckDirectory(Exchange& exchange, std::string_view directory, const std::string& index_path) {
  std::string path(directory);
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return 0;
    exchange.LogError(LogLevel::kAlert, fmt::format("\"{}\" is not a directory", path));
    return 500;
  }
  const int error = errno;
  if (error == ENOENT) return NotFound(exchange, index_path, error);
  if (error == ELOOP) return 403;
  // The index was looked up in it without a refusal, so searching it is allowed.
  if (error == EACCES) return 0;
  exchange.LogError(LogLevel::kCrit, fmt::format("stat() \"{}\" failed", path), error);
  return 500;
}

}  // namespace

void ServeIndex(Exchange& exchange) {
  exchange::Driver& driver = *exchange.driver;
  if (!CanMapUri(exchange)) return driver.Finish(500);
  const std::string_view directory = exchange.FilePath(exchange.uri);
  bool directory_checked = false;
  for (const config::Template& one : exchange.settings().core.index) {
    const std::string name(exchange.Expand(one));
    if (name.starts_with('/')) return driver.InternalRedirect(name, exchange.args);
    const std::string path = std::string(directory) + name;
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) {
      return driver.InternalRedirect(std::string(exchange.uri) + name, exchange.args);
    }
    const int error = errno;
    if (error == ELOOP) return driver.Finish(403);
    if (error == ENOTDIR || error == ENAMETOOLONG || error == EACCES) {
      return driver.Finish(NotFound(exchange, path, error));
    }
    if (!directory_checked) {
      if (const int status = CheckDirectory(exchange, directory, path); status != 0) {
        return driver.Finish(status);
      }
      directory_checked = true;
    }
    if (error == ENOENT) continue;
    exchange.LogError(LogLevel::kCrit, fmt::format("stat() \"{}\" failed", path), error);
    return driver.Finish(500);
  }
  exchange.LogError(LogLevel::kError,
                    fmt::format("directory index of \"{}\" is forbidden", directory));
  driver.Finish(403);
}

}  // namespace framewall::content
