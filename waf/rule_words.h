// The words of the rule language as libmodsecurity 3.0.9 reads it. It takes a
// word that begins like one of these for it ("SecRulee" for "SecRule"), so names
// are compared here, whole.
#pragma once

#include <string>
#include <string_view>

namespace framewall::waf {

// What follows the name of a directive.
enum class DirectiveForm {
  kRule,          // variables, an operator, actions
  kActions,       // actions
  kScript,        // a path, actions
  kUpdateTarget,  // whose, variables
  kUpdateAction,  // whose, actions
  kNothing,
  kFlag,     // a word: On, Off, ...
  kWord,     // a path or a short text
  kNumber,   // a decimal number
  kMode,     // the permissions of a file, in octal
  kIds,      // numbers and ranges of ids
  kPattern,  // a regular expression up to the end of the line
  kText,     // anything up to the end of the line
  kWords,    // two or more of them
  kOff,      // Off; libmodsecurity cannot do more
  kMissing,  // libmodsecurity does not have it
};

// What follows the name of an operator.
enum class OperatorForm {
  kNothing,
  kText,     // macros are expanded at each use
  kFixed,    // read once at the start: macros are not expanded
  kPattern,  // a regular expression; macros as in kText
  kFixedPattern,
  kNumber,     // an integer; macros as in kText
  kByteRange,  // "10,13,32-255"
  kAddresses,  // "192.0.2.1,2001:db8::/32"
};

struct DirectiveWord {
  std::string_view name;
  DirectiveForm form = DirectiveForm::kWord;
};
struct OperatorWord {
  std::string_view name;
  OperatorForm form = OperatorForm::kText;
};

// Without regard to case.
bool EqualWords(std::string_view a, std::string_view b);

// Names are compared without case. Null where the library has no such word.
const DirectiveWord* FindDirective(std::string_view name);
const OperatorWord* FindOperator(std::string_view name);
bool IsVariable(std::string_view name);
bool IsTransformation(std::string_view name);
// Without what follows ':' or '='; "ctl" alone for all of ctl:.
bool IsAction(std::string_view name);
// The word behind "ctl:".
bool IsControl(std::string_view name);

// `, did you mean "SecRule"?`, or nothing where no known word is near.
std::string DirectiveHint(std::string_view name);
std::string OperatorHint(std::string_view name);
std::string VariableHint(std::string_view name);
std::string TransformationHint(std::string_view name);
std::string ActionHint(std::string_view name);
std::string ControlHint(std::string_view name);

}  // namespace framewall::waf
