// How long an Idempotency-Key stands, and for what; the rest is shown with the real program.
#include "backend/api/once.h"

#include <gtest/gtest.h>

#include "backend/store/users.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::api {
namespace {

constexpr int64_t kNow = int64_t{1'800'000'000'000};

class Once : public store::StoreTest {
 protected:
  void SetUp() override {
    Open();
    store::User user;
    user.id = "u1";
    user.name = user.display_name = "ann";
    user.password = "!";
    Must([&](store::Connection& c) { return store::InsertUser(c, user); });
  }
  // "none", the body that is kept, or the code of the refusal.
  std::string Find(const IdempotencyKey& key, int64_t now) {
    const auto told = Write<std::string>([&](store::Connection& c) -> Result<std::string> {
      Outcome<std::optional<Made>> outcome = FindMade(c, key, now);
      if (outcome.is_error()) return std::move(outcome).error();
      if (outcome.is_refused()) return std::move(outcome).refused().problem.code;
      const std::optional<Made> made = std::move(outcome).value();
      return made ? made->body : "none";
    });
    return told.ok() ? *told : told.error().message;
  }
  void Keep(const IdempotencyKey& key, const std::string& body, int64_t now) {
    Must(
        [&](store::Connection& c) { return KeepMade(c, key, {.status = 201, .body = body}, now); });
  }

  const IdempotencyKey key_ = {
      .user = "u1", .key = "k", .operation = "createRoom /rooms", .request = "hash"};
};

TEST_F(Once, IsKeptADay) {
  EXPECT_EQ(Find(key_, kNow), "none");
  Keep(key_, "{}", kNow);
  EXPECT_EQ(Find(key_, kNow), "{}");
  EXPECT_EQ(Find(key_, kNow + kIdempotencyTime), "{}");
  EXPECT_EQ(Find(key_, kNow + kIdempotencyTime + 1), "none");
  Keep(key_, "{\"later\":1}", kNow + kIdempotencyTime + 1);
  EXPECT_EQ(Find(key_, kNow + kIdempotencyTime + 1), "{\"later\":1}");
}

TEST_F(Once, StandsForOneOperationAndBody) {
  Keep(key_, "{}", kNow);
  IdempotencyKey other = key_;
  other.request = "another hash";
  EXPECT_EQ(Find(other, kNow), "idempotency_key_reused");
  other = key_;
  other.operation = "createRoom /elsewhere";
  EXPECT_EQ(Find(other, kNow), "idempotency_key_reused");
  other = key_;
  other.key = "K";
  EXPECT_EQ(Find(other, kNow), "none");
}

}  // namespace
}  // namespace framewall::backend::api
