// A configuration's tree as nginx text and back: what both languages' targets check.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/lexer.h"
#include "proxy/config/nginx_reader.h"

namespace framewall::config {

// A word in quotes, so that the lexer gives it back. Only \ and " need care.
inline void AppendQuoted(const std::string& word, std::string& text) {
  text += '"';
  for (const char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  text += '"';
}

inline void Append(const std::vector<Directive>& tree, std::string& text) {
  for (const Directive& directive : tree) {
    AppendQuoted(directive.name, text);
    for (const std::string& argument : directive.args) {
      text += ' ';
      AppendQuoted(argument, text);
    }
    if (!directive.has_block) {
      text += ";\n";
      continue;
    }
    text += " {\n";
    Append(directive.block, text);
    text += "}\n";
  }
}

inline void CheckSame(const std::vector<Directive>& a, const std::vector<Directive>& b) {
  FW_CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    FW_CHECK(a[i].name == b[i].name && a[i].args == b[i].args);
    FW_CHECK(a[i].has_block == b[i].has_block);
    CheckSame(a[i].block, b[i].block);
  }
}

// Quoting makes a word longer than it was written; near the limit it may not fit again.
inline bool HasLongWord(const std::vector<Directive>& tree) {
  constexpr size_t kSafe = Lexer::kMaxWord / 2;
  for (const Directive& directive : tree) {
    if (directive.name.size() > kSafe || HasLongWord(directive.block)) return true;
    for (const std::string& argument : directive.args) {
      if (argument.size() > kSafe) return true;
    }
  }
  return false;
}

// A tree that was read without errors can be written, and read again to the same tree.
inline void CheckRoundTrip(const std::vector<Directive>& tree) {
  if (HasLongWord(tree)) return;
  std::string written;
  Append(tree, written);
  Diagnostics diagnostics;
  std::vector<Directive> again;
  ReadNginxText(written, "again", diagnostics, again);
  FW_CHECK(!diagnostics.has_errors());
  CheckSame(tree, again);
}

}  // namespace framewall::config
