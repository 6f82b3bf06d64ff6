// nginx's built-in pages: "<html>…<center><h1>404 Not Found</h1></center>…".
#pragma once

#include <string>

#include "proxy/config/model/core.h"

namespace framewall::content {

// Empty for a status that has no page (201, 204, unknown codes).
std::string BuiltinPage(int status, config::ServerTokens tokens);
// The Server field: "nginx/1.22.1" or "nginx".
std::string_view ServerField(config::ServerTokens tokens);

}  // namespace framewall::content
