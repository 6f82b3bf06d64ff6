#include "proxy/config/lexer.h"

#include <fmt/format.h>

namespace framewall::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// \" \' \\ stand for the character, \t \r \n for the control; any other backslash stays, since
// regexes are full of them.
std::string Unescape(std::string_view raw) {
  std::string word;
  word.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      word.push_back(raw[i]);
      continue;
    }
    switch (raw[i + 1]) {
      case '"':
      case '\'':
      case '\\':
        word.push_back(raw[++i]);
        break;
      case 't':
        word.push_back('\t');
        ++i;
        break;
      case 'r':
        word.push_back('\r');
        ++i;
        break;
      case 'n':
        word.push_back('\n');
        ++i;
        break;
      default:
        word.push_back('\\');
    }
  }
  return word;
}

}  // namespace

Lexer::Lexer(std::string_view text, Origin origin) : text_(text), origin_(origin) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

Lexer::Statement Lexer::Fail(std::string error, int line) {
  failed_ = true;
  return Statement{Kind::kError, {}, line, std::move(error)};
}

Lexer::Statement Lexer::End(bool inside_statement) {
  if (!inside_statement) return Statement{Kind::kEnd, {}, line_, {}};
  if (origin_ == Origin::kCommandLine) {
    return Fail("unexpected end of parameter, expecting \";\"", line_);
  }
  return Fail("unexpected end of file, expecting \";\" or \"}\"", line_);
}

// States: between words; inside a bare word; inside a quoted word; behind the closing quote, where
// a blank, a terminator or ')' must follow.
Lexer::Statement Lexer::Next() {
  enum class State { kBetween, kBare, kQuoted, kAfterQuote };
  if (failed_) return Statement{Kind::kEnd, {}, line_, {}};
  State state = State::kBetween;
  Statement statement;
  char quote = 0;
  bool after_dollar = false;
  size_t start = 0;
  int start_line = line_;

  const auto terminate = [&](char c) {
    statement.kind = c == ';' ? Kind::kStatement : Kind::kBlockStart;
    statement.line = line_;
  };
  const auto take_word = [&](size_t end) {
    statement.words.push_back(Unescape(text_.substr(start, end - start)));
  };

  while (position_ < text_.size()) {
    const char c = text_[position_++];
    if (c == '\n') ++line_;

    if (state == State::kAfterQuote) {
      if (IsBlank(c)) {
        state = State::kBetween;
        continue;
      }
      if (c == ';' || c == '{') {
        terminate(c);
        return statement;
      }
      // `if ("$a" = "b")`: the parenthesis is a word of its own.
      if (c != ')') return Fail(fmt::format("unexpected \"{}\"", c), line_);
      state = State::kBetween;
    }

    if (state == State::kBetween) {
      if (IsBlank(c)) continue;
      start = position_ - 1;
      start_line = line_;
      after_dollar = false;
      switch (c) {
        case ';':
        case '{':
          if (statement.words.empty()) return Fail(fmt::format("unexpected \"{}\"", c), line_);
          terminate(c);
          return statement;
        case '}':
          if (!statement.words.empty()) return Fail("unexpected \"}\"", line_);
          statement.kind = Kind::kBlockEnd;
          statement.line = line_;
          return statement;
        case '#':
          while (position_ < text_.size() && text_[position_] != '\n') ++position_;
          continue;
        case '"':
        case '\'':
          quote = c;
          ++start;
          state = State::kQuoted;
          continue;
        case '\\':
          state = State::kBare;
          break;  // the next character is escaped, below
        case '$':
          after_dollar = true;
          state = State::kBare;
          continue;
        default:
          state = State::kBare;
          continue;
      }
    }

    // Inside a word.
    if (position_ - start > kMaxWord + 1) {
      if (state == State::kQuoted) {
        return Fail(
            fmt::format("too long parameter, probably missing terminating \"{}\" character", quote),
            start_line);
      }
      return Fail(fmt::format("too long parameter \"{}...\" started", text_.substr(start, 10)),
                  start_line);
    }
    if (c == '{' && after_dollar) continue;
    after_dollar = false;
    if (c == '\\') {
      if (position_ < text_.size() && text_[position_++] == '\n') ++line_;
      continue;
    }
    if (c == '$') {
      after_dollar = true;
      continue;
    }
    if (state == State::kQuoted) {
      if (c != quote) continue;
      take_word(position_ - 1);
      state = State::kAfterQuote;
      continue;
    }
    if (!IsBlank(c) && c != ';' && c != '{') continue;
    take_word(position_ - 1);
    state = State::kBetween;
    if (c == ';' || c == '{') {
      terminate(c);
      return statement;
    }
  }
  return End(!statement.words.empty() || state != State::kBetween);
}

Result<std::vector<std::string>> LexWords(std::string_view text) {
  // The terminator is ours: the text is read as the statement "_ TEXT\n;".
  std::string whole = "_ ";
  whole.append(text);
  whole.append("\n;");
  Lexer lexer(whole);
  Lexer::Statement statement = lexer.Next();
  if (statement.kind == Lexer::Kind::kError) return OperatorError(std::move(statement.error));
  if (statement.kind == Lexer::Kind::kBlockStart) return OperatorError("unexpected \"{\"");
  const Lexer::Statement rest = lexer.Next();
  if (statement.kind != Lexer::Kind::kStatement || rest.kind != Lexer::Kind::kEnd) {
    return OperatorError("unexpected \";\"");
  }
  statement.words.erase(statement.words.begin());
  return std::move(statement.words);
}

}  // namespace framewall::config
