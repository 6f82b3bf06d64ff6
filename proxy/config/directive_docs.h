// The directive table as pages for people: docs/directives.md and docs/nginx-compatibility.md.
#pragma once

#include <string>

namespace framewall::config {

std::string DirectivesPage();
std::string CompatibilityPage();

}  // namespace framewall::config
