// Reads cases from YAML (README.md says what may stand there).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace framewall::rules_test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string target = "/";
  Fields headers;
  std::string body;
};

struct Response {
  int status = 200;
  Fields headers;
  std::string body;
};

struct Case {
  std::string name;  // "attacks_942.yaml:12 json"
  std::string kind;  // of a message, where the file tells kinds apart
  Request request;
  Response response;
  bool has_response = false;
  std::vector<std::int64_t> fires;
  std::vector<std::int64_t> silent;
  // 0: must not be refused; -1: must be, with any status; else with this status.
  int refused = 0;
};

struct CaseFile {
  std::vector<Case> cases;
  // Ordinary messages: judged by the share that is refused, not one by one.
  std::vector<Case> messages;
  double refused_share = 0.01;
};

// Throws YAML::Exception or std::runtime_error with file and line.
CaseFile ReadCaseFile(const std::string& path);

}  // namespace framewall::rules_test
