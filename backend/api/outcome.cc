#include "backend/api/outcome.h"

namespace framewall::backend::api {

void FailWith(server::Call& call, const Error& error) {
  if (error.kind != ErrorKind::kUnavailable) return call.Fail(error);
  call.Fail(Problem{.status = 503,
                    .code = "busy",
                    .detail = "Too much waits for the database; come again in a moment.",
                    .fields = {},
                    .retry_after = 1});
}

}  // namespace framewall::backend::api
