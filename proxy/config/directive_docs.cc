#include "proxy/config/directive_docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proxy/config/directive_table.h"

namespace framewall::config {
namespace {

// A cell of a table must not end early, nor be taken for markup.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '_' || c == '<' || c == '[') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string Arguments(const DirectiveSpec& row) {
  if (row.arity.max == kMany) return fmt::format("{} or more", row.arity.min);
  if (row.arity.min == row.arity.max) return fmt::format("{}", row.arity.min);
  return fmt::format("{} to {}", row.arity.min, row.arity.max);
}

std::string_view Inheritance(const DirectiveSpec& row) {
  if (row.block || row.contexts == ~ContextSet{0} ||
      (row.contexts & (kMain | kEvents | kUpstream | kRedis)) == row.contexts)
    return "";
  switch (row.inherits) {
    case Inherits::kCopied:
      return "inherited";
    case Inherits::kReplacedAsList:
      return "list, replaced by a child's own";
    case Inherits::kNotInherited:
      return "not inherited";
  }
  return "";
}

std::vector<const DirectiveSpec*> Select(const DirectivePiece& piece, Support support) {
  std::vector<const DirectiveSpec*> rows;
  for (const DirectiveSpec& row : piece.rows) {
    if (row.support == support) rows.push_back(&row);
  }
  return rows;
}

constexpr std::string_view kGenerated =
    "<!-- Written by framewall-docs from the directive table; `ninja fw_docs` renews it. -->\n\n";

void AppendStateSection(Support support, std::string_view title, std::string_view introduction,
                        std::string& page) {
  page += fmt::format("\n## {}\n\n{}\n\n| Directive | Where | Why |\n|---|---|---|\n", title,
                      introduction);
  std::vector<const DirectiveSpec*> rows;
  for (const DirectivePiece& piece : DirectiveTable::Get().pieces()) {
    const auto selected = Select(piece, support);
    rows.insert(rows.end(), selected.begin(), selected.end());
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const DirectiveSpec* row : rows) {
    page +=
        fmt::format("| `{}` | {} | {} |\n", row->name, ContextNames(row->contexts), Cell(row->doc));
  }
}

}  // namespace

std::string DirectivesPage() {
  std::string page = "# Directives\n\n";
  page += kGenerated;
  page +=
      "What framewall understands, by subject. Names, arguments and meaning are nginx's unless a "
      "line "
      "says otherwise.\nWhat is accepted without effect or refused is in "
      "[nginx-compatibility.md](nginx-compatibility.md); the YAML spelling is in "
      "[yaml.md](yaml.md).\n";
  for (const DirectivePiece& piece : DirectiveTable::Get().pieces()) {
    const std::vector<const DirectiveSpec*> rows = Select(piece, Support::kSupported);
    if (rows.empty()) continue;
    page += fmt::format(
        "\n## {}\n\n| Directive | Arguments and meaning | Count | Where | In child blocks |\n"
        "|---|---|---|---|---|\n",
        piece.title);
    for (const DirectiveSpec* row : rows) {
      page +=
          fmt::format("| `{}`{} | {} | {} | {} | {} |\n", row->name, row->block ? " { }" : "",
                      Cell(row->doc), Arguments(*row),
                      row->contexts == ~ContextSet{0} ? "everywhere" : ContextNames(row->contexts),
                      Inheritance(*row));
    }
  }
  return page;
}

std::string CompatibilityPage() {
  std::string page = "# Compatibility with nginx\n\n";
  page += kGenerated;
  page +=
      "Every directive of nginx is in one of three states: supported "
      "([directives.md](directives.md)), "
      "accepted without effect and\nwith a warning that says so, or refused with a reason. Nothing "
      "is "
      "ignored silently.\n";
  AppendStateSection(Support::kInert, "Accepted without effect",
                     "Harmless to leave out: a warning at the start names each.", page);
  AppendStateSection(
      Support::kRefused, "Refused",
      "The start stops at these, since leaving them out would change what is served.", page);
  return page;
}

}  // namespace framewall::config
