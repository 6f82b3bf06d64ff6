// Accounts, sessions, keys and the trail of log-ins, over a real database.
#include <gtest/gtest.h>

#include "backend/base/id.h"
#include "backend/store/api_keys.h"
#include "backend/store/login_audit.h"
#include "backend/store/sessions.h"
#include "backend/store/users.h"
#include "proxy/base/digest.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

using Ids = std::vector<std::string>;

class Accounts : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    ann = Add("ann");
    bob = Add("bob");
  }
  std::string Add(const std::string& name, Role role = Role::kUser) {
    const std::string id = NewId();
    EXPECT_TRUE(Do([&](Connection& c) { return InsertUser(c, UserOf(id, name, role)); }).ok());
    return id;
  }
  static User UserOf(const std::string& id, const std::string& name, Role role = Role::kUser) {
    return {.id = id,
            .name = name,
            .display_name = name,
            .password = "$y$hash",
            .must_change_password = false,
            .role = role,
            .locked = false,
            .created = 1,
            .changed = 1};
  }
  Status Do(std::function<Status(Connection&)> work) {
    const auto done = Write<bool>([&](Connection& c) -> Result<bool> {
      FW_TRY(work(c));
      return true;
    });
    return done.ok() ? OkStatus() : Status(done.error());
  }
  std::string NewSession(const std::string& user, const std::string& token,
                         int64_t expires = 1000) {
    const Session session{.id = NewId(),
                          .user = user,
                          .created = 10,
                          .expires = expires,
                          .last_used = 10,
                          .address = "192.0.2.1",
                          .user_agent = "test"};
    EXPECT_TRUE(Do([&](Connection& c) { return InsertSession(c, session, Sha256(token)); }).ok());
    return session.id;
  }
  Refresh Use(const std::string& token, const std::string& next, int64_t now = 100,
              int64_t expires = 2000) {
    return Write<Refresh>([&](Connection& c) {
             return UseRefreshToken(c, Sha256(token), Sha256(next), now, expires);
           })
        .value();
  }

  std::string ann;
  std::string bob;
};

TEST_F(Accounts, AreFoundByIdAndName) {
  const auto found =
      Read<std::optional<User>>([&](Connection& c) { return FindUserByName(c, "ann"); }).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, ann);
  EXPECT_EQ(found->password, "$y$hash");
  const auto by_id =
      Read<std::optional<User>>([&](Connection& c) { return FindUser(c, bob); }).value();
  EXPECT_EQ(by_id->name, "bob");
  EXPECT_FALSE(Read<std::optional<User>>([&](Connection& c) { return FindUser(c, "x"); }).value());
}

TEST_F(Accounts, ANameIsTakenOnce) {
  const Status again = Do([&](Connection& c) { return InsertUser(c, UserOf(NewId(), "ann")); });
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, ErrorKind::kRefused);
}

TEST_F(Accounts, AreListedInPages) {
  const auto names = [&](const std::string& after, int64_t limit) {
    std::string text;
    const auto users =
        Read<std::vector<User>>([&](Connection& c) { return ListUsers(c, after, limit); });
    for (const User& user : users.value()) text += user.name + " ";
    return text;
  };
  EXPECT_EQ(names("", 10), "ann bob ");
  EXPECT_EQ(names("", 1), "ann ");
  EXPECT_EQ(names(ann, 10), "bob ");
  EXPECT_EQ(names(bob, 10), "");
}

TEST_F(Accounts, AreChanged) {
  EXPECT_TRUE(Do([&](Connection& c) -> Status {
                FW_TRY(SetPassword(c, ann, "new", true, 5));
                FW_TRY(SetLocked(c, ann, true, 6));
                FW_TRY(SetRole(c, ann, Role::kAdmin, 7));
                FW_TRY(SetDisplayName(c, ann, "Анна", 8));
                return OkStatus();
              }).ok());
  const User user =
      *Read<std::optional<User>>([&](Connection& c) { return FindUser(c, ann); }).value();
  EXPECT_EQ(user.password, "new");
  EXPECT_TRUE(user.must_change_password);
  EXPECT_TRUE(user.locked);
  EXPECT_EQ(user.role, Role::kAdmin);
  EXPECT_EQ(user.display_name, "Анна");
  EXPECT_EQ(user.changed, 8);
  EXPECT_EQ(Write<int64_t>([&](Connection& c) { return SetLocked(c, "x", true, 6); }).value(), 0);
}

