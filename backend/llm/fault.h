// Problems of models and providers, by their codes:
//
//   provider_error        502  its answer is not what its API promises
//   provider_broken       502  the answer broke off
//   provider_unavailable  503  it cannot be reached, or is left alone for a while
//   provider_timeout      504  it was silent for too long
//   provider_refused      502  it does not take our key: for the operator
//   provider_busy         429  it asks us to wait
//   refused_by_provider   4xx  it does not take the request: for the client
//   model_not_found       404
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "backend/base/problem.h"

namespace framewall::backend::llm {

inline Problem Fault(int status, std::string code, std::string detail, int retry_after = 0) {
  Problem problem;
  problem.status = status;
  problem.code = std::move(code);
  problem.detail = std::move(detail);
  problem.retry_after = retry_after;
  return problem;
}

Problem ModelNotFound(std::string_view model);

}  // namespace framewall::backend::llm
