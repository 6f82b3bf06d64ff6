#include "waf/rule_text.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace framewall::waf {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::string_view TrimRight(std::string_view text, std::string_view blanks = " \t") {
  const auto last = text.find_last_not_of(blanks);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// Is the character at `at` escaped, in a token that begins at `token`? For the
// library a backslash escapes only where another character stands before it.
bool IsEscaped(std::string_view text, std::size_t token, std::size_t at) {
  std::size_t slashes = 0;
  while (at - slashes > token && text[at - slashes - 1] == '\\') ++slashes;
  return slashes % 2 == 1 && at - slashes > token;
}

// Actions whose value goes on to the next comma or quote, whatever is in it.
bool TakesFreeText(std::string_view action) {
  static constexpr std::string_view kNames[] = {
      "accuracy", "expirevar", "initcol", "logdata", "maturity", "msg", "redirect", "rev",
      "setenv",   "setrsc",    "setsid",  "setuid",  "setvar",   "tag", "ver"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [action](std::string_view name) { return EqualWords(name, action); });
}

}  // namespace

// -- Moving -------------------------------------------------------------------

void RuleReader::Step(std::size_t count) {
  for (; count > 0 && !AtEnd(); --count) {
    if (text_[position_++] == '\n') ++line_;
  }
}

// The length of a backslash and the line end behind it, or 0.
std::size_t RuleReader::ContinuationHere() const {
  if (At() != '\\') return 0;
  if (At(1) == '\n') return 2;
  return At(1) == '\r' && At(2) == '\n' ? 3 : 0;
}

void RuleReader::SkipBlank() {
  for (;;) {
    if (IsBlank(At())) {
      Step();
    } else if (const std::size_t length = ContinuationHere()) {
      Step(length);
    } else {
      return;
    }
  }
}

// What belongs to a rule may stand on the next line without a backslash, if it
// begins with a quote.
void RuleReader::SkipBlankToQuote() {
  SkipBlank();
  if (!AtLineEnd()) return;
  const std::size_t next = text_.find_first_not_of(" \t\r\n", position_);
  if (next == std::string_view::npos || text_[next] != '"') return;
  const std::string_view between = text_.substr(position_, next - position_);
  if (std::count(between.begin(), between.end(), '\n') == 1) Step(next - position_);
}

void RuleReader::SkipLine() {
  while (!AtEnd()) {
    if (const std::size_t length = ContinuationHere()) {
      Step(length);
      continue;
    }
    const bool end = At() == '\n';
    Step();
    if (end) return;
  }
}

// The library lets a comment go on behind a backslash if it begins with SecRule
// or SecAction, and no other comment. Where it would take along what looks alive,
// that is a fault.
void RuleReader::SkipComment() {
  const std::size_t end = std::min(text_.find('\n', position_), text_.size());
  const std::size_t word = text_.find_first_not_of(" \t", position_ + 1);
  const std::string_view rest =
      word == std::string_view::npos ? std::string_view() : text_.substr(word);
  const bool rule = rest.starts_with("SecRule");
  if (!rule && !rest.starts_with("SecAction")) return Step(end - position_);

  const std::size_t after = word + std::string_view(rule ? "SecRule" : "SecAction").size();
  if (after == end && end < text_.size()) {
    // "# SecRule" and nothing else: up to a backslash in the next line.
    Step(end + 1 - position_);
    const std::string_view next = text_.substr(position_, text_.find('\n', position_) - position_);
    if (next.find('\\') != std::string_view::npos && !next.starts_with('#')) {
      Fault(line_, "libmodsecurity takes this line for a part of the comment above");
      SkipLine();
    }
    return;
  }
  const std::string_view line =
      TrimRight(text_.substr(0, end), rule ? std::string_view(" \t\r") : std::string_view(" \t"));
  if (line.size() < after + 2 || line.back() != '\\' || text_[after] == '\\') {
    return Step(end - position_);
  }
  Step(end + 1 - position_);
  bool after_blank_line = false;
  while (rule && !AtEnd() && (At() == '\n' || At() == '\r')) {
    after_blank_line = true;
    Step();
  }
  SkipCommentLines(after_blank_line);
}

