// Secrets out of JSON, as mask_text.h says. Not a parser but a reader of its strings and brackets:
// several values, lines of JSON, digits before them (Socket.IO) and text that ends too early are
// read as far as they go, and what is no JSON is left as it is.
#pragma once

#include <string>
#include <string_view>

#include "waf/mask_text.h"

namespace framewall::waf {

// By its beginning: an object or an array, digits and a namespace of Socket.IO before it, or a
// string.
bool LooksLikeJson(std::string_view text);

// All scalars under a secret key, at any depth; JSON, forms and base64 of them inside other
// strings.
bool MaskJson(const MaskContext& context, std::string_view text, std::string* out);

}  // namespace framewall::waf
