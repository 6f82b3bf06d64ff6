// access_log, log_format, error_log.
#include "proxy/base/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

void ApplyLogFormat(BuildContext& context, const Directive& directive) {
  auto& formats = context.config.http.log_formats;
  LogFormat format;
  format.name = directive.args[0];
  const auto same = [&](const LogFormat& other) { return other.name == format.name; };
  if (std::any_of(formats.begin(), formats.end(), same)) {
    context.Error(directive, fmt::format("duplicate \"log_format\" name \"{}\"", format.name));
    return;
  }
  size_t first_text = 1;
  if (const auto escape = AfterPrefix(directive.args[1], "escape=")) {
    first_text = 2;
    if (*escape == "json") {
      format.escape = LogEscape::kJson;
    } else if (*escape == "none") {
      format.escape = LogEscape::kNone;
    } else if (*escape != "default") {
      context.Error(directive,
                    fmt::format("unknown log format escaping \"{}\", default, json or none "
                                "was expected",
                                *escape));
      return;
    }
  }
  std::string text;
  for (size_t i = first_text; i < directive.args.size(); ++i) text += directive.args[i];
  auto value = ReadTemplate(context, directive, text);
  if (!value) return;
  format.format = std::move(*value);
  formats.push_back(std::move(format));
}

// What stands after the format. False: the error was reported.
bool ReadAccessLogOptions(BuildContext& context, const Directive& directive,
                          AccessLogTarget& target) {
  for (size_t i = 2; i < directive.args.size(); ++i) {
    const std::string& text = directive.args[i];
    if (const auto buffer = AfterPrefix(text, "buffer=")) {
      const auto size = ParseSize(*buffer);
      if (!size || *size == 0) {
        context.Error(directive, fmt::format("invalid buffer size \"{}\"", *buffer));
        return false;
      }
      target.buffer_size = *size;
    } else if (const auto flush = AfterPrefix(text, "flush=")) {
      const auto time = ParseTime(*flush);
      if (!time || time->count() == 0) {
        context.Error(directive, fmt::format("invalid flush time \"{}\"", *flush));
        return false;
      }
      target.flush = *time;
    } else if (text == "gzip" || text.starts_with("gzip=")) {
      const auto level = text == "gzip" ? std::optional<uint64_t>(1)
                                        : ParseUnsigned(std::string_view(text).substr(5));
      if (!level || *level < 1 || *level > 9) {
        context.Error(directive,
                      fmt::format("invalid compression level \"{}\", 1 to 9 was expected",
                                  std::string_view(text).substr(5)));
        return false;
      }
      target.gzip_level = static_cast<int>(*level);
      if (target.buffer_size == 0) target.buffer_size = 64 * 1024;
    } else if (const auto condition = AfterPrefix(text, "if=")) {
      auto value = ReadTemplate(context, directive, *condition);
      if (!value) return false;
      target.condition = std::move(*value);
    } else {
      ReportInvalidParameter(
          context, directive, text,
          "PATH [FORMAT [buffer=SIZE] [gzip[=LEVEL]] [flush=TIME] [if=CONDITION]]");
      return false;
    }
  }
  return true;
}

void ApplyAccessLog(BuildContext& context, const Directive& directive) {
  LogSettings& log = context.settings->log;
  if (context.first_in_block) log.access_log.clear();
  log.access_log_set = true;
  const std::string& path = directive.args[0];
  if (path == "off") {
    log.access_log.clear();
    if (directive.args.size() > 1) {
      ReportInvalidParameter(context, directive, directive.args[1], "nothing after \"off\"");
    }
    return;
  }
  AccessLogTarget target;
  target.at = directive.at;
  const bool is_syslog = path.starts_with("syslog:");
  auto where = ReadTemplate(context, directive, is_syslog ? path : context.config.FullPath(path));
  if (!where) return;
  target.path = std::move(*where);
  const std::string name = directive.args.size() > 1 ? directive.args[1] : "combined";
  const auto& formats = context.config.http.log_formats;
  const auto found = std::find_if(formats.begin(), formats.end(), [&](const LogFormat& format) {
    return EqualsIgnoreCase(format.name, name);
  });
  if (found == formats.end()) {
    context.Error(directive, fmt::format("unknown log format \"{}\"", name));
    return;
  }
  target.format = &*found;
  if (!ReadAccessLogOptions(context, directive, target)) return;
  if (target.flush.count() > 0 && target.buffer_size == 0) {
    context.Error(directive, fmt::format("no buffer is defined for access_log \"{}\"", path));
    return;
  }
  if (target.buffer_size > 0 && !target.path.constant()) {
    context.Error(directive, "buffered logs cannot have variables in name");
    return;
  }
  if (target.buffer_size > 0 && is_syslog) {
    context.Error(directive, "logs to syslog cannot be buffered");
    return;
  }
  log.access_log.push_back(std::move(target));
}

