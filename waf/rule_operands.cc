#include "waf/rule_operands.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "waf/rule_pattern.h"

namespace framewall::waf {
namespace {

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// As std::stoi, but nothing may stand behind the number.
std::optional<int> WholeNumber(std::string_view text) {
  text = Trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class Visit>
void ForEachPiece(std::string_view list, Visit visit) {
  for (std::size_t start = 0;;) {
    const std::size_t comma = list.find(',', start);
    visit(list.substr(start, comma - start));
    if (comma == std::string_view::npos) return;
    start = comma + 1;
  }
}

// -- Variables ----------------------------------------------------------------

class VariableList {
 public:
  VariableList(const RuleWord& word, std::vector<RuleFault>* faults)
      : text_(word.text), line_(word.line), faults_(faults) {}

  // Returns whether anything is looked at.
  bool Check() {
    bool looks = false;
    for (;;) {
      bool excludes = false;
      if (text_.starts_with('!') || text_.starts_with('&')) {
        excludes = text_.front() == '!';
        text_.remove_prefix(1);
      }
      looks = looks || !excludes;
      if (!TakeVariable()) return true;
      if (text_.empty()) return looks;
      if (text_.front() != '|' && text_.front() != ',') {
        Fault("\"|\" was expected between variables, found " + Quoted(text_));
        return true;
      }
      text_.remove_prefix(1);
    }
  }

 private:
  void Fault(std::string message) { faults_->push_back({line_, std::move(message)}); }

  bool TakeVariable() {
    const auto end = static_cast<std::size_t>(
        std::find_if_not(text_.begin(), text_.end(), IsNameCharacter) - text_.begin());
    const std::string_view name = text_.substr(0, end);
    if (name.empty()) {
      Fault(text_.empty() ? "a variable was expected at the end of the list"
                          : "a variable was expected, found " + Quoted(text_));
      return false;
    }
    if (!IsVariable(name)) {
      Fault("variable " + Quoted(name) + " is not known" + VariableHint(name));
      return false;
    }
    text_.remove_prefix(end);
    if (text_.empty() || (text_.front() != ':' && text_.front() != '.')) return true;
    text_.remove_prefix(1);
    if (EqualWords(name, "XML")) {
      text_.remove_prefix(std::min(text_.find('|'), text_.size()));  // an XPath
      return true;
    }
    if (text_.starts_with("'/")) return TakeQuotedPattern();
    if (text_.starts_with('/')) return TakePattern();
    return TakeKey(name);
  }

  bool TakeKey(std::string_view name) {
    const std::string_view key = text_.substr(0, text_.find_first_of("|,"));
    if (key.empty()) {
      Fault("a key was expected behind " + Quoted(std::string(name) + ":"));
      return false;
    }
    if (key.front() == '\'') {
      Fault("the quotes in " + Quoted(key) + " would be part of the key");
      return false;
    }
    text_.remove_prefix(key.size());
    return true;
  }

  // ARGS:/^a/: up to the last slash before the next "|".
  bool TakePattern() {
    const std::string_view piece = text_.substr(0, text_.find('|'));
    if (piece.size() < 3 || piece.back() != '/') {
      Fault("the pattern " + Quoted(piece) +
            (piece.size() < text_.size()
                 ? " has no closing slash; with a \"|\" in it it needs single quotes: '/a|b/'"
                 : " has no closing slash, or something behind it"));
      return false;
    }
    if (piece.find("/,") != std::string_view::npos) {
      Fault("the pattern " + Quoted(piece) +
            " is read up to its last slash: variables with patterns are separated by \"|\"");
      return false;
    }
    text_.remove_prefix(piece.size());
    return CheckPattern(piece.substr(1, piece.size() - 2));
  }

  // ARGS:'/a|b/'
  bool TakeQuotedPattern() {
    const std::size_t end = text_.find("/'", 2);
    if (end == std::string_view::npos) {
      Fault("the pattern " + Quoted(text_) + " has no closing /'");
      return false;
    }
    const std::string_view pattern = text_.substr(2, end - 2);
    text_.remove_prefix(end + 2);
    if (text_.find("/'") != std::string_view::npos) {
      Fault(
          "libmodsecurity reads two patterns in single quotes as one: give each a rule of its "
          "own");
      return false;
    }
    return CheckPattern(pattern);
  }

  bool CheckPattern(std::string_view pattern) {
    if (pattern.find_first_of("= \t") != std::string_view::npos) {
      Fault("the pattern of a variable cannot have \"=\" or a space in it (" + Quoted(pattern) +
            "): write \\x3d or \\x20");
      return false;
    }
    const std::string fault = PatternFault(pattern);
    if (!fault.empty()) Fault("the pattern of a variable does not compile: " + fault);
    return fault.empty();
  }

  std::string_view text_;
  int line_;
  std::vector<RuleFault>* faults_;
};

// -- Operators ----------------------------------------------------------------

std::string ByteRangeFault(std::string_view list) {
  std::string fault;
  ForEachPiece(list, [&fault](std::string_view piece) {
    const std::size_t dash = piece.find('-');
    const auto first = WholeNumber(piece.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : WholeNumber(piece.substr(dash + 1));
    if (!first || !last || *first < 0 || *last > 255 || *first > *last) {
      fault = Quoted(Trim(piece)) + " is no byte and no range of bytes (0-255)";
    }
  });
  return fault;
}

bool IsNetwork(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const bool v6 = address.find(':') != std::string::npos;
  unsigned char bytes[16];
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes) != 1) return false;
  if (slash == std::string_view::npos) return true;
  const auto bits = WholeNumber(text.substr(slash + 1));
  return bits && *bits >= 0 && *bits <= (v6 ? 128 : 32);
}

std::string AddressFault(std::string_view list) {
  std::string fault;
  ForEachPiece(list, [&fault](std::string_view piece) {
    if (!IsNetwork(piece)) fault = Quoted(piece) + " is no address and no network";
  });
  return fault;
}

std::string NotCompiling(std::string_view pattern) {
  const std::string fault = PatternFault(pattern);
  return fault.empty() ? "" : "the pattern does not compile: " + fault;
}

std::string ParameterFault(OperatorForm form, std::string_view parameter) {
  const bool macro = HasMacro(parameter);
  switch (form) {
    case OperatorForm::kNothing:
    case OperatorForm::kText:
      return "";
    case OperatorForm::kPattern:
      return macro ? "" : NotCompiling(parameter);
    case OperatorForm::kNumber:
      if (macro || WholeNumber(parameter)) return "";
      return Quoted(parameter) + " is no whole number";
    default:
      break;
  }
  if (macro) return "the parameter is read once, at the start: macros are not expanded in it";
  if (form == OperatorForm::kFixedPattern) return NotCompiling(parameter);
  if (form == OperatorForm::kByteRange) return ByteRangeFault(parameter);
  if (form == OperatorForm::kAddresses) return AddressFault(parameter);
  return "";
}

std::string OperatorFault(const RuleWord& word) {
  std::string_view text = word.text;
  if (!word.quoted && text.starts_with('\'')) return "an operator is put in double quotes";
  if (text.starts_with('!')) text.remove_prefix(1);
  const std::string_view trimmed = Trim(text);
  if (trimmed.starts_with('@') && trimmed.data() == text.data() + 1) {
    return "the space before " + Quoted(trimmed) + " makes it plain text";
  }
  if (!trimmed.starts_with('@')) return ParameterFault(OperatorForm::kPattern, text);
  text.remove_prefix(static_cast<std::size_t>(trimmed.data() + 1 - text.data()));
  const std::string_view name = text.substr(
      0, static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), IsNameCharacter) -
                                  text.begin()));
  if (name.empty()) return ParameterFault(OperatorForm::kPattern, word.text);
  const OperatorWord* known = FindOperator(name);
  const std::string shown = "\"@" + std::string(name) + "\"";
  if (known == nullptr) return "operator " + shown + " is not known" + OperatorHint(name);
  text.remove_prefix(name.size());
  if (known->form == OperatorForm::kNothing) {
    return text.find_first_not_of(' ') == std::string_view::npos
               ? ""
               : shown + " takes no parameter, found " + Quoted(text);
  }
  if (text.empty() || text == " ") return shown + " needs a parameter";
  if (text.front() != ' ') {
    return "a space was expected behind " + shown + ", found " + Quoted(text);
  }
  const std::string fault = ParameterFault(known->form, text.substr(1));
  return fault.empty() ? "" : shown + ": " + fault;
}

}  // namespace

bool HasMacro(std::string_view text) {
  for (std::size_t at = text.find("%{"); at != std::string_view::npos;
       at = text.find("%{", at + 1)) {
    std::size_t slashes = 0;
    while (slashes < at && text[at - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0 || slashes == at) return true;
  }
  return false;
}

void CheckVariables(const RuleWord& word, bool must_look, std::vector<RuleFault>* faults) {
  if (!VariableList(word, faults).Check() && must_look) {
    faults->push_back({word.line, "the variables only exclude: the rule would look at nothing"});
  }
}

void CheckOperator(const RuleWord& word, std::vector<RuleFault>* faults) {
  std::string fault = OperatorFault(word);
  if (!fault.empty()) faults->push_back({word.line, std::move(fault)});
}

}  // namespace framewall::waf
