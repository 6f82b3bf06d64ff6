// framewall-backend: accounts, API, chat and models behind the gateway.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backend/backup.h"
#include "backend/probes.h"
#include "backend/program.h"
#include "backend/settings/load.h"
#include "backend/settings/rows.h"
#include "proxy/base/log.h"

namespace framewall::backend {
namespace {

constexpr char kHelpText[] =
    "framewall-backend [--config FILE] [--check | --backup DIR]\n"
    "\n"
    "  --config FILE   settings in YAML (else FRAMEWALL_BACKEND_CONFIG, else none)\n"
    "  --check         reads the settings, reports every error, and ends\n"
    "  --backup DIR    copies database and keys to a new directory, also while it serves;\n"
    "                  DIR as server.data_dir restores them\n"
    "  --settings      prints every setting with default and unit\n"
    "  --routes        opens the data (of none that serves) and prints what is offered\n"
    "  --version       prints version and build\n"
    "  --help          prints this\n"
    "\n"
    "Environment variables FRAMEWALL_BACKEND_SECTION_NAME win over the file, and\n"
    "FRAMEWALL_BACKEND_SECTION_NAME_FILE names a file that holds a value.\n"
    "TERM drains and ends; HUP and USR1 open the log file anew.\n";

enum class Task { kRun, kCheck, kBackup, kSettings, kRoutes, kVersion, kHelp, kWrong };

struct CommandLine {
  Task task = Task::kRun;
  std::string config;
  std::string backup;
  std::string wrong;
};

CommandLine ReadCommandLine(int argc, char** argv) {
  CommandLine line;
  if (const char* config = std::getenv("FRAMEWALL_BACKEND_CONFIG")) line.config = config;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--config" && i + 1 < argc) {
      line.config = argv[++i];
    } else if (word.starts_with("--config=")) {
      line.config = word.substr(9);
    } else if (word == "--backup" && i + 1 < argc) {
      line.task = Task::kBackup;
      line.backup = argv[++i];
    } else if (word.starts_with("--backup=")) {
      line.task = Task::kBackup;
      line.backup = word.substr(9);
    } else if (word == "--check") {
      line.task = Task::kCheck;
    } else if (word == "--settings") {
      line.task = Task::kSettings;
    } else if (word == "--routes") {
      line.task = Task::kRoutes;
    } else if (word == "--version") {
      line.task = Task::kVersion;
    } else if (word == "--help" || word == "-h") {
      line.task = Task::kHelp;
    } else {
      line.task = Task::kWrong;
      line.wrong = word;
      return line;
    }
  }
  return line;
}

Status SetUpLog(const Settings& settings) {
  LogLevel level = LogLevel::kNotice;
  ParseLogLevel(settings.log_level, &level);
  Log log;
  if (settings.log_file.empty()) {
    log.Add(FileLogSink::StandardError(), level);
  } else {
    FW_ASSIGN(auto sink, FileLogSink::Open(settings.log_file));
    log.Add(std::move(sink), level);
  }
  SetMainLog(std::move(log));
  return OkStatus();
}

int Run(const CommandLine& line) {
  const LoadedSettings loaded = LoadSettings(line.config, ProcessEnvironment());
  for (const std::string& warning : loaded.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  for (const std::string& error : loaded.errors) std::fprintf(stderr, "%s\n", error.c_str());
  if (!loaded.errors.empty()) {
    std::fprintf(stderr, "framewall-backend: %zu error(s) in the settings\n", loaded.errors.size());
    return 1;
  }
  if (line.task == Task::kCheck) {
    std::fprintf(stderr, "framewall-backend: the settings are good\n");
    return 0;
  }
  if (line.task == Task::kBackup) {
    const Result<std::string> made = MakeBackup(loaded.settings, line.backup);
    std::fprintf(made.ok() ? stdout : stderr, "framewall-backend: %s\n",
                 made.ok() ? made.value().c_str() : made.error().message.c_str());
    return made.ok() ? 0 : 1;
  }
  Status log = SetUpLog(loaded.settings);
  if (!log.ok()) {
    std::fprintf(stderr, "log.file: %s\n", log.error().message.c_str());
    return 1;
  }
  auto program = Program::Make(loaded.settings);
  if (!program.ok()) {
    MainLog().Write(LogLevel::kEmerg, program.error().message);
    return 1;
  }
  if (line.task == Task::kRoutes) {
    std::fputs((*program)->RouteTable().c_str(), stdout);
    return 0;
  }
  if (const Status listening = (*program)->Listen(); !listening.ok()) {
    MainLog().Write(LogLevel::kEmerg, listening.error().message);
    return 1;
  }
  (*program)->Run();
  return 0;
}

int Main(int argc, char** argv) {
  const CommandLine line = ReadCommandLine(argc, argv);
  switch (line.task) {
    case Task::kRun:
    case Task::kCheck:
    case Task::kBackup:
    case Task::kRoutes:
      return Run(line);
    case Task::kSettings:
      std::fputs(SettingsTable().c_str(), stdout);
      return 0;
    case Task::kVersion:
      std::printf("framewall-backend %s (%s)\n", std::string(VersionNumber()).c_str(),
                  std::string(BuildText()).c_str());
      return 0;
    case Task::kHelp:
      std::fputs(kHelpText, stdout);
      return 0;
    case Task::kWrong:
      std::fprintf(stderr, "framewall-backend: \"%s\" is not understood\n\n%s", line.wrong.c_str(),
                   kHelpText);
      return 2;
  }
  return 2;
}

}  // namespace
}  // namespace framewall::backend

int main(int argc, char** argv) { return framewall::backend::Main(argc, argv); }