void ApplyErrorLog(BuildContext& context, const Directive& directive) {
  const std::string& path = directive.args[0];
  ErrorLogTarget target;
  target.at = directive.at;
  if (path.starts_with("memory:")) {
    context.Error(directive,
                  "error_log to \"memory:\" is not supported, a file, stderr or syslog:... "
                  "was expected");
    return;
  }
  target.path =
      path == "stderr" || path.starts_with("syslog:") ? path : context.config.FullPath(path);
  for (size_t i = 1; i < directive.args.size(); ++i) {
    LogLevel level = LogLevel::kError;
    if (directive.args[i].starts_with("debug_")) {
      level = LogLevel::kDebug;
    } else if (!ParseLogLevel(directive.args[i], &level)) {
      context.Error(directive, fmt::format("invalid log level \"{}\", debug, info, notice, warn, "
                                           "error, crit, alert or emerg was expected",
                                           directive.args[i]));
      return;
    }
    target.level = static_cast<int>(level);
  }
  auto& list =
      context.settings != nullptr ? context.settings->log.error_log : context.config.main.error_log;
  if (context.first_in_block) list.clear();
  list.push_back(std::move(target));
}

void ApplyLogMaskArguments(BuildContext& context, const Directive& directive) {
  LogSettings& log = context.settings->log;
  if (context.first_in_block) log.mask_arguments.clear();
  for (const std::string& name : directive.args) {
    if (name == "off") {
      if (directive.args.size() > 1) {
        ReportInvalidParameter(context, directive, name, "NAME ..., or \"off\" alone");
      }
      log.mask_arguments.clear();
      return;
    }
    if (name.empty() || name.find_first_of("$&=?# ") != std::string::npos) {
      ReportInvalidParameter(context, directive, name,
                             "the name of a query argument, as in $arg_NAME");
      return;
    }
    log.mask_arguments.push_back(ToLower(name));
  }
}

void AddNew(const std::vector<std::string>& names, std::vector<std::string>& to) {
  for (const std::string& name : names) {
    if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
  }
}

void CollectFrom(const LocationConfig& location, std::vector<std::string>& names) {
  AddNew(location.settings.log.mask_arguments, names);
  AddNew(location.settings.log.secret_arguments, names);
  for (const auto& inner : location.locations) CollectFrom(*inner, names);
  for (const auto& step : location.rewrite) {
    if (step.location != nullptr) CollectFrom(*step.location, names);
  }
  if (location.limit_except != nullptr) CollectFrom(*location.limit_except, names);
}

constexpr DirectiveSpec kRows[] = {
    {.name = "log_format",
     .contexts = kHttp,
     .arity = {2, kMany},
     .apply = ApplyLogFormat,
     .repeatable = true,
     .doc = "NAME [escape=default|json|none] TEXT ...: a line of the access log"},
    List("access_log", kHttpServerLocation | kIfInLocation | kLimitExcept, {1, kMany},
         ApplyAccessLog,
         "off | PATH [FORMAT [buffer=SIZE] [gzip[=LEVEL]] [flush=TIME] [if=CONDITION]]"),
    List("error_log", kMain | kHttpServerLocation, {1, kMany}, ApplyErrorLog,
         "FILE | stderr | syslog:... [LEVEL]"),
    List("log_mask_arguments", kHttpServerLocation, {1, kMany}, ApplyLogMaskArguments,
         "NAME ... | off: framewall's own; query arguments whose values are *** in all logs of the "
         "server"),
    One("log_subrequest", kHttpServerLocation,
        Flag<&LocationSettings::log, &LogSettings::log_subrequest>,
        "on | off: subrequests in the access log"),
};

}  // namespace

void CollectMaskedArguments(Config& config) {
  std::vector<std::string>& all = config.http.masked_arguments;
  for (const auto& server : config.http.servers) {
    CollectFrom(server->root, server->masked_arguments);
    AddNew(server->masked_arguments, all);
  }
}

void MaskArgument(LocationSettings& settings, std::string_view name) {
  std::vector<std::string>& names = settings.log.secret_arguments;
  std::string lower = ToLower(name);
  if (std::find(names.begin(), names.end(), lower) == names.end()) {
    names.push_back(std::move(lower));
  }
}

std::span<const DirectiveSpec> LogDirectives() { return kRows; }

}  // namespace framewall::config
