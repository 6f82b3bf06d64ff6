#include "proxy/config/nginx_reader.h"

#include <fmt/format.h>

namespace framewall::config {
namespace {

class NginxReader {
 public:
  NginxReader(std::string_view text, std::string_view file, Diagnostics& diagnostics,
              Lexer::Origin origin)
      : lexer_(text, origin), file_(file), origin_(origin), diagnostics_(diagnostics) {}

  // False where the text ended in an error.
  bool ReadBlock(std::vector<Directive>& block, int depth) {
    while (true) {
      Lexer::Statement statement = lexer_.Next();
      const SourceLocation at = At(statement.line);
      switch (statement.kind) {
        case Lexer::Kind::kError:
          return Fail(at, std::move(statement.error));
        case Lexer::Kind::kEnd:
          return depth == 0 || Fail(at, "unexpected end of file, expecting \"}\"");
        case Lexer::Kind::kBlockEnd:
          return depth > 0 || Fail(at, "unexpected \"}\"");
        case Lexer::Kind::kStatement:
        case Lexer::Kind::kBlockStart:
          break;
      }
      Directive& directive = block.emplace_back();
      directive.name = std::move(statement.words.front());
      statement.words.erase(statement.words.begin());
      directive.args = std::move(statement.words);
      directive.at = at;
      if (statement.kind == Lexer::Kind::kStatement) continue;
      directive.has_block = true;
      if (origin_ == Lexer::Origin::kCommandLine) {
        return Fail(at, "block directives are not supported in -g option");
      }
      if (depth >= kMaxDepth) {
        return Fail(at, fmt::format("blocks are nested deeper than {}", kMaxDepth));
      }
      if (!ReadBlock(directive.block, depth + 1)) return false;
    }
  }

 private:
  SourceLocation At(int line) const {
    return {file_, origin_ == Lexer::Origin::kCommandLine ? 0 : line};
  }
  bool Fail(const SourceLocation& at, std::string text) {
    diagnostics_.Error(at, std::move(text));
    return false;
  }

  Lexer lexer_;
  std::string_view file_;
  Lexer::Origin origin_;
  Diagnostics& diagnostics_;
};

}  // namespace

void ReadNginxText(std::string_view text, std::string_view file, Diagnostics& diagnostics,
                   std::vector<Directive>& tree, Lexer::Origin origin) {
  NginxReader(text, file, diagnostics, origin).ReadBlock(tree, 0);
}

}  // namespace framewall::config
