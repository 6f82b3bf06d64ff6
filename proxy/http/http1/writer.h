// Heads and chunks out, always made anew from what was understood.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace framewall::http {

// Each appends to `out`.

// "name: value" CRLF. CR, LF and NUL in the value become spaces (RFC 9110 5.5): a value may hold
// decoded client text, and must not end the line.
void AppendField(std::string_view name, std::string_view value, std::string& out);
void AppendNumberField(std::string_view name, uint64_t value, std::string& out);

// "HTTP/1.1 200 OK" CRLF; the reason of `head`, or the usual one.
void AppendStatusLine(const ResponseHead& head, std::string& out);
// "GET /a HTTP/1.1" CRLF. Spaces and control octets in the target are percent-encoded.
void AppendRequestLine(const RequestHead& head, std::string& out);

// "1f" CRLF
void AppendChunkSize(uint64_t size, std::string& out);
// "0" CRLF, the trailers (null: none), CRLF.
void AppendLastChunk(const HeaderMap* trailers, std::string& out);

// Connection, Keep-Alive, Transfer-Encoding and their like: written by the codec, never copied.
bool IsHopByHop(FieldId id);

}  // namespace framewall::http
