// Cuts the text of rules into statements where libmodsecurity 3.0.9 would, and
// says where it would read on past what its author meant: an unclosed quote, a
// comment that takes the next directive with it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "waf/rule_words.h"

namespace framewall::waf {

// Views show bytes of the text given to the reader.
struct RuleWord {
  std::string_view text;  // without the quotes around it
  int line = 0;
  bool quoted = false;  // by "
};

// "id:1", "t:none", "setvar:'tx.a=1'", "deny".
struct RuleAction {
  std::string_view name;
  std::string_view value;  // behind the first ':', without the quotes around it
  int line = 0;
  bool has_value = false;  // a ':' was there
  bool quoted = false;     // by '
  bool last = false;       // the closing quote of the list follows at once
};

struct RuleStatement {
  std::string_view name;
  // Null where the library knows no such directive; then `words` is empty.
  const DirectiveWord* directive = nullptr;
  int line = 0;
  bool tab = false;  // between the name and what follows
  // In the order of the directive's form, without the actions. A statement that
  // was cut short by a fault has fewer words than its form.
  std::vector<RuleWord> words;
  std::vector<RuleAction> actions;
  bool has_actions = false;
  bool faulty = false;
};

struct RuleFault {
  int line = 0;
  std::string message;
};

class RuleReader {
 public:
  // `text` outlives the reader and its statements.
  RuleReader(std::string_view text, int first_line) : text_(text), line_(first_line) {}

  // The next statement, or false at the end. After a fault the statement is
  // `faulty`, and reading goes on with the next line that is no continuation.
  bool Next(RuleStatement* statement, std::vector<RuleFault>* faults);

 private:
  char At(std::size_t offset = 0) const {
    return position_ + offset < text_.size() ? text_[position_ + offset] : '\0';
  }
  bool AtEnd() const { return position_ >= text_.size(); }
  bool AtLineEnd() const { return AtEnd() || At() == '\n' || (At() == '\r' && At(1) == '\n'); }
  std::size_t ContinuationHere() const;
  void Step(std::size_t count = 1);
  void SkipBlank();
  void SkipBlankToQuote();
  void SkipLine();
  void SkipComment();
  void SkipCommentLines(bool after_blank_line);

  std::string Found() const;
  void Fault(int line, std::string message);
  bool TakeName();
  bool TakeQuoted(std::string_view what, std::size_t token, char quote, bool may_continue,
                  std::string_view* text);
  void TakeUnquoted(std::string_view* text);
  bool TakeWord(std::string_view what);
  bool TakeOperator();
  void TakeRule();
  void TakeActionList();
  bool TakeAction();
  bool TakeActionValue(RuleAction* action);
  void TakeOther();

  std::string_view text_;
  std::size_t position_ = 0;
  int line_;
  RuleStatement* statement_ = nullptr;
  std::vector<RuleFault>* faults_ = nullptr;
};

}  // namespace framewall::waf
