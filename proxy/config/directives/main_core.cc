// The main context: processes, users, files, modules.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

void ApplyUser(BuildContext& context, const Directive& directive) {
  MainConfig& main = context.config.main;
  main.user_set = true;
  main.user = directive.args[0];
  main.group = directive.args.size() > 1 ? directive.args[1] : std::string();
  if (geteuid() != 0) {
    context.diagnostics.Warn(directive.at,
                             "the \"user\" directive makes sense only if the master process runs "
                             "with super-user privileges, ignored");
    return;
  }
  if (getpwnam(main.user.c_str()) == nullptr) {
    context.Error(directive, fmt::format("getpwnam(\"{}\") failed: no such user", main.user));
    return;
  }
  const std::string& group = main.group.empty() ? main.user : main.group;
  if (getgrnam(group.c_str()) == nullptr) {
    context.Error(directive,
                  fmt::format("getgrnam(\"{}\") failed: no such group; \"user NAME GROUP\" "
                              "names another",
                              group));
  }
}

void ApplyWorkerProcesses(BuildContext& context, const Directive& directive) {
  constexpr Range kRange{1, 1024};
  if (directive.args[0] == "auto") {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    context.config.main.worker_processes =
        static_cast<int>(std::clamp<long>(cores, 1, static_cast<long>(kRange.max)));
    return;
  }
  if (auto count = ReadNumber(context, directive, directive.args[0], kRange)) {
    context.config.main.worker_processes = static_cast<int>(*count);
  }
}

void ApplyWorkerPriority(BuildContext& context, const Directive& directive) {
  std::string_view text = directive.args[0];
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const auto value = ParseUnsigned(text);
  if (!value || *value > 20) {
    context.Error(directive,
                  fmt::format("\"worker_priority\" directive invalid number \"{}\", -20 to "
                              "20 was expected",
                              directive.args[0]));
    return;
  }
  context.config.main.worker_priority = static_cast<int>(*value) * (is_negative ? -1 : 1);
}

void ApplyEnv(BuildContext& context, const Directive& directive) {
  context.config.main.env.push_back(directive.args[0]);
}

// Debian loads the connector, geoip2 and NDK by files in modules-enabled; what they do is built in.
void ApplyLoadModule(BuildContext& context, const Directive& directive) {
  std::string_view file = directive.args[0];
  if (const size_t slash = file.rfind('/'); slash != std::string_view::npos) {
    file.remove_prefix(slash + 1);
  }
  if (file == "ngx_http_modsecurity_module.so" || file == "ndk_http_module.so" ||
      file == "ngx_http_geoip2_module.so") {
    return;
  }
  std::string_view name = file;
  if (name.ends_with(".so")) name.remove_suffix(3);
  context.Error(
      directive,
      fmt::format("module \"{}\" is not available; framewall has no dynamic modules", name));
}

constexpr DirectiveSpec kRows[] = {
    {.name = "daemon",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = Flag<&MainConfig::daemon>,
     .doc = "on | off: run in the background; on unless set"},
    {.name = "master_process",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = Flag<&MainConfig::master_process>,
     .doc = "on | off: off serves in one process, for development; on unless set"},
    {.name = "user",
     .contexts = kMain,
     .arity = {1, 2},
     .apply = ApplyUser,
     .doc = "USER [GROUP]: whom the workers run as"},
    {.name = "worker_processes",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = ApplyWorkerProcesses,
     .doc = "NUMBER | auto: how many workers; auto is one for each core"},
    {.name = "pid",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = PrefixPath<&MainConfig::pid_path>,
     .doc = "FILE: where the master writes its process id"},
    {.name = "worker_rlimit_nofile",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = Number<&MainConfig::worker_rlimit_nofile>,
     .doc = "NUMBER: open descriptors a worker may have"},
    {.name = "worker_rlimit_core",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = Size<&MainConfig::worker_rlimit_core>,
     .doc = "SIZE: of a worker's core file"},
    {.name = "worker_shutdown_timeout",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = Time<&MainConfig::worker_shutdown_timeout>,
     .doc =
         "TIME: how long a worker that was told to quit waits for its connections; no limit unless "
         "set"},
    {.name = "worker_old_generations",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = NumberIn<Range{1, 1000}, &MainConfig::worker_old_generations>,
     .doc = "NUMBER: framewall's own; how many generations of draining workers are kept after "
            "reloads; 8 unless set"},
    {.name = "worker_priority",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = ApplyWorkerPriority,
     .doc = "NUMBER: nice value of the workers, -20 to 20"},
    {.name = "working_directory",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = Text<&MainConfig::working_directory>,
     .doc = "DIRECTORY: of the workers, where core files go"},
    {.name = "env",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = ApplyEnv,
     .repeatable = true,
     .doc = "NAME[=VALUE]: environment that is kept; all else but TZ is dropped"},
    {.name = "load_module",
     .contexts = kMain,
     .arity = {1, 1},
     .apply = ApplyLoadModule,
     .repeatable = true,
     .doc = "FILE: the ModSecurity connector and NDK are built in; any other is refused"},
};

}  // namespace

std::span<const DirectiveSpec> MainCoreDirectives() { return kRows; }

}  // namespace framewall::config
