#include "proxy/observe/log_format.h"

#include <string_view>

#include "proxy/base/encoding.h"

namespace framewall::observe {
namespace {

// Keeps the values of masked arguments out of one line.
class LineMask {
 public:
  explicit LineMask(const exchange::Exchange& exchange)
      : exchange_(exchange), own_(exchange.access_mask()), all_(exchange.error_mask()) {
    if (!all_.empty()) secrets_ = exchange.secret_values(own_.empty() ? all_ : own_);
  }

  // What the line shows of a variable's value; `slot` is kNoVariable for a capture. Valid until the
  // next call.
  std::string_view Shown(config::VariableSlot slot, std::string_view value) {
    if (all_.empty() || value.empty()) return value;
    text_.clear();
    std::string_view name;
    if (slot != config::kNoVariable) {
      name = exchange_.config.variables.names()[static_cast<size_t>(slot)].name;
    }
    if (name.starts_with("arg_") && own_.Names(name.substr(4))) return kMasked;
    const bool masked = name == "request"       ? own_.MaskRequestLine(value, text_)
                        : name == "request_uri" ? own_.MaskUrl(value, text_)
                        : name == "args" || name == "query_string" ? own_.MaskQuery(value, text_)
                        : name == "http_referer"                   ? all_.MaskUrl(value, text_)
                                                                   : MaskOther(value);
    return masked ? std::string_view(text_) : value;
  }

 private:
  // A copy of one of those, or a field that quotes them.
  bool MaskOther(std::string_view value) {
    by_value_.clear();
    const bool found = secrets_.Replace(value, by_value_);
    if (own_.MaskText(found ? by_value_ : value, text_)) return true;
    if (found) text_ = by_value_;
    return found;
  }

  const exchange::Exchange& exchange_;
  ArgumentMask own_;
  ArgumentMask all_;
  SecretValues secrets_;
  std::string text_;
  std::string by_value_;
};

}  // namespace

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
  LineMask mask(exchange);
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
    if (value.has_value()) {
      value = mask.Shown(part.capture >= 0 ? config::kNoVariable : part.variable, *value);
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
