// Secrets out of multipart/form-data (RFC 7578), as mask_text.h says. Lenient where rules are
// strict: what looks like a part named as a secret loses its content, up to the next line that
// looks like a boundary, or the end.
#pragma once

#include <string>
#include <string_view>

#include "waf/mask_text.h"

namespace framewall::waf {

// `content_type` names the boundary; where it does not, any line that begins with "--" is one.
bool MaskMultipart(const MaskContext& context, std::string_view content_type, std::string_view body,
                   std::string* out);

}  // namespace framewall::waf
