// JSON Schema, draft 2020-12: compiled once from a file, then constant and shared.
//
// All keywords of the draft's core, applicator, unevaluated and validation vocabularies. "format"
// and what speaks of content or meaning are annotations: read, not judged. References stay within
// the file ($id, $anchor, $dynamicAnchor, JSON pointers); a file with a reference that leads out of
// it, a keyword that earlier drafts had, or a schema that never ends is refused.
//
// A validation is bounded: a budget of steps, a depth, and PCRE2's limits for each pattern. What
// costs more does not match.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/json/document.h"

namespace framewall::json {

// The first thing that does not match.
struct Mismatch {
  std::string keyword;   // "required"; empty: the budget was spent
  std::string instance;  // JSON pointer into the document; holds names that a peer chose
  std::string schema;    // JSON pointer of the schema with the keyword, in its file
};

struct SchemaReport {
  // Each "FILE:LINE: /pointer: what was expected".
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

inline constexpr uint64_t kDefaultSteps = 300'000;

struct SchemaTree;

class Schema {
 public:
  // `name` stands in messages. Null where `report` has errors.
  static std::shared_ptr<const Schema> Compile(std::string_view text, std::string_view name,
                                               SchemaReport& report);
  // The file, of at most 4 MiB.
  static std::shared_ptr<const Schema> Load(const std::string& path, SchemaReport& report);

  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  // Nothing: it matches.
  std::optional<Mismatch> Validate(Value document, uint64_t steps = kDefaultSteps) const;

  const std::string& name() const { return name_; }

 private:
  Schema(std::string name, std::unique_ptr<const SchemaTree> tree);

  const std::string name_;
  const std::unique_ptr<const SchemaTree> tree_;
};

}  // namespace framewall::json
