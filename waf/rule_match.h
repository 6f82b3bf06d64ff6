// Between the engine's log callback and the transaction's listener. For the .cc files of this room
// alone.
#pragma once

#include "waf/transaction.h"

namespace framewall::waf {

// The library's log callback: `listener` is the TransactionListener, `message`
// the library's RuleMessage.
void ForwardRuleMessage(void* listener, const void* message);

struct RuleMatchAccess {
  static void SetMessage(RuleMatch& match, const void* message) { match.message_ = message; }
};

}  // namespace framewall::waf
