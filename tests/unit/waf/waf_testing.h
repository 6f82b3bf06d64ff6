// A small language for tests of waf/: rules as text, requests in a line.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "waf/engine.h"
#include "waf/rule_set.h"
#include "waf/transaction.h"

namespace framewall::waf {

inline Engine& TestEngine() { return Engine::Create("framewall/test"); }

// A directory of its own, gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "fw_waf_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(std::string_view name = "") const {
    return name.empty() ? path_ : path_ + "/" + std::string(name);
  }
  std::string Write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  std::string Read(std::string_view name) const {
    std::ifstream file(path(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  std::string path_;
};

inline RuleSource Inline(std::string text, std::string file = "site.conf", int line = 1) {
  return {RuleSource::Kind::kInline, std::move(text), "", std::move(file), line};
}
inline RuleSource File(std::string path) {
  return {RuleSource::Kind::kFile, std::move(path), "", "site.conf", 7};
}

inline std::string Text(const std::vector<RuleError>& errors) {
  std::string text;
  for (const RuleError& error : errors) text += error.Text() + "\n";
  return text;
}

// Rules that must load.
inline std::shared_ptr<const RuleSet> Rules(const std::string& text,
                                            std::string base_directory = "/nonexistent") {
  RuleLoader loader(TestEngine(), std::move(base_directory));
  std::vector<RuleError> errors;
  const RuleSource sources[] = {Inline("SecRuleEngine On\n" + text)};
  auto rules = loader.Load(nullptr, sources, &errors);
  EXPECT_TRUE(rules) << Text(errors);
  return rules;
}

// Remembers what a transaction said.
class Heard : public TransactionListener {
 public:
  void OnRuleMatch(const RuleMatch& match) override {
    ids.push_back(match.rule_id);
    lines.push_back(match.LogLine());
  }
  void OnAuditFailure(std::string_view message) override { failures.emplace_back(message); }

  std::vector<std::int64_t> ids;
  std::vector<std::string> lines;
  std::vector<std::string> failures;
};

inline std::span<const std::byte> Body(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::vector<HeaderView> headers = {{"Host", "example.test"}};

  RequestView view() const {
    return {method, target, "1.1", "192.0.2.7", 4711, "192.0.2.1", 80, "example.test", headers};
  }
};

inline Request Get(std::string target) { return {"GET", std::move(target)}; }
inline Request PostJson() {
  return {"POST", "/", {{"Host", "example.test"}, {"Content-Type", "application/json"}}};
}

}  // namespace framewall::waf
