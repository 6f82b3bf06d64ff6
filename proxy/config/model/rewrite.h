// rewrite, set, return, if, break: a small program run by route/rewrite_program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/regex.h"
#include "proxy/config/directive.h"
#include "proxy/config/template.h"

namespace framewall::config {

struct LocationConfig;

// A regex with the variables that its named groups fill.
struct RegexUse {
  const Regex* regex = nullptr;  // owned by Config
  bool negated = false;
  std::vector<VariableSlot> capture_slots;  // in the order of regex->names()
};

struct Condition {
  enum class Kind : uint8_t {
    kVariable,   // if ($x)
    kEquals,     // =
    kNotEquals,  // !=
    kRegex,      // ~ ~* !~ !~*
    kFile,       // -f
    kDirectory,  // -d
    kExists,     // -e
    kExecutable  // -x
  };
  Kind kind = Kind::kVariable;
  bool negated = false;  // !-f and the like
  VariableSlot variable = kNoVariable;
  Template operand;  // the right side, or the path
  RegexUse regex;
};

struct RewriteInstruction {
  enum class Kind : uint8_t { kRewrite, kSet, kReturn, kIf, kBreak };
  enum class Flag : uint8_t { kNone, kLast, kBreak, kRedirect, kPermanent };
  Kind kind = Kind::kBreak;
  SourceLocation at;
  // kRewrite
  RegexUse regex;
  Template replacement;    // or return's text or URL, or set's value
  bool drop_args = false;  // the replacement ended in '?'
  bool redirects = false;  // it begins with http://, https:// or $scheme
  Flag flag = Flag::kNone;
  // kSet
  VariableSlot variable = kNoVariable;
  // kReturn
  int status = 0;
  bool has_text = false;
  // kIf: where it holds, `block` runs and, in a location, its settings are those of `location`.
  Condition condition;
  std::vector<RewriteInstruction> block;
  std::unique_ptr<LocationConfig> location;
};

using RewriteProgram = std::vector<RewriteInstruction>;

}  // namespace framewall::config
