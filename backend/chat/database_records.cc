#include "backend/chat/database_records.h"

#include <algorithm>
#include <utility>

#include "backend/base/time.h"
#include "backend/store/messages.h"
#include "backend/store/rooms.h"

namespace framewall::backend::chat {
namespace {

using store::Connection;
using store::Message;
using store::SeenRoom;

// A message that changed at `since` by our clock may have been committed a little later.
constexpr int64_t kCommitSlack = 10'000;

Outcome Of(store::MessageOutcome outcome) {
  switch (outcome) {
    case store::MessageOutcome::kDone:
      return Outcome::kDone;
    case store::MessageOutcome::kNotFound:
      return Outcome::kNotFound;
    case store::MessageOutcome::kForbidden:
      return Outcome::kForbidden;
    case store::MessageOutcome::kGone:
      return Outcome::kGone;
  }
  return Outcome::kNotFound;
}

// The room, where `user` may hear and speak in it; else why not.
struct Entrance {
  Outcome outcome = Outcome::kNotFound;
  SeenRoom seen;
};
Result<Entrance> Enter(Connection& db, const std::string& room, const std::string& user) {
  FW_ASSIGN(std::optional<SeenRoom> seen, store::FindRoom(db, room, user));
  if (!seen || !seen->visible()) return Entrance{};
  if (!seen->is_member()) return Entrance{Outcome::kForbidden, {}};
  return Entrance{Outcome::kDone, *std::move(seen)};
}

Result<std::optional<Person>> ReadPerson(Connection& db, const std::string& user) {
  store::Statement select =
      db.Prepare("SELECT id, name, display_name FROM users WHERE id = ? AND locked = 0");
  select.Bind(1, user);
  FW_ASSIGN(const bool found, select.Step());
  if (!found) return std::optional<Person>();
  return std::optional(Person{select.Text(0), select.Text(1), select.Text(2)});
}

Result<Opened> OpenRoom(Connection& db, const std::string& user, const RoomWish& wish) {
  Opened opened;
  FW_ASSIGN(Entrance entrance, Enter(db, wish.room, user));
  opened.outcome = entrance.outcome;
  if (opened.outcome != Outcome::kDone) return opened;
  opened.room = std::move(entrance.seen.room);
  opened.role = store::MembershipName(entrance.seen.membership);
  opened.last = opened.room.last_number;
  if (!wish.since || !wish.after) return opened;
  FW_ASSIGN(opened.changed,
            store::MessagesChangedSince(db, wish.room, std::min(*wish.after, opened.last),
                                        kChangesLookedAt, *wish.since - kCommitSlack));
  return opened;
}

Result<Page> ReadPage(Connection& db, const Records::PageWish& wish) {
  Page page;
  FW_ASSIGN(const std::optional<SeenRoom> seen, store::FindRoom(db, wish.room, ""));
  if (!seen) return page;
  page.outcome = Outcome::kDone;
  const store::MessageLimit limit{.messages = wish.limit, .octets = Records::kPageOctets};
  if (wish.after) {
    FW_ASSIGN(page.messages, store::MessagesAfter(db, wish.room, *wish.after, limit));
    page.more = !page.messages.empty() && page.messages.back().number < seen->room.last_number;
    return page;
  }
  FW_ASSIGN(page.messages, store::MessagesBefore(db, wish.room, wish.before.value_or(0), limit));
  std::reverse(page.messages.begin(), page.messages.end());
  page.more = !page.messages.empty() && page.messages.front().number > 1;
  return page;
}

Result<Written> AddMessage(Connection& db, const store::NewMessage& message) {
  Written written;
  FW_ASSIGN(Entrance entrance, Enter(db, message.room, message.author));
  written.outcome = entrance.outcome;
  if (written.outcome != Outcome::kDone) return written;
  FW_ASSIGN(store::Appended appended, store::AppendMessage(db, message));
  if (appended.repeated) written.outcome = Outcome::kRepeated;
  written.message = std::move(appended.message);
  written.room = std::move(entrance.seen.room);
  return written;
}

Result<Written> ChangeMessage(
    Connection& db, const std::string& user, const std::string& room,
    const std::function<Result<store::ChangedMessage>(const SeenRoom&)>& change) {
  Written written;
  FW_ASSIGN(Entrance entrance, Enter(db, room, user));
  written.outcome = entrance.outcome;
  if (written.outcome != Outcome::kDone) return written;
  FW_ASSIGN(store::ChangedMessage changed, change(entrance.seen));
  written.outcome = Of(changed.outcome);
  written.message = std::move(changed.message);
  written.room = std::move(entrance.seen.room);
  return written;
}

Result<Begun> BeginAnswerOf(Connection& db, const store::NewMessage& answer, int64_t context) {
  Begun begun;
  FW_ASSIGN(const std::optional<SeenRoom> seen, store::FindRoom(db, answer.room, ""));
  if (!seen) return begun;
  FW_ASSIGN(store::Appended appended, store::AppendMessage(db, answer));
  begun.message = std::move(appended.message);
  FW_ASSIGN(begun.context, store::MessagesBefore(db, answer.room, begun.message.number,
                                                 {.messages = context, .octets = 0}));
  std::reverse(begun.context.begin(), begun.context.end());
  begun.outcome = Outcome::kDone;
  return begun;
}

class DatabaseRecords final : public Records {
 public:
  explicit DatabaseRecords(store::Database& database) : database_(database) {}

