// All rows, joined in sight; lookup by name and place; the nearest name for a misspelt one.
#pragma once

#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/config/directive_spec.h"

namespace framewall::config {

// One feature's rows under the heading that the documentation gives them.
struct DirectivePiece {
  std::string_view title;
  std::span<const DirectiveSpec> rows;
};

class DirectiveTable {
 public:
  static const DirectiveTable& Get();

  // The row of that name for the place; null where there is none.
  const DirectiveSpec* Find(std::string_view name, Context context) const;
  // Any row of that name: it is known, perhaps elsewhere.
  const DirectiveSpec* FindAnywhere(std::string_view name) const;
  // A name that may stand here and differs in a letter or two; empty where none does.
  std::string_view Nearest(std::string_view name, Context context) const;
  // In the order of the documentation.
  std::span<const DirectivePiece> pieces() const { return pieces_; }

 private:
  DirectiveTable();
  std::vector<DirectivePiece> pieces_;
  // A name may have several rows, each with places of its own.
  std::multimap<std::string_view, const DirectiveSpec*> rows_;
};

// "http, server, location" of a set.
std::string ContextNames(ContextSet contexts);
std::string_view ContextName(Context context);

}  // namespace framewall::config
