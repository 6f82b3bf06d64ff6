// What the rules decided about an exchange so far.
#pragma once

#include <cstdint>
#include <string>

namespace framewall::waf {

enum class Action {
  kPass,      // go on
  kDeny,      // answer with `status`
  kRedirect,  // answer with `status` and `url` as Location
  kDrop,      // close the connection without an answer
  kAllow,     // go on; an `allow` rule ended the inspection of this phase or of all
};

struct Decision {
  Action action = Action::kPass;
  // Of the answer. kDrop carries what the rule would have answered.
  int status = 200;
  // 0 where no rule decided: a body over a limit under `Reject`.
  std::int64_t rule_id = 0;
  // As in SecLang: 1 request head, 2 request body, 3 response head, 4 response body.
  int phase = 0;
  // The rule's `msg`, expanded; may be empty.
  std::string message;
  std::string url;
  // The line for the error log (nginx's connector writes it at level error):
  // "[client 192.0.2.7] ModSecurity: Access denied with code 403 (phase 2). ..."
  std::string log_line;

  // True where the exchange must not go on as it was.
  bool interrupts() const { return action != Action::kPass && action != Action::kAllow; }
};

}  // namespace framewall::waf
