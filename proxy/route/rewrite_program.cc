#include "proxy/route/rewrite_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "proxy/base/encoding.h"
#include "proxy/base/text.h"

namespace framewall::route {
namespace {

using config::Condition;
using config::RewriteInstruction;
using exchange::Exchange;
using Kind = RewriteOutcome::Kind;

// A replacement, with where its own query begins (npos: none).
struct Expanded {
  std::string text;
  size_t args_start = std::string::npos;
};

// Captures are escaped as query text inside the query, and everywhere where `quote` is set, if the
// request's URI had escapes: what nginx decoded must not appear decoded in a redirect or argument.
Expanded ExpandReplacement(Exchange& exchange, const config::Template& replacement, bool quote) {
  Expanded out;
  const bool had_escapes = exchange.uri_had_escapes;
  for (const config::TemplatePart& part : replacement.parts) {
    if (part.capture >= 0) {
      const std::string_view capture = exchange.Capture(part.capture);
      if (had_escapes && (quote || out.args_start != std::string::npos)) {
        AppendPercentEncoded(out.text, capture, UriEscape::kArgs);
      } else {
        out.text += capture;
      }
    } else if (part.variable != config::kNoVariable) {
      out.text += exchange.Get(part.variable).value_or(std::string_view());
    } else {
      if (out.args_start == std::string::npos) {
        const size_t mark = part.literal.find('?');
        if (mark != std::string::npos) out.args_start = out.text.size() + mark + 1;
      }
      out.text += part.literal;
    }
  }
  return out;
}

// Location of a redirect: what was escaped only for safety is shown plain again, up to the query.
std::string UnescapeRedirect(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '?') {
      out += text.substr(i);
      break;
    }
    if (text[i] == '%' && i + 2 < text.size() && IsHexDigit(text[i + 1]) &&
        IsHexDigit(text[i + 2])) {
      const int value = HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]);
      if (value > '%' && value < 0x7f) {
        out += static_cast<char>(value);
      } else {
        out += text.substr(i, 3);
      }
      i += 2;
      // Behind a '?' that was escaped begins a query like any other.
      if (value == '?') {
        out += text.substr(i + 1);
        break;
      }
      continue;
    }
    out += text[i];
  }
  return out;
}

bool FileTest(Exchange& exchange, const Condition& condition) {
  const std::string path = exchange.config.FullPath(exchange.Expand(condition.operand));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  switch (condition.kind) {
    case Condition::Kind::kFile:
      return S_ISREG(info.st_mode);
    case Condition::Kind::kDirectory:
      return S_ISDIR(info.st_mode);
    case Condition::Kind::kExecutable:
      return (info.st_mode & S_IXUSR) != 0;
    default:
      return true;
  }
}

bool Holds(Exchange& exchange, const Condition& condition) {
  const auto value = [&] { return exchange.Get(condition.variable).value_or(std::string_view()); };
  switch (condition.kind) {
    case Condition::Kind::kVariable: {
      const std::string_view text = value();
      return (!text.empty() && text != "0") != condition.negated;
    }
    case Condition::Kind::kEquals:
      return value() == exchange.Expand(condition.operand);
    case Condition::Kind::kNotEquals:
      return value() != exchange.Expand(condition.operand);
    case Condition::Kind::kRegex:
      return exchange.MatchRegex(condition.regex, value()) != condition.regex.negated;
    case Condition::Kind::kFile:
    case Condition::Kind::kDirectory:
    case Condition::Kind::kExists:
    case Condition::Kind::kExecutable:
      return FileTest(exchange, condition) != condition.negated;
  }
  return false;
}

void LogNotice(Exchange& exchange, const std::string& text) {
  exchange.LogError(LogLevel::kNotice, text);
}

// Adds the request's own query to a rewritten one, as nginx does unless it ended in '?'.
std::string_view JoinArgs(Exchange& exchange, std::string_view own) {
  if (exchange.args.empty()) return exchange.arena.Copy(own);
  std::string joined(own);
  joined += '&';
  joined += exchange.args;
  return exchange.arena.Copy(joined);
}

enum class Step { kNext, kStop };

class Runner {
 public:
  explicit Runner(Exchange& exchange) : exchange_(exchange) {}

  Step Run(const config::RewriteProgram& program) {
    for (const RewriteInstruction& instruction : program) {
      if (RunOne(instruction) == Step::kStop) return Step::kStop;
    }
    return Step::kNext;
  }
  const RewriteOutcome& outcome() const { return outcome_; }

