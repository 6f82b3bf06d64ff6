// The test suite of json-schema.org, as Debian has it: draft 2020-12 in
// libtest-json-schema-acceptance-perl, draft 7 in json-schema-test-suite (whose version is older
// than 2020-12). FW_JSON_SCHEMA_SUITE is another folder with the files of draft 2020-12.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "proxy/json/schema.h"

namespace framewall::json {
namespace {

namespace fs = std::filesystem;

// What is not run, and why. `group` empty: the whole file.
struct Skip {
  std::string_view file;
  std::string_view group;
  std::string_view reason;
};

constexpr std::string_view kMetaschema = "refers to the draft's own schema, which is not built in";
constexpr std::string_view kRemote = "refers to another file, which is refused at the start";
constexpr std::string_view kFetched = "the schema is completed by a file from the suite's server";

constexpr Skip k2020[] = {
    {"refRemote.json", "", kRemote},
    {"vocabulary.json", "", "names a metaschema of its own, which is refused at the start"},
    {"anchor.json", "invalid anchors", kMetaschema},
    {"defs.json", "validate definition against metaschema", kMetaschema},
    {"id.json", "Invalid use of fragments in location-independent $id", kMetaschema},
    {"id.json", "Valid use of empty fragments in location-independent $id", kMetaschema},
    {"id.json", "Unnormalized $ids are allowed but discouraged", kMetaschema},
    {"ref.json", "remote ref, containing refs itself", kMetaschema},
    {"ref.json", "URN base URI with f-component", kMetaschema},
    {"dynamicRef.json", "strict-tree schema, guards against misspelled properties", kFetched},
    {"dynamicRef.json", "tests for implementation dynamic anchor and reference link", kFetched},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", kFetched},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", kFetched},
    {"optional/cross-draft.json", "", kRemote},
    {"optional/dependencies-compatibility.json", "",
     "\"dependencies\" is refused at the start: it is no keyword of the draft"},
    {"optional/format-assertion.json", "",
     "names a metaschema of its own, which is refused at the start"},
    {"optional/ecmascript-regex.json", "\\a is not an ECMA 262 control escape", kMetaschema},
};

constexpr std::string_view kFormer = "its keyword is another in 2020-12; refused at the start";

constexpr Skip k7[] = {
    {"additionalItems.json", "", kFormer},
    {"dependencies.json", "", kFormer},
    {"refRemote.json", "", kRemote},
    {"items.json", "an array of schemas for items", kFormer},
    {"items.json", "items with boolean schemas", kFormer},
    {"ref.json", "relative pointer ref to array", kFormer},
    {"ref.json", "remote ref, containing refs itself", kMetaschema},
    {"ref.json", "ref overrides any sibling keywords", "since 2019-09 both hold"},
    {"definitions.json", "", kMetaschema},
    {"optional/content.json", "", "what speaks of content is an annotation"},
    {"optional/ecmascript-regex.json", "ECMA 262 regex non-compliance",
     "\"format\" is an annotation"},
};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Suite {
 public:
  Suite(fs::path folder, std::vector<Skip> skips)
      : folder_(std::move(folder)), skips_(std::move(skips)) {}

  void Folder(const std::string& inside) {
    if (!fs::exists(folder_ / inside)) return;
    for (const auto& entry : fs::directory_iterator(folder_ / inside)) {
      if (entry.path().extension() != ".json") continue;
      File(inside + entry.path().filename().string(), ReadFile(entry.path()));
    }
  }

  void Finish(int least) const {
    for (const Skip& skip : skips_) {
      EXPECT_TRUE(used_.count(&skip) > 0) << "nothing to skip: " << skip.file << " " << skip.group;
    }
    std::cout << tests_ << " tests of " << folder_ << ", " << skipped_ << " skipped\n";
    EXPECT_GE(tests_, least);
  }

 private:
  bool Skipped(const std::string& file, std::string_view group) {
    for (const Skip& skip : skips_) {
      if (skip.file != file || (!skip.group.empty() && skip.group != group)) continue;
      used_.insert(&skip);
      return true;
    }
    return false;
  }

  void File(const std::string& name, const std::string& text) {
    const auto groups = Document::Parse(text);
    ASSERT_TRUE(groups.ok()) << name << ": " << groups.error().message;
    for (size_t i = 0; i < groups->root().size(); ++i) {
      const Value group = groups->root().At(i);
      const Value tests = *group.Find("tests");
      if (Skipped(name, group.Find("description")->AsString())) {
        skipped_ += static_cast<int>(tests.size());
        continue;
      }
      Group(name, group, tests);
    }
  }

  void Group(const std::string& file, Value group, Value tests) {
    const std::string title = file + ": " + std::string(group.Find("description")->AsString());
    SchemaReport report;
    const auto schema = Schema::Compile(group.Find("schema")->Text(), file, report);
    if (schema == nullptr) {
      ADD_FAILURE() << title << ": " << report.errors.at(0);
      return;
    }
    for (size_t i = 0; i < tests.size(); ++i) {
      const Value test = tests.At(i);
      const auto mismatch = schema->Validate(*test.Find("data"));
      EXPECT_EQ(!mismatch, test.Find("valid")->AsBoolean())
          << title << ": " << test.Find("description")->AsString()
          << (mismatch ? " (" + mismatch->keyword + " at " + mismatch->instance + ")" : "");
      ++tests_;
    }
  }

  const fs::path folder_;
  const std::vector<Skip> skips_;
  std::set<const Skip*> used_;
  int tests_ = 0;
  int skipped_ = 0;
};

TEST(SchemaSuite, Draft2020) {
  const char* elsewhere = std::getenv("FW_JSON_SCHEMA_SUITE");
  const fs::path folder =
      elsewhere != nullptr
          ? elsewhere
          : "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << folder << " is missing: apt-get install libtest-json-schema-acceptance-perl";
  }
  Suite suite(folder, {std::begin(k2020), std::end(k2020)});
  suite.Folder("");
  suite.Folder("optional/");
  suite.Finish(1200);
}

TEST(SchemaSuite, Draft7) {
  const fs::path folder = "/usr/share/json-schema-test-suite/tests/draft7";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << folder << " is missing: apt-get install json-schema-test-suite";
  }
  Suite suite(folder, {std::begin(k7), std::end(k7)});
  suite.Folder("");
  suite.Folder("optional/");
  suite.Finish(350);
}

}  // namespace
}  // namespace framewall::json
