// An error as the API tells it (RFC 9457): for HTTP as application/problem+json, on sockets inside
// an error message.
#pragma once

#include <string>
#include <vector>

namespace framewall::backend {

struct FieldProblem {
  std::string pointer;  // JSON Pointer into the body (RFC 6901), or "?name" for a query argument
  std::string detail;   // what was expected
};

struct Problem {
  int status = 500;
  std::string code;    // short and stable, for programs: "validation", "not_found", "rate"
  std::string detail;  // a sentence for people
  std::vector<FieldProblem> fields;
  int retry_after = 0;  // seconds; 0: not told
};

// type (urn:framewall:problem:CODE), title, status, code, detail, and errors where there are any.
std::string ProblemText(const Problem& problem);

Problem NotFound();
Problem Invalid(std::vector<FieldProblem> fields);

}  // namespace framewall::backend