 private:
  Step RunOne(const RewriteInstruction& instruction) {
    switch (instruction.kind) {
      case RewriteInstruction::Kind::kBreak:
        if (exchange_.uri_changed) exchange_.valid_location = false;
        exchange_.uri_changed = false;
        return Step::kStop;
      case RewriteInstruction::Kind::kSet: {
        const Expanded value = ExpandReplacement(exchange_, instruction.replacement, true);
        exchange_.Set(instruction.variable, value.text);
        return Step::kNext;
      }
      case RewriteInstruction::Kind::kReturn:
        return Return(instruction);
      case RewriteInstruction::Kind::kRewrite:
        return Rewrite(instruction);
      case RewriteInstruction::Kind::kIf:
        if (!Holds(exchange_, instruction.condition)) return Step::kNext;
        if (instruction.location != nullptr) {
          // The handler of an earlier `if` with settings of a later one that has none: nobody can
          // mean that, and nginx answers 500 too.
          using config::ContentKind;
          if (exchange_.location->match == config::LocationConfig::Match::kIf &&
              exchange_.location->content == ContentKind::kProxy &&
              instruction.location->content == ContentKind::kStatic) {
            exchange_.LogError(LogLevel::kAlert, "no upstream configuration");
            outcome_.kind = Kind::kRespond;
            outcome_.status = 500;
            return Step::kStop;
          }
          exchange_.location = instruction.location.get();
        }
        return Run(instruction.block);
    }
    return Step::kNext;
  }

  Step Return(const RewriteInstruction& instruction) {
    outcome_.status = instruction.status;
    const bool is_redirect = instruction.status == 301 || instruction.status == 302 ||
                             instruction.status == 303 || instruction.status == 307 ||
                             instruction.status == 308;
    if (!instruction.has_text) {
      outcome_.kind = Kind::kRespond;
    } else if (is_redirect) {
      outcome_.kind = Kind::kRedirect;
      outcome_.text = exchange_.Expand(instruction.replacement);
    } else {
      outcome_.kind = Kind::kText;
      outcome_.text = exchange_.Expand(instruction.replacement);
    }
    return Step::kStop;
  }

  Step Rewrite(const RewriteInstruction& instruction) {
    using Flag = RewriteInstruction::Flag;
    const bool log = exchange_.settings().rewrite_log;
    if (!exchange_.MatchRegex(instruction.regex, exchange_.uri)) {
      if (log) {
        LogNotice(exchange_, "\"" + instruction.regex.regex->pattern() + "\" does not match \"" +
                                 std::string(exchange_.uri) + "\"");
      }
      return Step::kNext;
    }
    if (log) {
      LogNotice(exchange_, "\"" + instruction.regex.regex->pattern() + "\" matches \"" +
                               std::string(exchange_.uri) + "\"");
    }
    Expanded target = ExpandReplacement(exchange_, instruction.replacement, instruction.redirects);
    if (instruction.redirects) return Redirect(instruction, target, log);

    exchange_.internal = true;
    exchange_.valid_unparsed_uri = false;
    exchange_.uri_changed = instruction.flag != Flag::kBreak;
    if (instruction.flag == Flag::kBreak) exchange_.valid_location = false;
    const std::string_view text = target.text;
    std::string_view path = text;
    if (target.args_start != std::string::npos) {
      path = text.substr(0, target.args_start - 1);
      const std::string_view own = text.substr(target.args_start);
      exchange_.args = instruction.drop_args ? exchange_.arena.Copy(own) : JoinArgs(exchange_, own);
    } else if (instruction.drop_args) {
      exchange_.args = {};
    }
    if (log) {
      LogNotice(exchange_, "rewritten data: \"" + std::string(path) + "\", args: \"" +
                               std::string(exchange_.args) + "\"");
    }
    exchange_.uri = exchange_.arena.Copy(path);
    if (exchange_.uri.empty()) {
      exchange_.LogError(LogLevel::kError, "the rewritten URI has a zero length");
      outcome_ = {Kind::kRespond, 500, {}};
      return Step::kStop;
    }
    return instruction.flag == Flag::kLast || instruction.flag == Flag::kBreak ? Step::kStop
                                                                               : Step::kNext;
  }

  Step Redirect(const RewriteInstruction& instruction, const Expanded& target, bool log) {
    std::string location = UnescapeRedirect(target.text);
    if (!instruction.drop_args && !exchange_.args.empty()) {
      location += target.args_start != std::string::npos ? '&' : '?';
      location += exchange_.args;
    }
    if (log) LogNotice(exchange_, "rewritten redirect: \"" + location + "\"");
    outcome_.kind = Kind::kRedirect;
    outcome_.status = instruction.flag == RewriteInstruction::Flag::kPermanent ? 301 : 302;
    outcome_.text = exchange_.arena.Copy(location);
    return Step::kStop;
  }

  Exchange& exchange_;
  RewriteOutcome outcome_;
};

}  // namespace

RewriteOutcome RunRewrite(Exchange& exchange, const config::RewriteProgram& program) {
  Runner runner(exchange);
  runner.Run(program);
  return runner.outcome();
}

}  // namespace framewall::route
