// nginx's grammar of words: quotes, escapes, comments, `;`, `{` and `}`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace framewall::config {

// Cuts a whole text into statements. After kError or kEnd nothing follows.
// The lexer does not own the text.
class Lexer {
 public:
  // What the text is part of: only the wording of an end that comes too early differs.
  enum class Origin { kFile, kCommandLine };
  explicit Lexer(std::string_view text, Origin origin = Origin::kFile);

  enum class Kind {
    kStatement,   // words ended by ';'
    kBlockStart,  // words ended by '{'
    kBlockEnd,    // '}'
    kEnd,
    kError,
  };
  struct Statement {
    Kind kind = Kind::kEnd;
    std::vector<std::string> words;  // quotes and escapes are gone
    int line = 1;                    // of the terminator, as nginx counts
    std::string error;               // kError
  };
  Statement Next();

  // The longest word, as written, without its quotes; one octet more is an error.
  static constexpr size_t kMaxWord = 4095;

 private:
  Statement Fail(std::string error, int line);
  Statement End(bool inside_statement);

  std::string_view text_;
  Origin origin_;
  size_t position_ = 0;
  int line_ = 1;
  bool failed_ = false;
};

// The words of `text` alone: the arguments in a YAML scalar. An unquoted `;`, `{` or `}` that would
// end a statement is an error; `{` behind `$` belongs to its word.
Result<std::vector<std::string>> LexWords(std::string_view text);

}  // namespace framewall::config
