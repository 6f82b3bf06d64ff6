// log_format: a line of text with variables, escaped as the format says.
#pragma once

#include <string>

#include "proxy/config/model/core.h"
#include "proxy/exchange/exchange.h"

namespace framewall::observe {

// Appends the line without its end. Absent variables are "-" (default), empty (json, none). Values
// of masked arguments (log_mask_arguments) are ***; the variables themselves stay whole.
void AppendLogLine(exchange::Exchange& exchange, const config::LogFormat& format,
                   std::string& line);

// escape=default: '"', '\' and everything outside printable ASCII as \xHH.
void AppendDefaultEscaped(std::string& out, std::string_view text);

}  // namespace framewall::observe
