// try_files: the first of several files that exists.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <string>

#include "proxy/content/file_lookup.h"
#include "proxy/content/static_file.h"

namespace framewall::content {
namespace {

using config::LocationConfig;
using exchange::Exchange;

// How the location's names become paths.
enum class Mapping : uint8_t {
  kRoot,
  kAlias,       // replaces a prefix of the URI
  kRegexAlias,  // written in a regex location: replaces the whole URI
};

Mapping MappingOf(const LocationConfig& location) {
  if (!location.settings.core.root_is_alias) return Mapping::kRoot;
  return location.alias_prefix_length == std::string_view::npos ? Mapping::kRegexAlias
                                                                : Mapping::kAlias;
}

std::string_view AliasedPrefix(const Exchange& exchange) {
  return exchange.uri.substr(0, exchange.location->alias_prefix_length);
}

// The name below root or alias. A name made of variables may begin with the prefix that the alias
// replaces ("$uri"); a plain one is relative to the alias already.
std::string NameOf(Exchange& exchange, const config::Template& text, Mapping mapping) {
  std::string name;
  exchange.ExpandTo(text, name);
  if (mapping == Mapping::kAlias && !text.constant()) {
    const std::string_view prefix = AliasedPrefix(exchange);
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  return name;
}

bool Exists(Exchange& exchange, const std::string& path, bool want_directory) {
  struct stat info {};
  if (path.find('\0') != std::string::npos) return false;
  if (::stat(path.c_str(), &info) == 0) return S_ISDIR(info.st_mode) == want_directory;
  const int error = errno;
  if (error != ENOENT && error != ENOTDIR && error != ENAMETOOLONG) {
    exchange.LogError(LogLevel::kCrit, fmt::format("stat() \"{}\" failed", path), error);
  }
  return false;
}

void UseName(Exchange& exchange, const std::string& name, Mapping mapping, bool is_directory) {
  switch (mapping) {
    case Mapping::kRoot:
      exchange.uri = exchange.arena.Copy(name);
      break;
    case Mapping::kAlias:
      exchange.uri = exchange.arena.Join(AliasedPrefix(exchange), name);
      break;
    case Mapping::kRegexAlias:
      if (is_directory) break;
      exchange.uri = exchange.arena.Copy(name);
      exchange.alias_takes_uri = exchange.location;
      break;
  }
}

void GoToLast(Exchange& exchange, const config::TryFiles& try_files, Mapping mapping) {
  exchange::Driver& driver = *exchange.driver;
  if (try_files.last_status != 0) return driver.Finish(try_files.last_status);
  // The prefix that an alias replaces is cut from the last name, too: nginx's known surprise.
  const std::string target = NameOf(exchange, try_files.last, mapping);
  if (target.starts_with('@')) return driver.NamedRedirect(target);
  const size_t mark = std::min(target.find('?'), target.size());
  const std::string_view view = target;
  driver.InternalRedirect(view.substr(0, mark), view.substr(std::min(mark + 1, view.size())));
}

}  // namespace

bool RunTryFiles(Exchange& exchange) {
  const auto& try_files = exchange.location->try_files;
  if (!try_files.has_value()) return false;
  exchange.alias_takes_uri = nullptr;
  if (!CanMapUri(exchange)) {
    exchange.driver->Finish(500);
    return true;
  }
  const Mapping mapping = MappingOf(*exchange.location);
  const std::string root(exchange.FilePath({}));
  for (const config::Template& file : try_files->files) {
    const bool want_directory = file.source.ends_with('/');
    std::string name = NameOf(exchange, file, mapping);
    if (want_directory && name.ends_with('/')) name.pop_back();
    if (!Exists(exchange, root + name, want_directory)) continue;
    UseName(exchange, name, mapping, want_directory);
    return false;
  }
  GoToLast(exchange, *try_files, mapping);
  return true;
}

}  // namespace framewall::content
