// syslog:server=…,facility=…,tag=…,severity=…,nohostname over UDP or a Unix datagram socket (RFC
// 3164).
#pragma once

#include <memory>
#include <string_view>

#include "proxy/base/log.h"
#include "proxy/base/result.h"

namespace framewall::observe {

// `target` begins with "syslog:". Lines lost to a full socket or a dead server are counted, never
// waited for. As a LogSink for error_log, and for access_log with its own severity.
Result<std::shared_ptr<LogSink>> OpenSyslog(std::string_view target);

}  // namespace framewall::observe
