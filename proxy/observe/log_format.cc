#include "proxy/observe/log_format.h"

#include <string_view>

#include "proxy/base/encoding.h"

namespace framewall::observe {

void AppendDefaultEscaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    out += "\\x";
    out += kHex[octet >> 4];
    out += kHex[octet & 0xf];
  }
}

void AppendLogLine(exchange::Exchange& exchange, const config::LogFormat& format,
                   std::string& line) {
  for (const config::TemplatePart& part : format.format.parts) {
    if (part.variable == config::kNoVariable && part.capture < 0) {
      line += part.literal;
      continue;
    }
    std::optional<std::string_view> value;
    if (part.capture >= 0) {
      value = exchange.Capture(part.capture);
    } else {
      value = exchange.Get(part.variable);
    }
    switch (format.escape) {
      case config::LogEscape::kDefault:
        if (!value.has_value()) {
          line += '-';
        } else {
          AppendDefaultEscaped(line, *value);
        }
        break;
      case config::LogEscape::kJson:
        if (value.has_value()) AppendJsonEscaped(line, *value);
        break;
      case config::LogEscape::kNone:
        if (value.has_value()) line += *value;
        break;
    }
  }
}

}  // namespace framewall::observe
