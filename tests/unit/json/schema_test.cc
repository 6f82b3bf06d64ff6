// Files that are refused and with which words, and what a mismatch says. What keywords mean is the
// suite's matter (schema_suite_test.cc); here are the cases that it has not.
#include "proxy/json/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "proxy/json/pointer.h"

namespace framewall::json {
namespace {

std::shared_ptr<const Schema> Good(std::string_view text) {
  SchemaReport report;
  auto schema = Schema::Compile(text, "s.json", report);
  EXPECT_TRUE(report.errors.empty()) << text << ": " << report.errors.at(0);
  return schema;
}

std::string Fault(std::string_view text) {
  SchemaReport report;
  const auto schema = Schema::Compile(text, "s.json", report);
  EXPECT_EQ(schema == nullptr, !report.errors.empty());
  return report.errors.empty() ? "" : report.errors[0];
}

std::vector<std::string> Warnings(std::string_view text) {
  SchemaReport report;
  EXPECT_NE(Schema::Compile(text, "s.json", report), nullptr);
  return report.warnings;
}

// "keyword instance schema", or empty where it matches.
std::string Judge(std::string_view schema, std::string_view document) {
  const auto compiled = Good(schema);
  const auto parsed = Document::Parse(document);
  if (compiled == nullptr || !parsed.ok()) return "broken";
  const auto mismatch = compiled->Validate(parsed->root());
  if (!mismatch) return "";
  return mismatch->keyword + " " + mismatch->instance + " " + mismatch->schema;
}

// --- The file ---

TEST(Schema, FaultsNameFileLineAndPlace) {
  EXPECT_EQ(Fault("{\n  \"type\": \"strin\"\n}"),
            "s.json:2: /type: must be null, boolean, integer, number, string, array or object, or "
            "an array of them");
  EXPECT_EQ(Fault("{\n\n\"properties\": {\n \"a/b\": {\"minLength\": -1}}}"),
            "s.json:4: /properties/a~1b/minLength: must be a whole number, 0 or more");
  EXPECT_EQ(Fault("{\"a\": }").substr(0, 10), "s.json:1:7");
  EXPECT_EQ(Fault("[]"), "s.json:1: (root): a schema is an object, true or false");
}

TEST(Schema, AllFaultsAreReported) {
  SchemaReport report;
  EXPECT_EQ(Schema::Compile(R"({"type":1,"minimum":"a","items":{"required":true}})", "s", report),
            nullptr);
  EXPECT_EQ(report.errors.size(), 3u);
}

TEST(Schema, Dialect) {
  EXPECT_EQ(Fault(R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})"), "");
  EXPECT_EQ(Fault(R"({"$schema":"https://json-schema.org/draft/2020-12/schema#"})"), "");
  EXPECT_EQ(Fault(R"({"$schema":"http://json-schema.org/draft-07/schema#"})"),
            "s.json:1: /$schema: \"http://json-schema.org/draft-07/schema#\" is not supported, "
            "only \"https://json-schema.org/draft/2020-12/schema\" is");
  EXPECT_NE(Fault(R"({"$defs":{"a":{"$id":"a","$schema":"http://x/y"}}})"), "");
  EXPECT_NE(Fault(R"({"$defs":{"a":{"$schema":"https://json-schema.org/draft/2020-12/schema"}}})"),
            "");
  EXPECT_EQ(Judge(R"({"minLength":2})", "\"a\""), "minLength  ");
}

TEST(Schema, KeywordsOfFormerDraftsAreRefused) {
  for (const char* text :
       {R"({"dependencies":{}})", R"({"additionalItems":false})", R"({"items":[{}]})",
        R"({"maximum":1,"exclusiveMaximum":true})", R"({"minimum":1,"exclusiveMinimum":false})",
        R"({"$recursiveRef":"#"})", R"({"divisibleBy":2})", R"({"required":true})",
        R"({"properties":{"a":{"dependencies":{}}}})"}) {
    EXPECT_NE(Fault(text), "") << text;
  }
  EXPECT_EQ(Fault(R"({"dependencies":{}})"),
            "s.json:1: /dependencies: is no keyword of draft 2020-12, which has "
            "\"dependentRequired\" or \"dependentSchemas\"");
  EXPECT_NE(Fault(R"({"items":[true]})").find("prefixItems"), std::string::npos);
  // A property may be called so.
  EXPECT_EQ(Fault(R"({"properties":{"dependencies":{},"additionalItems":{}}})"), "");
  EXPECT_EQ(Judge(R"({"$ref":"#/definitions/a","definitions":{"a":{"type":"null"}}})", "1"),
            "type  /definitions/a");
}

TEST(Schema, ValuesOfKeywords) {
  for (const char* text : {R"({"type":[]})",
                           R"({"type":["null",1]})",
                           R"({"enum":{}})",
                           R"({"multipleOf":0})",
                           R"({"multipleOf":-1})",
                           R"({"multipleOf":"1"})",
                           R"({"maxLength":1.5})",
                           R"({"minItems":"1"})",
                           R"({"pattern":"("})",
                           R"({"pattern":1})",
                           R"({"pattern":"\\Z"})",
                           R"({"patternProperties":{"[":{}}})",
                           R"({"uniqueItems":1})",
                           R"({"required":["a","a"]})",
                           R"({"required":[1]})",
                           R"({"dependentRequired":{"a":"b"}})",
                           R"({"dependentRequired":[]})",
                           R"({"allOf":[]})",
                           R"({"allOf":{}})",
                           R"({"anyOf":[1]})",
                           R"({"not":1})",
                           R"({"properties":[]})",
                           R"({"properties":{"a":1}})",
                           R"({"prefixItems":[]})",
                           R"({"if":"a"})",
                           R"({"$ref":1})",
                           R"({"$id":1})",
                           R"({"$id":"a#b"})",
                           R"({"$anchor":"1a"})",
                           R"({"$dynamicAnchor":1})",
                           R"({"$defs":{"a":3}})",
                           R"({"format":1})",
                           R"(3)",
                           R"(null)"}) {
    EXPECT_NE(Fault(text), "") << text;
  }
  EXPECT_EQ(Fault(R"({"maxLength":2.0,"minItems":1e300,"enum":[],"required":[]})"), "");
}

TEST(Schema, References) {
  EXPECT_EQ(Fault(R"({"$ref":"https://example.org/other.json"})"),
            "s.json:1: /$ref: \"https://example.org/other.json\" is not in this file; nothing is "
            "fetched, and other files are not looked at");
  EXPECT_NE(Fault(R"({"$ref":"other.json#/a"})").find("\"other.json#/a\""), std::string::npos);
  EXPECT_EQ(Fault(R"({"$ref":"#/$defs/a"})"),
            "s.json:1: /$ref: \"#/$defs/a\" leads to nothing in this file");
  for (const char* text :
       {R"({"$ref":"#nowhere"})", R"({"$dynamicRef":"#nowhere"})",
        R"({"title":"a","$ref":"#/title"})", R"({"$ref":"#/%zz"})", R"({"$ref":"#/a~2"})",
        R"({"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}})",
        R"({"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}})"}) {
    EXPECT_NE(Fault(text), "") << text;
  }
  EXPECT_EQ(Judge(R"({"$id":"","$ref":"#a","$defs":{"x":{"$anchor":"a","type":"null"}}})", "1"),
            "type  /$defs/x");
}

TEST(Schema, EndlessIsRefused) {
  for (
      const char* text :
      {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})",
       R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}})",
       R"({"not":{"$ref":"#"}})", R"({"if":true,"then":{"$ref":"#"}})",
       R"({"dependentSchemas":{"a":{"$ref":"#"}}})"}) {
    EXPECT_NE(Fault(text).find("refers to itself for the same value"), std::string::npos) << text;
  }
  // Each step goes into the document.
  EXPECT_EQ(Judge(R"({"type":["array","null"],"items":{"$ref":"#"}})", "[[[null,[]]],1]"),
            "type /1 ");
}

TEST(Schema, Warnings) {
  const auto warnings = Warnings("{\n\"additionalPropertys\": false,\n\"x-note\": 1}");
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0],
            "s.json:2: /additionalPropertys: unknown keyword \"additionalPropertys\" judges "
            "nothing; did you mean \"additionalProperties\"?");
  EXPECT_EQ(warnings[1], "s.json:3: /x-note: unknown keyword \"x-note\" judges nothing");
  // Once a file.
  EXPECT_EQ(Warnings(R"({"format":"email","items":{"format":"date"}})").size(), 1u);
  EXPECT_TRUE(Warnings(R"({"title":"a","description":"b","default":1,"$comment":"c","examples":[],
      "deprecated":true,"readOnly":true,"writeOnly":true,"contentEncoding":"x","$defs":{},
      "contentMediaType":"y","contentSchema":{},"definitions":{},"$vocabulary":{}})")
                  .empty());
}

TEST(Schema, DepthOfAFile) {
  const auto nested = [](size_t levels) {
    std::string text = "true";
    for (size_t i = 0; i < levels; ++i) text = R"({"items":)" + text + "}";
    return text;
  };
  EXPECT_EQ(Fault(nested(200)), "");
  EXPECT_NE(Fault(nested(201)), "");
}

TEST(Schema, Files) {
  SchemaReport report;
  EXPECT_EQ(Schema::Load("/nowhere/s.json", report), nullptr);
  EXPECT_EQ(report.errors.at(0),
            "open() \"/nowhere/s.json\" failed (2: No such file or directory)");
  report = {};
  EXPECT_EQ(Schema::Load("/", report), nullptr);
  EXPECT_EQ(report.errors.size(), 1u);
  report = {};
  const std::string path = ::testing::TempDir() + "framewall_schema_test.json";
  std::ofstream(path) << "{\"type\": \"null\"}";
  const auto schema = Schema::Load(path, report);
  ASSERT_NE(schema, nullptr) << report.errors.at(0);
  EXPECT_EQ(schema->name(), path);
  std::ofstream(path) << std::string(4 * 1024 * 1024 + 1, ' ');
  EXPECT_EQ(Schema::Load(path, report), nullptr);
  EXPECT_EQ(report.errors.at(0), path + ":1:1: more than 4194304 octets");
  std::remove(path.c_str());
}

// --- Mismatches ---

constexpr char kChat[] = R"({
  "type": "object",
  "required": ["op"],
  "properties": {
    "op": {"enum": ["say", "leave"]},
    "text": {"type": "string", "maxLength": 3},
    "to": {"type": "array", "items": {"$ref": "#/$defs/name"}, "uniqueItems": true}
  },
  "additionalProperties": false,
  "$defs": {"name": {"type": "string", "pattern": "^[a-z]+$"}}
})";

TEST(Schema, MismatchesNameKeywordAndPlaces) {
  EXPECT_EQ(Judge(kChat, R"({"op":"say","text":"яяя","to":["ann","bob"]})"), "");
  EXPECT_EQ(Judge(kChat, "[]"), "type  ");
  EXPECT_EQ(Judge(kChat, "{}"), "required  ");
  EXPECT_EQ(Judge(kChat, R"({"op":"sing"})"), "enum /op /properties/op");
  EXPECT_EQ(Judge(kChat, R"({"op":"say","text":"яяяя"})"), "maxLength /text /properties/text");
  EXPECT_EQ(Judge(kChat, R"({"op":"say","to":["a","B"]})"), "pattern /to/1 /$defs/name");
  EXPECT_EQ(Judge(kChat, R"({"op":"say","to":["a","a"]})"), "uniqueItems /to /properties/to");
  EXPECT_EQ(Judge(kChat, R"({"op":"say","x/y":1})"), "additionalProperties /x~1y ");
}

TEST(Schema, MismatchesOfChoicesAreTheChoices) {
  const char* choice = R"({"properties":{"a":{"oneOf":[{"type":"null"},{"minimum":3}]}}})";
  EXPECT_EQ(Judge(choice, R"({"a":3})"), "");
  EXPECT_EQ(Judge(choice, R"({"a":2})"), "oneOf /a /properties/a");
  EXPECT_EQ(Judge(choice, R"({"a":null})"), "oneOf /a /properties/a");
  EXPECT_EQ(Judge(R"({"not":{"required":["a"]}})", R"({"a":1})"), "not  ");
  EXPECT_EQ(Judge(R"({"anyOf":[{"type":"null"},{"type":"array"}]})", "1"), "anyOf  ");
  EXPECT_EQ(Judge(R"({"if":{"type":"object"},"then":{"required":["a"]},"else":false})", "{}"),
            "required  /then");
  EXPECT_EQ(Judge(R"({"if":{"type":"object"},"else":false})", "1"), "else  ");
  EXPECT_EQ(Judge(R"({"propertyNames":{"maxLength":1}})", R"({"a":1,"bc":2})"),
            "propertyNames /bc ");
  EXPECT_EQ(Judge(R"({"contains":{"const":1},"minContains":2})", "[1,2]"), "minContains  ");
  EXPECT_EQ(Judge("false", "1"), "false  ");
  EXPECT_EQ(Judge(R"({"properties":{"a":true},"unevaluatedProperties":false})", R"({"a":1,"b":1})"),
            "unevaluatedProperties /b ");
  EXPECT_EQ(Judge(R"({"prefixItems":[true],"unevaluatedItems":false})", "[1,2]"),
            "unevaluatedItems /1 ");
}

// Both sides of every number.
TEST(Schema, Bounds) {
  const auto both = [](const char* schema, const char* good, const char* bad) {
    EXPECT_EQ(Judge(schema, good), "") << schema;
    EXPECT_NE(Judge(schema, bad), "") << schema;
  };
  both(R"({"maxLength":2})", "\"😀я\"", "\"abc\"");
  both(R"({"minLength":2})", "\"😀я\"", "\"😀\"");
  both(R"({"maxItems":2})", "[1,2]", "[1,2,3]");
  both(R"({"minItems":2})", "[1,2]", "[1]");
  both(R"({"maxProperties":1})", R"({"a":1})", R"({"a":1,"b":2})");
  both(R"({"minProperties":1})", R"({"a":1})", "{}");
  both(R"({"maximum":2})", "2.0", "2.0000000000000004");
  both(R"({"minimum":2})", "2", "1.9999999999999998");
  both(R"({"exclusiveMaximum":2})", "1.9999999999999998", "2");
  both(R"({"exclusiveMinimum":2})", "2.0000000000000004", "2.0");
  both(R"({"contains":{"const":1},"maxContains":2})", "[1,1]", "[1,1,1]");
  both(R"({"contains":{"const":1},"minContains":2})", "[1,1]", "[1,0]");
  both(R"({"const":9007199254740993})", "9007199254740993", "9007199254740992");
  both(R"({"maximum":9223372036854775807})", "9223372036854775807", "9223372036854775808");
}

}  // namespace
}  // namespace framewall::json
