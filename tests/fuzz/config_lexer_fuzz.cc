// Configuration texts: nothing crashes, a tree that was read can be written and read again to the
// same tree, and YAML with any octets ends in a tree or in messages. Octet 0 chooses the language.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/check.h"
#include "proxy/config/diagnostics.h"
#include "proxy/config/lexer.h"
#include "proxy/config/nginx_reader.h"
#include "proxy/config/yaml_reader.h"

namespace framewall::config {
namespace {

// A word in quotes, so that the lexer gives it back. Only \ and " need care.
void AppendQuoted(const std::string& word, std::string& text) {
  text += '"';
  for (const char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  text += '"';
}

void Append(const std::vector<Directive>& tree, std::string& text) {
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

void CheckSame(const std::vector<Directive>& a, const std::vector<Directive>& b) {
  FW_CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    FW_CHECK(a[i].name == b[i].name && a[i].args == b[i].args);
    FW_CHECK(a[i].has_block == b[i].has_block);
    CheckSame(a[i].block, b[i].block);
  }
}

// Quoting makes a word longer than it was written; near the limit it may not fit again.
bool HasLongWord(const std::vector<Directive>& tree) {
  constexpr size_t kSafe = Lexer::kMaxWord / 2;
  for (const Directive& directive : tree) {
    if (directive.name.size() > kSafe || HasLongWord(directive.block)) return true;
    for (const std::string& argument : directive.args) {
      if (argument.size() > kSafe) return true;
    }
  }
  return false;
}

void Check(std::string_view text, bool is_yaml) {
  Diagnostics diagnostics;
  std::vector<Directive> tree;
  if (is_yaml) {
    ReadYamlText(text, "input", diagnostics, tree);
  } else {
    ReadNginxText(text, "input", diagnostics, tree);
  }
  if (diagnostics.has_errors() || HasLongWord(tree)) return;
  std::string written;
  Append(tree, written);
  std::vector<Directive> again;
  ReadNginxText(written, "again", diagnostics, again);
  FW_CHECK(!diagnostics.has_errors());
  CheckSame(tree, again);
}

}  // namespace
}  // namespace framewall::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  framewall::config::Check(text, (data[0] & 1) != 0);
  return 0;
}
