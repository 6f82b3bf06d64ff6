// The OpenAPI 3.1 document of all routes of the program, joined from openapi/*.json, with the
// settings' numbers put in.
#pragma once

#include <string>

#include "backend/settings/settings.h"

namespace framewall::backend::api {

// `version` as /version tells it. The files are part of the program: a fault in them aborts.
std::string OpenApiText(const Settings& settings, std::string_view version);

}  // namespace framewall::backend::api