void RuleReader::SkipCommentLines(bool after_blank_line) {
  for (bool more = true; more && !AtEnd();) {
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    std::string_view line = text_.substr(position_, end - position_);
    more = line.ends_with('\\') || line.ends_with("\\\r");
    const auto first = line.find_first_not_of(" \t\r");
    line = first == std::string_view::npos ? std::string_view() : line.substr(first);
    const std::string_view name = line.substr(
        0, static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), IsWordCharacter) -
                                    line.begin()));
    if (FindDirective(name) != nullptr ||
        (after_blank_line && !line.empty() && !line.starts_with('#'))) {
      Fault(line_, "the comment above ends with a backslash and takes this line along");
    }
    Step(end + 1 - position_);
  }
}

// -- Faults -------------------------------------------------------------------

// The next few characters of the line, for a message.
std::string RuleReader::Found() const {
  constexpr std::size_t kShown = 30;
  if (AtLineEnd()) return "the end of the line";
  std::string_view line = text_.substr(position_);
  line = TrimRight(line.substr(0, line.find('\n')), " \t\r");
  if (line.size() <= kShown) return "\"" + std::string(line) + "\"";
  return "\"" + std::string(line.substr(0, kShown)) + "...\"";
}

void RuleReader::Fault(int line, std::string message) {
  faults_->push_back({line, std::move(message)});
  if (statement_ != nullptr) statement_->faulty = true;
}

// -- Statements ---------------------------------------------------------------

bool RuleReader::Next(RuleStatement* statement, std::vector<RuleFault>* faults) {
  faults_ = faults;
  statement_ = nullptr;
  for (;;) {
    SkipBlank();
    if (AtEnd()) return false;
    if (At() == '#') {
      SkipComment();
    } else if (At() == '\n' || At() == '\r') {
      Step();
    } else {
      break;
    }
  }
  *statement = {};
  statement->line = line_;
  statement_ = statement;
  if (!TakeName()) {
    SkipLine();
    return true;
  }
  switch (statement->directive->form) {
    case DirectiveForm::kRule:
      TakeRule();
      break;
    case DirectiveForm::kScript:
    case DirectiveForm::kUpdateAction:
      if (!TakeWord(statement->name)) break;
      [[fallthrough]];
    case DirectiveForm::kActions:
      SkipBlankToQuote();
      if (At() == '"') {
        TakeActionList();
      } else {
        Fault(line_, "actions in double quotes were expected, found " + Found());
      }
      break;
    case DirectiveForm::kUpdateTarget:
      if (TakeWord(statement->name)) TakeWord("the variables");
      break;
    default:
      TakeOther();
      break;
  }
  if (statement->faulty) SkipLine();
  return true;
}

bool RuleReader::TakeName() {
  const std::size_t start = position_;
  while (IsWordCharacter(At())) Step();
  const std::string_view name = text_.substr(start, position_ - start);
  statement_->name = name;
  if (name.empty()) {
    if (text_.substr(position_).starts_with("\xef\xbb\xbf")) {
      Fault(line_, "the file begins with a byte order mark; save it without");
    } else {
      Fault(line_, "a directive was expected, found " + Found());
    }
    return false;
  }
  statement_->directive = FindDirective(name);
  if (statement_->directive == nullptr) {
    Fault(line_, "directive \"" + std::string(name) + "\" is not known" + DirectiveHint(name));
    return false;
  }
  if (!AtLineEnd() && !IsBlank(At()) && At() != '"' && ContinuationHere() == 0) {
    Fault(line_, "a space was expected behind \"" + std::string(name) + "\", found " + Found());
    return false;
  }
  const std::size_t blank = position_;
  SkipBlank();
  statement_->tab = text_.substr(blank, position_ - blank).find('\t') != std::string_view::npos;
  return true;
}

