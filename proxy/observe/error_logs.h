// error_log: the log of the main context and of every server and location that has its own.
#pragma once

#include <memory>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/model/http.h"

namespace framewall::observe {

// Opens one setting's targets (files, stderr, syslog).
Result<Log> OpenErrorLog(const std::vector<config::ErrorLogTarget>& targets);

// Sets LocationConfig::log throughout `config`; the logs live as long as what is returned.
std::vector<std::unique_ptr<Log>> OpenLocationErrorLogs(const config::Config& config,
                                                        bool test_only,
                                                        config::Diagnostics& diagnostics);

// Does any server or location write to the standard error? Then it must stay what it is.
bool AnyLogOnStandardError(const config::Config& config);

}  // namespace framewall::observe
