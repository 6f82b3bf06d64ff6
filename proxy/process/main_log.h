// The main error log through a master's life: on standard error in nginx's form while it starts,
// then in the files that the configuration names, with standard error redirected into the first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"

namespace framewall::process {

// A log of the main context that can still be turned back from: see Use.
struct MainLogTargets {
  Log log;
  // Where the standard error goes; null: it stays where it is (error_log stderr anywhere, syslog
  // alone).
  std::shared_ptr<FileLogSink> redirect;
  bool writes_to_stderr = false;  // error_log stderr: the console would say all twice
};

// "nginx: [emerg] text" on standard error, for warnings and worse.
std::shared_ptr<LogSink> ConsoleSink();

// Before a configuration is read: the console, and the file `path` (-e; empty: none). A file that
// cannot be opened is an [alert] on the console.
void StartMainLog(const std::string& path);

// Opens what `error_log` of the main context names; without any, `default_path` at level error.
Result<MainLogTargets> OpenMainLog(const config::Config& config, const std::string& default_path);

enum class Console { kKeep, kDrop };
// Makes it this process's log; while starting (kKeep), the console hears warnings too.
void UseMainLog(const MainLogTargets& targets, Console console);

// dup2 of the main log's file onto standard error; again after logs were reopened.
void RedirectStandardError(const MainLogTargets& targets);

// Every message of a configuration's reading, at [emerg] or [warn].
void LogDiagnostics(const config::Diagnostics& diagnostics);
// One error at [emerg], an errno in it as the message has it.
void LogError(LogLevel level, const Error& error);

}  // namespace framewall::process