  void FindPerson(std::string user, Done<std::optional<Person>> done) override {
    database_.Read<std::optional<Person>>(
        [user = std::move(user)](Connection& db) { return ReadPerson(db, user); }, std::move(done));
  }
  void Open(std::string user, RoomWish wish, Done<Opened> done) override {
    database_.Read<Opened>([user = std::move(user), wish = std::move(wish)](
                               Connection& db) { return OpenRoom(db, user, wish); },
                           std::move(done));
  }
  void Read(PageWish wish, Done<Page> done) override {
    database_.Read<Page>([wish = std::move(wish)](Connection& db) { return ReadPage(db, wish); },
                         std::move(done));
  }
  void Add(std::string user, std::string room, std::string client_id, std::string text,
           Done<Written> done) override {
    store::NewMessage message;
    message.room = std::move(room);
    message.author = std::move(user);
    message.client_id = std::move(client_id);
    message.text = std::move(text);
    message.created = UnixMilliseconds();
    database_.Write<Written>(
        [message = std::move(message)](Connection& db) { return AddMessage(db, message); },
        std::move(done));
  }
  void Edit(std::string user, std::string room, int64_t number, std::string text,
            Done<Written> done) override {
    database_.Write<Written>(
        [user = std::move(user), room = std::move(room), number, text = std::move(text),
         now = UnixMilliseconds()](Connection& db) {
          return ChangeMessage(db, user, room, [&](const SeenRoom&) {
            return store::EditMessage(db, room, number, user, text, now);
          });
        },
        std::move(done));
  }
  void Delete(std::string user, std::string room, int64_t number, Done<Written> done) override {
    database_.Write<Written>(
        [user = std::move(user), room = std::move(room), number,
         now = UnixMilliseconds()](Connection& db) {
          return ChangeMessage(db, user, room, [&](const SeenRoom& seen) {
            return store::DeleteMessage(db, room, number, user, seen.is_owner(), now);
          });
        },
        std::move(done));
  }
  void BeginAnswer(std::string room, std::string asked_by, std::string model, int64_t context,
                   Done<Begun> done) override {
    store::NewMessage answer;
    answer.room = std::move(room);
    answer.role = "assistant";
    answer.asked_by = std::move(asked_by);
    answer.model = std::move(model);
    answer.state = "cut";
    answer.created = UnixMilliseconds();
    database_.Write<Begun>([answer = std::move(answer),
                            context](Connection& db) { return BeginAnswerOf(db, answer, context); },
                           std::move(done));
  }
  void SaveAnswer(std::string id, std::string text, std::string state, Done<bool> done) override {
    database_.Write<bool>(
        [id = std::move(id), text = std::move(text), state = std::move(state),
         now = UnixMilliseconds()](Connection& db) {
          return store::SaveAnswer(db, id, text, state, now);
        },
        std::move(done));
  }

 private:
  store::Database& database_;
};

}  // namespace

std::unique_ptr<Records> MakeDatabaseRecords(store::Database& database) {
  return std::make_unique<DatabaseRecords>(database);
}

}  // namespace framewall::backend::chat
