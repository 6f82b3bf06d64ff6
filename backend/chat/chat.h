// The chat: GET /ws/chat, the sockets that came of it, and their rooms.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/auth/session_events.h"
#include "backend/auth/tickets.h"
#include "backend/auth/token_verifier.h"
#include "backend/chat/announcer.h"
#include "backend/chat/answers.h"
#include "backend/chat/hub.h"
#include "backend/chat/limits.h"
#include "backend/chat/presence.h"
#include "backend/chat/records.h"
#include "backend/chat/session.h"
#include "backend/llm/provider.h"
#include "backend/server/router.h"
#include "proxy/event/loop.h"

namespace framewall::backend::chat {

class Chat final : public auth::SessionWatcher {
 public:
  struct Needs {
    event::EventLoop& loop;
    std::unique_ptr<Records> records;
    auth::Tickets& tickets;
    auth::TokenVerifier& tokens;
    auth::SessionEvents& session_events;
    llm::Models& models;
    std::string public_url;  // whose Origin may open sockets
    ChatLimits limits;
  };
  // What `needs` refers to outlives it.
  explicit Chat(Needs needs);
  ~Chat() override;

  // GET /ws/chat.
  std::vector<server::Route> Routes();
  // What is told to rooms and users.
  Fanout& fanout() { return hub_; }
  // For whoever else changes rooms and messages.
  Announcer& announcer() { return announcer_; }

  // The program is going down: new sockets are refused, those that are open are closed with 1001,
  // and what models are saying is stored as cut.
  void Drain();

  size_t sockets() const { return sessions_.size(); }
  size_t answers() const { return answers_.count(); }

  // auth::SessionWatcher
  void OnSessionEnd(const auth::SessionEnd& end) override;

 private:
  // A handshake whose user is being looked up.
  struct Opening {
    Identity identity;
    bool ended = false;  // the session, meanwhile
  };
  void Open(const server::CallRef& call);
  void Accept(const server::CallRef& call, const Identity& identity, Person person);
  void Over(Session* session);
  void Uncount(const std::string& user);

  event::EventLoop& loop_;
  std::unique_ptr<Records> records_;
  auth::Tickets& tickets_;
  auth::TokenVerifier& tokens_;
  const std::string public_url_;
  const ChatLimits limits_;
  Hub hub_;
  Presence presence_;
  Answers answers_;
  Announcer announcer_;
  bool draining_ = false;
  std::shared_ptr<Session::House> house_;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  std::list<Opening> openings_;
  std::unordered_map<std::string, size_t> by_user_;  // open sockets and those that are opening
  std::unique_ptr<auth::SessionEvents::Watch> watch_;
};

}  // namespace framewall::backend::chat