TEST_F(Accounts, AdministratorsWhoAreLockedDoNotCount) {
  const std::string first = Add("first", Role::kAdmin);
  const auto count = [&](const std::string& other_than) {
    return Read<int64_t>([&](Connection& c) { return CountAdmins(c, other_than); }).value();
  };
  EXPECT_EQ(count(""), 1);
  EXPECT_EQ(count(first), 0);
  const std::string second = Add("second", Role::kAdmin);
  EXPECT_EQ(count(first), 1);
  ASSERT_TRUE(Write<int64_t>([&](Connection& c) { return SetLocked(c, second, true, 6); }).ok());
  EXPECT_EQ(count(first), 0);
  EXPECT_EQ(Read<int64_t>([&](Connection& c) { return CountAdminsAndLocked(c); }).value(), 2);
}

TEST_F(Accounts, ARefreshTokenIsUsedOnceAndGivesTheNext) {
  const std::string session = NewSession(ann, "one");
  const Refresh first = Use("one", "two");
  EXPECT_EQ(first.outcome, Refresh::Outcome::kDone);
  EXPECT_EQ(first.session, session);
  EXPECT_EQ(first.user->name, "ann");
  EXPECT_EQ(Use("two", "three").outcome, Refresh::Outcome::kDone);
  EXPECT_EQ(Number("SELECT expires FROM sessions"), 2000);
  EXPECT_EQ(Number("SELECT count(*) FROM refresh_tokens WHERE used IS NULL"), 1);
  EXPECT_EQ(Use("nothing", "x").outcome, Refresh::Outcome::kUnknown);
}

TEST_F(Accounts, AnOldRefreshTokenEndsItsFamilyAndNoOther) {
  const std::string session = NewSession(ann, "one");
  NewSession(ann, "other");
  ASSERT_EQ(Use("one", "two").outcome, Refresh::Outcome::kDone);
  const Refresh reused = Use("one", "evil");
  EXPECT_EQ(reused.outcome, Refresh::Outcome::kReused);
  EXPECT_EQ(reused.session, session);
  EXPECT_EQ(Use("two", "three").outcome, Refresh::Outcome::kUnknown) << "the good one is over too";
  EXPECT_EQ(Use("evil", "x").outcome, Refresh::Outcome::kUnknown);
  EXPECT_EQ(Use("other", "x").outcome, Refresh::Outcome::kDone);
  EXPECT_EQ(Number("SELECT count(*) FROM sessions WHERE end_reason = 'reuse'"), 1);
}

TEST_F(Accounts, ASessionHoldsUntilItsEnd) {
  NewSession(ann, "one", 100);
  EXPECT_EQ(Use("one", "two", 100).outcome, Refresh::Outcome::kUnknown);
  EXPECT_EQ(Use("one", "two", 99).outcome, Refresh::Outcome::kDone);
}

TEST_F(Accounts, ALockedUserRefreshesNothing) {
  NewSession(ann, "one");
  ASSERT_TRUE(Write<int64_t>([&](Connection& c) { return SetLocked(c, ann, true, 6); }).ok());
  EXPECT_EQ(Use("one", "two").outcome, Refresh::Outcome::kLocked);
  ASSERT_TRUE(Write<int64_t>([&](Connection& c) { return SetLocked(c, ann, false, 7); }).ok());
  EXPECT_EQ(Use("one", "two").outcome, Refresh::Outcome::kUnknown);
}

