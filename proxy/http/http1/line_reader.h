// One line of a head or a trailer section, read in place. Everything here is without state: the
// caller keeps the bytes and comes again with more of them.
#pragma once

#include <string_view>

namespace framewall::http {

// The first control octet (below 0x20 or 0x7f) but HTAB in [p, end); `end` where there is none.
const char* FindControl(const char* p, const char* end);
// The first control octet or space in [p, end); `end` where there is none.
const char* FindControlOrSpace(const char* p, const char* end);

enum class LineOutcome {
  kMore,     // the line does not end within the bytes; nothing wrong so far
  kLine,     // a line was read
  kEmpty,    // the empty line that ends the section
  kInvalid,  // refused
};

struct FieldLine {
  std::string_view name;
  std::string_view value;  // without white space around it
  // The name consists of letters, digits and '-' only ...
  bool plain_name = true;
  // ... or of these and '_' ...
  bool has_underscore = false;
  // ... or holds another tchar, or octets that are none.
  bool has_odd_token_char = false;
  bool is_token = true;
  bool bare_lf = false;  // the line ended with LF alone
};

// Reads "name: value" CRLF (or LF). Refused: an empty name, white space or a control octet in the
// name or before the colon, a continuation line, a line without colon, control octets in the
// value, CR without LF. `*next` is behind the line, or at the octet that was refused.
LineOutcome ReadFieldLine(const char* p, const char* end, FieldLine* line, const char** next);

// Reads CRLF or LF at `p`: kLine, kMore or kInvalid.
LineOutcome ReadLineEnd(const char* p, const char* end, const char** next);

}  // namespace framewall::http
