// Events of rooms and users to everybody who must hear of them: within this process now, over Redis
// between several later.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace framewall::backend::chat {

class Fanout {
 public:
  // Its end is the end of the subscription.
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };
  using OnEvent = std::function<void(const std::shared_ptr<const std::string>& text)>;

  virtual ~Fanout() = default;
  // `topic`: "room/ID" or "user/ID". `on_event` is called from the loop, in the order of Publish;
  // it may end subscriptions.
  virtual std::unique_ptr<Subscription> Subscribe(std::string_view topic, OnEvent on_event) = 0;
  // `text` is a whole message of the chat protocol.
  virtual void Publish(std::string_view topic, std::string text) = 0;
};

}  // namespace framewall::backend::chat
