// The first line of a message (RFC 9112 3 and 4), read in place.
#pragma once

#include <string_view>

#include "proxy/http/codec.h"
#include "proxy/http/http1/line_reader.h"
#include "proxy/http/message.h"

namespace framewall::http {

// Reads "METHOD target HTTP/1.x" CRLF (or LF) into `head` (method, target, line, version); the
// views point into the bytes. One space between the parts, any token as method, any octet above
// space in the target. For kInvalid `*error` says which answer and why, and `*next` where.
LineOutcome ReadRequestLine(const char* p, const char* end, RequestHead* head, const char** next,
                            MessageError* error);

// Reads "HTTP/1.x NNN[ reason]" CRLF (or LF).
LineOutcome ReadStatusLine(const char* p, const char* end, ResponseHead* head, const char** next);

}  // namespace framewall::http
