// The fan-out within this process: who has subscribed to a topic hears of it at once.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "backend/chat/fanout.h"

namespace framewall::backend::chat {

class Hub final : public Fanout {
 public:
  Hub();
  // Subscriptions may outlive it.
  ~Hub() override;

  std::unique_ptr<Subscription> Subscribe(std::string_view topic, Listener* listener) override;
  // What is published while something else is being told is told after that.
  void Publish(std::string_view topic, Event event) override;

  // How many listen.
  size_t subscribers(std::string_view topic) const;
  // How many topics are kept: those that somebody listens to.
  size_t topics() const { return topics_.size(); }

 private:
  class Topic;
  class Place;
  std::unordered_map<std::string, std::shared_ptr<Topic>> topics_;
  std::deque<std::pair<std::string, EventRef>> waiting_;
  bool telling_ = false;
  // Tells places whether the hub is still there.
  std::shared_ptr<Hub*> self_;
};

}  // namespace framewall::backend::chat
