#include "backend/store/idempotency.h"

#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class IdempotencyTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    AddUser("anna", "anna");
    AddUser("boris", "boris");
  }
  static SavedAnswer Answer(const std::string& user, const std::string& key, int64_t created) {
    return SavedAnswer{user, key, "createRoom", std::string("\0\xff", 2), 201, "{}", created};
  }
  std::optional<SavedAnswer> Find(const std::string& user, const std::string& key,
                                  int64_t not_before) {
    return Must([&](Connection& c) { return FindSavedAnswer(c, user, key, not_before); });
  }
};

TEST_F(IdempotencyTest, AnAnswerIsFoundUntilItIsTooOld) {
  Must([](Connection& c) { return InsertSavedAnswer(c, Answer("anna", "k", 100), 0); });
  const auto found = Find("anna", "k", 100);
  ASSERT_TRUE(found);
  EXPECT_EQ("createRoom", found->operation);
  EXPECT_EQ(std::string("\0\xff", 2), found->request);
  EXPECT_EQ(201, found->status);
  EXPECT_EQ("{}", found->body);
  EXPECT_FALSE(Find("anna", "k", 101));
  EXPECT_FALSE(Find("boris", "k", 0));
  EXPECT_FALSE(Find("anna", "other", 0));
}

TEST_F(IdempotencyTest, ASecondOneIsRefusedUntilThen) {
  Must([](Connection& c) { return InsertSavedAnswer(c, Answer("anna", "k", 100), 0); });
  EXPECT_EQ(ErrorKind::kRefused, FailureOf([](Connection& c) {
              return InsertSavedAnswer(c, Answer("anna", "k", 200), 100);
            }));
  EXPECT_EQ(100, Find("anna", "k", 0)->created);
  Must([](Connection& c) { return InsertSavedAnswer(c, Answer("anna", "k", 200), 101); });
  EXPECT_EQ(200, Find("anna", "k", 0)->created);
  Must([](Connection& c) { return InsertSavedAnswer(c, Answer("boris", "k", 200), 101); });
}

TEST_F(IdempotencyTest, ExpiresInPieces) {
  for (int i = 0; i < 5; ++i) {
    Must([&](Connection& c) {
      return InsertSavedAnswer(c, Answer("anna", std::to_string(i), 100 + i), 0);
    });
  }
  const auto expire = [&](int64_t before, int64_t limit) {
    return Must([&](Connection& c) { return ExpireSavedAnswers(c, before, limit); });
  };
  EXPECT_EQ(2, expire(104, 2));
  EXPECT_EQ(2, expire(104, 3));
  EXPECT_EQ(0, expire(104, 3));
  EXPECT_TRUE(Find("anna", "4", 0));
}

}  // namespace
}  // namespace framewall::backend::store