void RuleReader::TakeOther() {
  const DirectiveForm form = statement_->directive->form;
  const bool text = form == DirectiveForm::kText || form == DirectiveForm::kIds ||
                    form == DirectiveForm::kPattern;  // '#' is part of these
  for (;;) {
    SkipBlank();
    if (AtLineEnd()) return;
    if (At() == '#' && !text) return SkipComment();
    if (!TakeWord("a value")) return;
  }
}

// In double quotes on one line, or up to the next blank.
bool RuleReader::TakeWord(std::string_view what) {
  SkipBlank();
  RuleWord word;
  word.line = line_;
  word.quoted = At() == '"';
  if (AtLineEnd()) {
    Fault(line_, word.text.empty() && what == statement_->name
                     ? "\"" + std::string(what) + "\" needs a value"
                     : std::string(what) + " was expected, found the end of the line");
    return false;
  }
  if (word.quoted) {
    Step();
    if (!TakeQuoted(what, position_, '"', false, &word.text)) return false;
  } else {
    TakeUnquoted(&word.text);
  }
  statement_->words.push_back(word);
  return true;
}

void RuleReader::TakeUnquoted(std::string_view* text) {
  const std::size_t start = position_;
  while (!AtLineEnd() && !IsBlank(At()) && ContinuationHere() == 0) Step();
  *text = text_.substr(start, position_ - start);
}

// Up to `quote`, which is stepped over; a token of the library's begins at `token`.
bool RuleReader::TakeQuoted(std::string_view what, std::size_t token, char quote, bool may_continue,
                            std::string_view* text) {
  const std::size_t start = position_;
  const int line = line_;
  for (; !AtEnd(); Step()) {
    const char c = At();
    if (c == quote && !IsEscaped(text_, token, position_)) {
      if (position_ > token && text_[position_ - 1] == '\\' &&
          IsEscaped(text_, token - 1, position_)) {
        Fault(line, "libmodsecurity takes no \\" + std::string(1, quote) + " at the beginning of " +
                        std::string(what) + ", it ends there");
        return false;
      }
      *text = text_.substr(start, position_ - start);
      Step();
      return true;
    }
    if (c == '%' && At(1) == '{' && !IsEscaped(text_, token, position_)) {
      const std::size_t close = text_.find_first_of("}\n", position_);
      if (close != std::string_view::npos && text_[close] == '}') {
        Step(close - position_);
        token = position_ + 1;
      }
    }
    if (const std::size_t length = may_continue ? ContinuationHere() : 0) {
      Step(length - 1);
    } else if (At() == '\n') {
      break;
    }
  }
  Fault(line, std::string(what) + " has no closing " + (quote == '"' ? "double " : "single ") +
                  "quote on its line");
  return false;
}

// -- Rules --------------------------------------------------------------------

void RuleReader::TakeRule() {
  if (!TakeWord("a list of variables")) return;
  SkipBlankToQuote();
  if (!TakeOperator()) return;
  SkipBlankToQuote();
  if (At() == '"') {
    TakeActionList();
  } else if (!AtLineEnd()) {
    // One alone may do without quotes.
    const std::string found = Found();
    const int line = line_;
    statement_->has_actions = true;
    if (!TakeAction()) return;
    SkipBlank();
    if (!IsAction(statement_->actions.back().name) || (!AtLineEnd() && At() != '#')) {
      Fault(line, "actions in double quotes were expected, found " + found);
    }
  }
}

