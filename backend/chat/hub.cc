#include "backend/chat/hub.h"

#include <algorithm>
#include <vector>

namespace framewall::backend::chat {

// A subscription: a place in its topic. A topic whose last place goes is forgotten.
class Hub::Place final : public Fanout::Subscription {
 public:
  Place(std::weak_ptr<Hub*> hub, std::shared_ptr<Topic> topic, Listener* listener);
  ~Place() override;
  void Tell(const EventRef& event) { listener_->OnEvent(event); }

 private:
  friend class Topic;
  std::weak_ptr<Hub*> hub_;
  std::shared_ptr<Topic> topic_;
  Listener* listener_;
  size_t index_ = 0;  // in the topic
};

// While it is being told something, what becomes free stays empty and new places stand behind:
// nothing moves. Otherwise the last one moves into the gap.
class Hub::Topic {
 public:
  explicit Topic(std::string name) : name_(std::move(name)) {}

  void Add(Place* place) {
    place->index_ = places_.size();
    places_.push_back(place);
    ++count_;
  }
  void Remove(const Place* place) {
    --count_;
    places_[place->index_] = nullptr;
    if (!telling_) Fill(place->index_);
  }
  void Tell(const EventRef& event) {
    telling_ = true;
    const size_t present = places_.size();
    for (size_t i = 0; i < present; ++i) {
      if (places_[i] != nullptr) places_[i]->Tell(event);
    }
    telling_ = false;
    for (size_t i = places_.size(); count_ < places_.size() && i-- > 0;) {
      if (places_[i] == nullptr) Fill(i);
    }
  }

  const std::string& name() const { return name_; }
  size_t count() const { return count_; }

 private:
  void Fill(size_t gap) {
    Place* const last = places_.back();
    places_.pop_back();
    if (gap == places_.size()) return;
    places_[gap] = last;
    last->index_ = gap;
  }

  std::string name_;
  std::vector<Place*> places_;
  size_t count_ = 0;
  bool telling_ = false;
};

Hub::Place::Place(std::weak_ptr<Hub*> hub, std::shared_ptr<Topic> topic, Listener* listener)
    : hub_(std::move(hub)), topic_(std::move(topic)), listener_(listener) {
  topic_->Add(this);
}

Hub::Place::~Place() {
  topic_->Remove(this);
  if (topic_->count() > 0) return;
  if (const auto hub = hub_.lock()) (*hub)->topics_.erase(topic_->name());
}

Hub::Hub() : self_(std::make_shared<Hub*>(this)) {}
Hub::~Hub() = default;

std::unique_ptr<Fanout::Subscription> Hub::Subscribe(std::string_view topic, Listener* listener) {
  std::shared_ptr<Topic>& entry = topics_[std::string(topic)];
  if (entry == nullptr) entry = std::make_shared<Topic>(std::string(topic));
  return std::make_unique<Place>(self_, entry, listener);
}

void Hub::Publish(std::string_view topic, Event event) {
  std::string name(topic);
  if (!topics_.contains(name) && !telling_) return;
  event.frame = server::Socket::MakeFrame(event.text);
  waiting_.emplace_back(std::move(name), std::make_shared<const Event>(std::move(event)));
  if (telling_) return;
  telling_ = true;
  while (!waiting_.empty()) {
    const auto [to, told] = std::move(waiting_.front());
    waiting_.pop_front();
    const auto at = topics_.find(to);
    if (at == topics_.end()) continue;
    const std::shared_ptr<Topic> kept = at->second;
    kept->Tell(told);
  }
  telling_ = false;
}

size_t Hub::subscribers(std::string_view topic) const {
  const auto at = topics_.find(std::string(topic));
  return at == topics_.end() ? 0 : at->second->count();
}

}  // namespace framewall::backend::chat
