#include "proxy/config/loader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "proxy/base/log.h"
#include "proxy/config/builder.h"
#include "proxy/config/include.h"
#include "proxy/config/lexer.h"
#include "proxy/config/nginx_reader.h"
#include "proxy/config/paths.h"
#include "proxy/config/validate.h"

namespace framewall::config {
namespace {

constexpr std::string_view kCommandLine = "command line";

// -p as given, absolute and with a slash behind it.
std::string AbsolutePrefix(std::string_view prefix) {
  std::string absolute(prefix);
  if (!absolute.starts_with('/')) {
    std::array<char, PATH_MAX> folder{};
    if (::getcwd(folder.data(), folder.size()) != nullptr) {
      absolute = fmt::format("{}/{}", folder.data(), absolute);
    }
  }
  if (!absolute.ends_with('/')) absolute += '/';
  return absolute;
}

void SetPaths(const LoadOptions& options, Config& config) {
  config.prefix = AbsolutePrefix(options.prefix.empty() ? kDefaultPrefix : options.prefix);
  config.conf_path =
      config.FullPath(options.conf_path.empty() ? kDefaultConfPath : options.conf_path);
  config.main.pid_path = kDefaultPidPath;
  config.main.user = kDefaultUser;
}

// What holds where the main context names no error log: -e, or the one of the build.
void SetDefaultErrorLog(const LoadOptions& options, Config& config) {
  if (!config.main.error_log.empty()) return;
  ErrorLogTarget target;
  target.path =
      options.error_log_path.empty() ? std::string(kDefaultErrorLog) : options.error_log_path;
  if (target.path != "stderr" && !target.path.starts_with("syslog:")) {
    target.path = config.FullPath(target.path);
  }
  target.level = static_cast<int>(LogLevel::kError);
  config.main.error_log.push_back(std::move(target));
}

}  // namespace

std::unique_ptr<Config> Load(const LoadOptions& options, Diagnostics& diagnostics) {
  auto config = std::make_unique<Config>();
  SetPaths(options, *config);
  std::vector<Directive> tree;
  ReadNginxText(options.global_directives, kCommandLine, diagnostics, tree,
                Lexer::Origin::kCommandLine);
  const size_t before_files = diagnostics.messages().size();
  TreeReader(*config, diagnostics).ReadFile(config->conf_path, SourceLocation{}, tree);
  // Half a tree would report what only its missing half explains.
  const bool is_whole = diagnostics.messages().size() == before_files;
  Build(tree, *config, diagnostics);
  if (is_whole && !config->events.present) {
    diagnostics.Error({}, "no \"events\" section in configuration");
  }
  if (!diagnostics.has_errors()) Validate(*config, options.variables, diagnostics);
  if (diagnostics.has_errors()) return nullptr;
  SetDefaultErrorLog(options, *config);
  return config;
}

}  // namespace framewall::config