bool RuleReader::TakeOperator() {
  if (AtLineEnd()) {
    Fault(line_, "an operator was expected, found the end of the line");
    return false;
  }
  RuleWord word;
  word.line = line_;
  word.quoted = At() == '"';
  const std::size_t start = position_ + (word.quoted ? 1 : 0);
  // Where the parameter begins: behind "!@name ".
  std::size_t at = start;
  if (at < text_.size() && text_[at] == '!') ++at;
  std::size_t token = at;
  const OperatorWord* known = nullptr;
  if (at < text_.size() && text_[at] == '@') {
    const std::size_t name = ++at;
    while (at < text_.size() && IsWordCharacter(text_[at])) ++at;
    known = FindOperator(text_.substr(name, at - name));
    if (known != nullptr && at < text_.size() && text_[at] == ' ') token = at + 1;
  }
  if (word.quoted) {
    Step();
    if (!TakeQuoted("the operator", token, '"', false, &word.text)) return false;
    if (!AtLineEnd() && !IsBlank(At()) && At() != '"' && ContinuationHere() == 0) {
      Fault(line_, "a space was expected behind the operator, found " + Found());
      return false;
    }
  } else {
    TakeUnquoted(&word.text);
    if (known != nullptr && known->form != OperatorForm::kNothing && position_ + 1 == token) {
      Step();
      TakeUnquoted(&word.text);
      word.text = text_.substr(start, position_ - start);
    }
    if (AtLineEnd()) {
      Fault(word.line, "the operator " + std::string(word.text) + " needs double quotes around it");
      return false;
    }
  }
  statement_->words.push_back(word);
  return true;
}

void RuleReader::TakeActionList() {
  statement_->has_actions = true;
  const int line = line_;
  Step();
  for (bool first = true;; first = false) {
    SkipBlank();
    if (first && At() == '"') return Step();
    if (AtLineEnd()) return Fault(line, "the actions have no closing quote");
    if (!TakeAction()) return;
    SkipBlank();
    if (At() == '"') return Step();
    if (AtLineEnd()) return Fault(line, "the actions have no closing quote");
    if (At() != ',') {
      return Fault(line_, "a comma or the closing quote was expected behind \"" +
                              std::string(statement_->actions.back().name) + "\", found " +
                              Found());
    }
    Step();
  }
}

bool RuleReader::TakeAction() {
  RuleAction action;
  action.line = line_;
  const std::size_t start = position_;
  while (IsWordCharacter(At())) Step();
  action.name = text_.substr(start, position_ - start);
  if (action.name.empty()) {
    Fault(line_, "an action was expected, found " + Found());
    return false;
  }
  if (At() == ':') {
    action.has_value = true;
    Step();
    if (!TakeActionValue(&action)) return false;
    action.last = At() == '"';
  }
  statement_->actions.push_back(action);
  return true;
}

bool RuleReader::TakeActionValue(RuleAction* action) {
  const std::string name(action->name);
  const std::size_t start = position_;
  std::size_t token = position_;
  if (EqualWords(name, "initcol")) {
    while (IsWordCharacter(At())) Step();
    if (At() == '=') Step();
    token = position_;
  }
  if (At() == '\'') {
    action->quoted = true;
    Step();
    if (!TakeQuoted("\"" + name + "\"", position_, '\'', true, &action->value)) return false;
    if (action->value.empty()) {
      Fault(action->line, "\"" + name + "\" has no value");
      return false;
    }
    return true;
  }
  const bool free_text = TakesFreeText(name);
  while (!AtEnd() && At() != ',' && (At() != '"' || IsEscaped(text_, token, position_))) {
    if (AtLineEnd() || ContinuationHere() != 0) {
      if (!free_text) break;
      Fault(line_, "\"" + name + "\" goes on over the line break: put its value in single quotes");
      return false;
    }
    if (!free_text && IsBlank(At())) break;
    Step();
  }
  action->value = TrimRight(text_.substr(start, position_ - start));
  if (position_ == token) {
    Fault(action->line, "\"" + name + "\" has no value");
    return false;
  }
  return true;
}

}  // namespace framewall::waf
