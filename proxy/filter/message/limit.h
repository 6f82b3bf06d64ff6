// websocket_limit_message: the messages of a client's socket, counted in zones of limit_req_zone,
// so that a key's rate holds over all its sockets, and over workers and machines as the zone does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/filter/limit_decision.h"

namespace framewall::filter {

class MessageLimit {
 public:
  // For one socket, when its handshake is done: the keys are those of the handshake for as long as
  // it lives. Null where no zone has a key for it. `exchange`, `services` outlive it; `done` as
  // LimitDecision's.
  static std::unique_ptr<MessageLimit> Make(exchange::Exchange& exchange, FilterServices& services,
                                            std::function<void()> done);

  // One message more. True: the outcome is there. Requires: the one before is decided.
  bool Ask();
  const LimitOutcome& outcome() const { return decision_->outcome(); }
  // Of outcome().bucket.
  const config::MessageLimitUse& UseOf(const LimitBucket& bucket) const;
  // By limit_req_log_level.
  void LogRefusal() const;
  // Nothing is heard of the message that was asked for.
  void Cancel();

 private:
  MessageLimit(exchange::Exchange& exchange, FilterServices& services, std::function<void()> done)
      : exchange_(exchange), services_(services), done_(std::move(done)) {}

  exchange::Exchange& exchange_;
  FilterServices& services_;
  const std::function<void()> done_;
  struct Entry {
    const config::MessageLimitUse* use;
    std::string key;
  };
  std::vector<Entry> entries_;
  std::unique_ptr<LimitDecision> decision_;
};

}  // namespace framewall::filter
