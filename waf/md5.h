// MD5, for the checksum that index lines of concurrent audit logs carry. Not
// for anything that needs a secure hash.
#pragma once

#include <string>
#include <string_view>

namespace framewall::waf {

std::string Md5Hex(std::string_view data);

}  // namespace framewall::waf
