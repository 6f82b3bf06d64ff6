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
  std::string name;     // "attacks_942.yaml:12 json"
  std::string kind;     // of a message, where the file tells kinds apart
  std::string payload;  // as it is carried; empty where the request was given whole
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

// A browser's request that carries `payload` in one of the places of README.md; "form:NAME" is the
// field of that name, "none" a request without it.
Request RequestWith(const std::string& payload, const std::string& where);

// Throws YAML::Exception or std::runtime_error with file and line.
CaseFile ReadCaseFile(const std::string& path);

}  // namespace framewall::rules_test
