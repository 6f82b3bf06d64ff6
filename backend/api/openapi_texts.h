// The files of openapi/, as they were at the build.
#pragma once

#include <span>
#include <string_view>

namespace framewall::backend::api {

std::span<const std::string_view> OpenApiTexts();

}  // namespace framewall::backend::api
