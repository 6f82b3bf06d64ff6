// Secrets out of a body, as mask_text.h says: by its type and by what it looks like.
#pragma once

#include <string>
#include <string_view>

#include "waf/mask_text.h"

namespace framewall::waf {

// `known`: secrets of the same transaction; they are looked for by value where the body is neither
// JSON nor a form nor multipart. `content_type` may be empty.
bool MaskBody(const MaskContext& context, std::string_view content_type, std::string_view body,
              const SecretValues* known, std::string* out);

}  // namespace framewall::waf
