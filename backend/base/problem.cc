#include "backend/base/problem.h"

#include <utility>

#include "proxy/http/status.h"
#include "proxy/json/node.h"

namespace framewall::backend {

std::string ProblemText(const Problem& problem) {
  json::Node text = json::Node::Object();
  text.Set("type", "urn:framewall:problem:" + problem.code);
  text.Set("title", http::ReasonPhrase(problem.status));
  text.Set("status", problem.status);
  text.Set("code", problem.code);
  if (!problem.detail.empty()) text.Set("detail", problem.detail);
  if (!problem.fields.empty()) {
    json::Node errors = json::Node::Array();
    for (const FieldProblem& field : problem.fields) {
      json::Node one = json::Node::Object();
      one.Set("pointer", field.pointer).Set("detail", field.detail);
      errors.Add(std::move(one));
    }
    text.Set("errors", std::move(errors));
  }
  return text.Text();
}

Problem NotFound() {
  return {.status = 404, .code = "not_found", .detail = "There is no such thing, or not for you."};
}

Problem Invalid(std::vector<FieldProblem> fields) {
  return {.status = 422,
          .code = "validation",
          .detail = "Some fields are not as expected.",
          .fields = std::move(fields)};
}

}  // namespace framewall::backend
