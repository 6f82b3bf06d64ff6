// JSON Pointer (RFC 6901).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/json/document.h"

namespace framewall::json {

// Appends "/" and the token, "~" and "/" in it escaped.
void AppendPointerToken(std::string& pointer, std::string_view token);

// The tokens of "" or "/a/b~1c"; nothing where `pointer` is neither, or a "~" escapes nothing.
std::optional<std::vector<std::string>> ParsePointer(std::string_view pointer);

// Nothing where the document has no such value.
std::optional<Value> Resolve(Value root, const std::vector<std::string>& tokens);

// The line, from 1, on which the value's name (an element: the value) begins in `text`, the JSON
// text that `pointer` is about. As deep as it goes where the text has no such value.
int LineOf(std::string_view text, std::string_view pointer);

}  // namespace framewall::json
