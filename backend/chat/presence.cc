#include "backend/chat/presence.h"

#include <utility>

namespace framewall::backend::chat {
namespace {

std::vector<Person> FirstOf(const std::map<std::string, Person>& people) {
  std::vector<Person> some;
  for (const auto& [id, person] : people) {
    if (some.size() == Presence::kTold) break;
    some.push_back(person);
  }
  return some;
}

}  // namespace

Presence::Presence(event::EventLoop& loop, Fanout& fanout)
    : fanout_(fanout), timer_(loop, [this] { Tell(); }) {}

void Presence::Enter(const std::string& room, const Person& user) {
  Room& entry = rooms_[room];
  Present& present = entry.present[user.id];
  present.person = user;
  if (++present.sockets > 1) return;
  if (entry.left.erase(user.id) == 0) entry.came.emplace(user.id, user);
  Changed(room);
}

void Presence::Leave(const std::string& room, const std::string& user) {
  const auto entry = rooms_.find(room);
  if (entry == rooms_.end()) return;
  const auto present = entry->second.present.find(user);
  if (present == entry->second.present.end() || --present->second.sockets > 0) return;
  if (entry->second.came.erase(user) == 0) {
    entry->second.left.emplace(user, std::move(present->second.person));
  }
  entry->second.present.erase(present);
  Changed(room);
}

void Presence::Changed(const std::string& room) {
  changed_.insert(room);
  if (!timer_.active()) timer_.Set(kPause);
}

void Presence::Tell() {
  const std::set<std::string> changed = std::exchange(changed_, {});
  for (const std::string& name : changed) {
    const auto at = rooms_.find(name);
    if (at == rooms_.end()) continue;
    Room& room = at->second;
    const auto came = std::exchange(room.came, {});
    const auto left = std::exchange(room.left, {});
    const size_t count = room.present.size();
    if (count == 0) {
      rooms_.erase(at);
      continue;
    }
    if (came.empty() && left.empty()) continue;
    const bool crowd = count > kNamedInCrowd;
    fanout_.Publish(RoomTopic(name),
                    {.kind = Event::Kind::kPassing,
                     .room = name,
                     .user = {},
                     .text = PresenceText(name, crowd ? std::vector<Person>() : FirstOf(came),
                                          crowd ? std::vector<Person>() : FirstOf(left), count)});
  }
}

std::vector<Person> Presence::Online(const std::string& room) const {
  std::vector<Person> online;
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return online;
  for (const auto& [id, present] : at->second.present) {
    if (online.size() == kTold) break;
    online.push_back(present.person);
  }
  return online;
}

size_t Presence::Count(const std::string& room) const {
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? 0 : at->second.present.size();
}

}  // namespace framewall::backend::chat
