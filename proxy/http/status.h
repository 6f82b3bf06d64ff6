// Status codes and reason phrases.
#pragma once

#include <string_view>

namespace framewall::http {

// "Not Found"; empty for a code without a registered phrase.
std::string_view ReasonPhrase(int status);

// RFC 9110 6.4.1: 1xx, 204 and 304 have no content, whatever their fields say.
constexpr bool StatusForbidsBody(int status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace framewall::http
