// Between the engine's log callback and the transaction's listener. For the .cc files of this room
// alone.
#pragma once

#include "waf/transaction.h"

namespace framewall::waf {

class TransactionMask;

// Who hears of a transaction, and what he must not hear.
struct RuleMessageHearing {
  TransactionListener* listener = nullptr;  // may be null
  TransactionMask* mask = nullptr;
};

// The library's log callback: `hearing` is a RuleMessageHearing, `message` the
// library's RuleMessage.
void ForwardRuleMessage(void* hearing, const void* message);

struct RuleMatchAccess {
  static void SetMessage(RuleMatch& match, const void* message, TransactionMask* mask) {
    match.message_ = message;
    match.mask_ = mask;
  }
};

}  // namespace framewall::waf