TEST_F(Accounts, SessionsEndOneByOneOrTogether) {
  const std::string first = NewSession(ann, "one");
  const std::string second = NewSession(ann, "two");
  const std::string bobs = NewSession(bob, "three");
  const auto end = [&](const std::string& id) {
    return Write<bool>([&](Connection& c) { return EndSession(c, id, "logout", 50); }).value();
  };
  EXPECT_TRUE(end(first));
  EXPECT_FALSE(end(first));
  EXPECT_FALSE(end("x"));
  const std::string third = NewSession(ann, "four");
  EXPECT_EQ(Write<Ids>([&](Connection& c) {
              return EndSessionsOf(c, ann, "password", 60, third);
            }).value(),
            Ids{second});
  EXPECT_EQ(Write<Ids>([&](Connection& c) { return EndSessionsOf(c, ann, "lock", 70); }).value(),
            Ids{third});
  EXPECT_EQ(Use("three", "x").session, bobs);
  const auto since = [&](int64_t at) {
    return Read<std::vector<EndedSession>>([&](Connection& c) { return SessionsEndedSince(c, at); })
        .value()
        .size();
  };
  EXPECT_EQ(since(50), 3u);
  EXPECT_EQ(since(51), 2u);
  EXPECT_EQ(since(71), 0u);
}

TEST_F(Accounts, OldSessionsAreForgotten) {
  NewSession(ann, "one", 100);
  NewSession(ann, "two", 5000);
  ASSERT_EQ(Use("two", "three", 50, 5000).outcome, Refresh::Outcome::kDone);
  const auto clean = [&](int64_t now, int64_t ended_before, int64_t used_before) {
    return Write<int64_t>(
               [&](Connection& c) { return CleanSessions(c, now, ended_before, used_before); })
        .value();
  };
  EXPECT_EQ(clean(100, 100, 50), 0) << "ended at 100, which is not before 100";
  EXPECT_EQ(Number("SELECT count(*) FROM sessions WHERE end_reason = 'expired'"), 1);
  EXPECT_EQ(clean(101, 101, 51), 3) << "a session, its token, and a used one";
  EXPECT_EQ(Use("three", "four", 102).outcome, Refresh::Outcome::kDone);
}

class Keys : public Accounts {
 protected:
  ApiKey KeyOf(const std::string& text, const std::string& user, bool service = false) {
    return {.id = NewId(),
            .user = user,
            .name = text,
            .hash = Sha256(text),
            .hint = "fw_",
            .service = service,
            .scopes = {"llm", "chat"},
            .created = 1,
            .expires = 0,
            .last_used = 0};
  }
  std::string Insert(const ApiKey& key) {
    EXPECT_TRUE(Do([&](Connection& c) { return InsertApiKey(c, key); }).ok());
    return key.id;
  }
  std::optional<KeyOwner> Find(const std::string& text, int64_t now = 100) {
    return Read<std::optional<KeyOwner>>(
               [&](Connection& c) { return FindApiKey(c, Sha256(text), now); })
        .value();
  }
  bool Revoke(const std::string& id, const std::string& user, bool services_too = false) {
    return Write<std::optional<std::string>>(
               [&](Connection& c) { return RevokeApiKey(c, id, user, services_too, 100); })
        .value()
        .has_value();
  }
};

TEST_F(Keys, AreFoundByTheirHash) {
  Insert(KeyOf("one", ann));
  const auto found = Find("one");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user.name, "ann");
  EXPECT_EQ(found->key.scopes, (std::vector<std::string>{"llm", "chat"}));
  EXPECT_FALSE(Find("two"));
}

TEST_F(Keys, HoldUntilTheirEnd) {
  ApiKey key = KeyOf("one", ann);
  key.expires = 100;
  Insert(key);
  EXPECT_TRUE(Find("one", 99));
  EXPECT_FALSE(Find("one", 100));
}

TEST_F(Keys, OfALockedUserDoNotHold) {
  Insert(KeyOf("one", ann));
  ASSERT_TRUE(Write<int64_t>([&](Connection& c) { return SetLocked(c, ann, true, 6); }).ok());
  EXPECT_FALSE(Find("one"));
}

