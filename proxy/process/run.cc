#include "proxy/process/run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "proxy/base/unique_fd.h"
#include "proxy/config/paths.h"
#include "proxy/exchange/variables.h"
#include "proxy/process/command_line.h"
#include "proxy/process/cycle.h"
#include "proxy/process/master.h"
#include "proxy/process/pid_file.h"
#include "proxy/process/process_title.h"
#include "proxy/process/signals.h"
#include "proxy/process/upgrade.h"
#include "proxy/process/version.h"
#include "proxy/server/worker_metrics.h"

namespace framewall::process {
namespace {

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void Say(const std::string& text) { WriteAll(STDERR_FILENO, "nginx: " + text + "\n"); }

// "/a/run" to "/a/run/", absolute.
std::string FolderPath(const std::string& path) {
  std::error_code ignored;
  std::string absolute = std::filesystem::absolute(path, ignored).string();
  if (absolute.empty() || absolute.back() != '/') absolute += '/';
  return absolute;
}

std::string Under(const std::string& prefix, const std::string& path) {
  return path.starts_with('/') ? path : prefix + path;
}

LaunchOptions OptionsFrom(const CommandLine& line) {
  LaunchOptions options;
  config::LoadOptions& load = options.load;
  load.prefix = FolderPath(line.prefix.value_or(std::string(config::kDefaultPrefix)));
  load.conf_path =
      Under(load.prefix, line.conf_path.value_or(std::string(config::kDefaultConfPath)));
  load.global_directives = line.global_directives;
  load.variables = &exchange::BuiltinCatalog();
  const std::string log = line.error_log.value_or(std::string(config::kDefaultErrorLog));
  if (log != "stderr" && !log.empty()) options.error_log = Under(load.prefix, log);
  load.error_log_path = options.error_log.empty() ? "stderr" : options.error_log;
  return options;
}

int Test(const CommandLine& line, const LaunchOptions& options) {
  const std::string& path = options.load.conf_path;
  const auto cycle = Cycle::Build(options, nullptr, nullptr, Cycle::Purpose::kTest);
  if (cycle == nullptr) {
    Say("configuration file " + path + " test failed");
    return 1;
  }
  if (!line.quiet) {
    Say("the configuration file " + path + " syntax is ok");
    Say("configuration file " + path + " test is successful");
  }
  if (line.dump) WriteAll(STDOUT_FILENO, config::Dump(cycle->config()));
  return 0;
}

int SendSignal(const CommandLine& line, const LaunchOptions& options) {
  config::Diagnostics diagnostics;
  const auto config = config::Load(options.load, diagnostics);
  LogDiagnostics(diagnostics);
  if (config == nullptr) return 1;
  MainLog().Write(LogLevel::kNotice, "signal process started");
  const auto pid = ReadPidFile(config->main.pid_path);
  if (!pid.ok()) {
    LogError(LogLevel::kError, pid.error());
    return 1;
  }
  const int number = SignalOfCommand(line.signal).value_or(SIGTERM);
  if (::kill(*pid, number) != 0) {
    MainLog().Write(LogLevel::kAlert,
                    "kill(" + std::to_string(*pid) + ", " + std::to_string(number) + ") failed",
                    nullptr, errno);
    return 1;
  }
  return 0;
}

// The parent is gone when this returns true.
bool Daemonize() {
  const pid_t pid = ::fork();
  if (pid < 0) {
    MainLog().Write(LogLevel::kEmerg, "fork() failed", nullptr, errno);
    return false;
  }
  // No destructors: the sockets are the child's.
  if (pid > 0) ::_exit(0);
  if (::setsid() < 0) {
    MainLog().Write(LogLevel::kEmerg, "setsid() failed", nullptr, errno);
    return false;
  }
  ::umask(022);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid() || ::dup2(null.get(), STDIN_FILENO) < 0 ||
      ::dup2(null.get(), STDOUT_FILENO) < 0) {
    MainLog().Write(LogLevel::kEmerg, "open(\"/dev/null\") failed", nullptr, errno);
    return false;
  }
  return true;
}

// Workers that live at a time, old generations included; who comes later shares a slot.
constexpr size_t kMetricsSlots = 256;

int Serve(LaunchOptions options) {
  auto registry = server::MakeRegistry(kMetricsSlots);
  if (!registry.ok()) {
    LogError(LogLevel::kEmerg, registry.error());
    return 1;
  }
  options.registry = registry->get();
  MasterStart start;
  start.parent = ::getppid();
  std::unique_ptr<ListenSockets> inherited;
  if (const char* variable = std::getenv(kInheritanceVariable); variable != nullptr) {
    inherited = ListenSockets::Inherit(variable);
    inherited->LeaveFiles(true);
    start.inherited = true;
    ::unsetenv(kInheritanceVariable);
  }
  std::unique_ptr<Cycle> cycle =
      Cycle::Build(options, nullptr, inherited.get(), Cycle::Purpose::kServe);
  if (cycle == nullptr) return 1;
  inherited.reset();

  // From here on a signal waits until somebody can serve it.
  BlockMasterSignals();
  start.daemonized = start.inherited;
  if (!start.inherited && cycle->main().daemon) {
    if (!Daemonize()) return 1;
    start.daemonized = true;
  }
  const std::string pid_path = cycle->main().pid_path;
  UseMainLog(cycle->log(), Console::kKeep);
  if (Status written = WritePidFile(pid_path, ::getpid()); !written.ok()) {
    LogError(LogLevel::kEmerg, written.error());
    return 1;
  }
  UseMainLog(cycle->log(), Console::kDrop);
  RedirectStandardError(cycle->log());
  MainLog().Write(LogLevel::kNotice,
                  std::string("framewall " FW_VERSION " (nginx/") + kNginxVersion + ")");

  if (cycle->main().master_process) {
    return Master(options, std::move(cycle), start).Run();
  }
  const int status = ServeInThisProcess(*cycle, **registry);
  ::unlink(pid_path.c_str());
  return status;
}

}  // namespace

int RunProgram(int argc, char** argv) {
  SaveArguments(argc, argv);
  const auto line = ParseCommandLine(argc, argv);
  if (!line.ok()) {
    Say(line.error().message);
    return 1;
  }
  if (line->show_version) {
    WriteAll(STDERR_FILENO, VersionText(*line));
    if (!line->test) return 0;
  }
  UpdateCachedNow();
  const LaunchOptions options = OptionsFrom(*line);
  StartMainLog(options.error_log);
  if (line->test) return Test(*line, options);
  if (!line->signal.empty()) return SendSignal(*line, options);
  return Serve(options);
}

}  // namespace framewall::process
