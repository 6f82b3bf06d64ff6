#include "waf/mask_multipart.h"

#include <algorithm>

#include "waf/mask_body.h"

namespace framewall::waf {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t FindIgnoringCase(std::string_view text, std::string_view lower, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const auto found =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), lower.begin(),
                  lower.end(), [](char a, char b) { return Lower(a) == b; });
  return found == text.end() ? std::string_view::npos
                             : static_cast<std::size_t>(found - text.begin());
}

// The value of a parameter, quotes and escapes taken off; empty where it is not there.
std::string Parameter(std::string_view fields, std::string_view name) {
  for (std::size_t at = FindIgnoringCase(fields, name, 0); at != std::string_view::npos;
       at = FindIgnoringCase(fields, name, at + 1)) {
    // "filename=" is not "name=".
    if (at > 0 && std::string_view("; \t,\"\r\n").find(fields[at - 1]) == std::string_view::npos) {
      continue;
    }
    std::size_t value = at + name.size();
    if (value < fields.size() && fields[value] == '*') ++value;  // RFC 5987, discouraged here
    while (value < fields.size() && (fields[value] == ' ' || fields[value] == '\t')) ++value;
    if (value >= fields.size() || fields[value] != '=') continue;
    ++value;
    while (value < fields.size() && (fields[value] == ' ' || fields[value] == '\t')) ++value;
    std::string text;
    const char quote = value < fields.size() ? fields[value] : '\0';
    if (quote == '"' || quote == '\'') {
      for (++value; value < fields.size() && fields[value] != quote; ++value) {
        if (fields[value] == '\\' && value + 1 < fields.size()) ++value;
        text += fields[value];
      }
    } else {
      const std::size_t end = std::min(fields.find_first_of("; \t\r\n,", value), fields.size());
      text = fields.substr(value, end - value);
      // name*=utf-8''pass%77ord
      const std::size_t quotes = text.rfind('\'');
      if (quotes != std::string::npos) text.erase(0, quotes + 1);
    }
    return text;
  }
  return {};
}

// Where the content of a part ends: before the line end of the next boundary line.
std::size_t ContentEnd(std::string_view body, std::size_t from, std::string_view boundary) {
  std::size_t line = from;
  for (;;) {
    if (body.substr(line).starts_with(boundary)) {
      std::size_t end = line;
      if (end > from && body[end - 1] == '\n') --end;
      if (end > from && body[end - 1] == '\r') --end;
      return end;
    }
    line = body.find('\n', line);
    if (line == std::string_view::npos) return body.size();
    ++line;
  }
}

// Where the content of the part begins whose head begins at `from`.
std::size_t ContentStart(std::string_view body, std::size_t from, std::string_view boundary) {
  std::size_t line = from;
  while (line < body.size()) {
    const std::size_t end = std::min(body.find('\n', line), body.size());
    const std::string_view text = body.substr(line, end - line);
    if (text.empty() || text == "\r") return std::min(end + 1, body.size());
    if (text.starts_with(boundary)) return line;
    line = end + 1;
  }
  return body.size();
}

}  // namespace

bool MaskMultipart(const MaskContext& context, std::string_view content_type, std::string_view body,
                   std::string* out) {
  const std::string boundary = "--" + Parameter(content_type, "boundary");
  Rewriter rewriter(body, out);
  std::size_t at = ContentEnd(body, 0, boundary);
  while (at < body.size()) {
    while (at < body.size() && (body[at] == '\r' || body[at] == '\n')) ++at;
    const std::size_t head = std::min(body.find('\n', at), body.size() - 1) + 1;
    const std::size_t content = ContentStart(body, head, boundary);
    const std::size_t end = std::max(ContentEnd(body, content, boundary), content);
    const std::string_view fields = body.substr(head, content - head);
    const std::string_view value = body.substr(content, end - content);
    if (context.fields.Names(Parameter(fields, "name"))) {
      if (context.found != nullptr) context.found->Add(value);
      rewriter.Mask(content, end);
    } else if (!context.TooDeep()) {
      const std::size_t type = FindIgnoringCase(fields, "content-type:", 0);
      std::string_view inner_type;
      if (type != std::string_view::npos) {
        inner_type = fields.substr(type + 13);
        inner_type = inner_type.substr(0, inner_type.find('\n'));
      }
      std::string masked;
      if (MaskBody(context.Inside(), inner_type.empty() ? "text/plain" : inner_type, value, nullptr,
                   &masked)) {
        rewriter.Replace(content, end, masked);
      }
    }
    if (end <= at) break;
    at = end;
  }
  return rewriter.Finish();
}

}  // namespace framewall::waf