TEST_F(Keys, AreRevokedByTheirOwnerAndServicesByAdministrators) {
  const std::string own = Insert(KeyOf("own", ann));
  const std::string service = Insert(KeyOf("service", ann, true));
  EXPECT_FALSE(Revoke(own, bob));
  EXPECT_FALSE(Revoke(own, bob, true)) << "an administrator has no business with personal ones";
  EXPECT_FALSE(Revoke(service, bob));
  EXPECT_TRUE(Revoke(service, bob, true));
  EXPECT_TRUE(Revoke(own, ann));
  EXPECT_FALSE(Revoke(own, ann));
  EXPECT_FALSE(Find("own"));
  EXPECT_FALSE(Find("service"));
}

TEST_F(Keys, AreListedAndCounted) {
  const std::string first = Insert(KeyOf("first", ann));
  Insert(KeyOf("second", ann));
  Insert(KeyOf("bobs", bob));
  Insert(KeyOf("service", bob, true));
  const auto names = [&](const std::string& user, bool services_too, const std::string& after) {
    std::string text;
    const auto keys = Read<std::vector<ApiKey>>(
        [&](Connection& c) { return ListApiKeys(c, user, services_too, after, 10); });
    for (const ApiKey& key : keys.value()) text += key.name + " ";
    return text;
  };
  EXPECT_EQ(names(ann, false, ""), "first second ");
  EXPECT_EQ(names(ann, false, first), "second ");
  EXPECT_EQ(names(ann, true, ""), "first second service ");
  EXPECT_EQ(Read<int64_t>([&](Connection& c) { return CountApiKeys(c, ann); }).value(), 2);
  ASSERT_TRUE(Revoke(first, ann));
  EXPECT_EQ(names(ann, false, ""), "second ");
  EXPECT_EQ(Read<int64_t>([&](Connection& c) { return CountApiKeys(c, ann); }).value(), 1);
}

TEST_F(Accounts, TheTrailIsListedNewestFirst) {
  const auto add = [&](int64_t at, const std::string& user, const std::string& outcome,
                       const std::string& address = "192.0.2.1") {
    ASSERT_TRUE(Do([&](Connection& c) {
                  return InsertLogin(c, {.id = 0,
                                         .at = at,
                                         .name = "ann",
                                         .user = user,
                                         .address = address,
                                         .outcome = outcome});
                }).ok());
  };
  add(1, ann, "wrong_password");
  add(2, ann, "success");
  add(3, "", "unknown_user");
  add(4, bob, "success", "192.0.2.2");
  using Records = std::vector<LoginRecord>;
  const auto list = [&](int64_t before, int64_t limit) {
    return Read<Records>([&](Connection& c) { return ListLogins(c, ann, before, limit); }).value();
  };
  const Records all = list(0, 10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].outcome, "success");
  EXPECT_EQ(all[1].outcome, "wrong_password");
  EXPECT_EQ(list(0, 1).size(), 1u);
  EXPECT_EQ(list(all[0].id, 10).at(0).outcome, "wrong_password");

  const auto familiar = [&](const std::string& address, int64_t since) {
    return Read<bool>([&](Connection& c) { return HasLoggedInFrom(c, ann, address, since); })
        .value();
  };
  EXPECT_TRUE(familiar("192.0.2.1", 2));
  EXPECT_FALSE(familiar("192.0.2.1", 3));
  EXPECT_FALSE(familiar("192.0.2.2", 0));

  const auto clean = [&](int64_t before, int64_t most) {
    return Write<int64_t>([&](Connection& c) { return CleanLogins(c, before, most); }).value();
  };
  EXPECT_EQ(clean(1, 4), 0);
  EXPECT_EQ(clean(2, 4), 1);
  EXPECT_EQ(clean(0, 1), 2);
  EXPECT_EQ(Number("SELECT at FROM login_audit"), 4);
}

}  // namespace
}  // namespace framewall::backend::store
