#include "backend/llm/openai_error.h"

#include <string_view>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/json/node.h"
#include "proxy/json/pointer.h"

namespace framewall::backend::llm {
namespace {

// The longest Retry-After that the official clients honour.
constexpr int kLongestWait = 60;

std::string_view ErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

bool IsIndex(std::string_view token) {
  for (const char c : token) {
    if (!IsDigit(c)) return false;
  }
  return !token.empty();
}

// "/messages/0/content" as "messages[0].content".
std::string ParamName(const std::string& pointer) {
  const auto tokens = json::ParsePointer(pointer);
  if (!tokens.has_value()) return pointer;
  std::string name;
  for (const std::string& token : *tokens) {
    if (IsIndex(token)) {
      name += "[" + token + "]";
    } else {
      if (!name.empty()) name += ".";
      name += token;
    }
  }
  return name;
}

}  // namespace

std::string OpenAiError(const Problem& problem) {
  const int status = problem.status == 422 ? 400 : problem.status;
  json::Node error = json::Node::Object();
  error.Set("message", problem.detail);
  error.Set("type", ErrorType(status));
  if (problem.fields.empty() || problem.fields.front().pointer.empty()) {
    error.Set("param", json::Node::Null());
  } else {
    error.Set("param", ParamName(problem.fields.front().pointer));
  }
  error.Set("code", problem.code);
  return json::Node::Object().Set("error", std::move(error)).Text();
}

server::Fields RetryFields(const Problem& problem) {
  server::Fields fields;
  if (problem.retry_after > 0) {
    fields.emplace_back("retry-after", std::to_string(problem.retry_after));
  }
  if (problem.status == 429 && (problem.retry_after == 0 || problem.retry_after > kLongestWait)) {
    fields.emplace_back("x-should-retry", "false");
  }
  return fields;
}

server::Reply OpenAiErrorReply(const Problem& problem) {
  server::Reply reply;
  reply.status = problem.status == 422 ? 400 : problem.status;
  reply.body = OpenAiError(problem);
  reply.fields = RetryFields(problem);
  return reply;
}

}  // namespace framewall::backend::llm
