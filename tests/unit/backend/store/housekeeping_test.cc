#include "backend/store/housekeeping.h"

#include "backend/base/time.h"
#include "backend/store/idempotency.h"
#include "backend/store/messages.h"
#include "backend/store/rooms.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class HousekeepingTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    AddUser("anna", "anna");
  }
};

// More than a piece holds of what is to go, and some of what stays.
TEST_F(HousekeepingTest, RemovesWhatIsDueAndNothingElse) {
  const int64_t now = UnixMilliseconds();
  const int64_t many = Housekeeping::kPiece + 20;
  Must([&](Connection& c) -> Status {
    for (const char* id : {"gone", "stays"}) {
      Room room;
      room.id = id;
      room.owner = "anna";
      FW_TRY(InsertRoom(c, room));
      NewMessage message;
      message.room = id;
      message.author = "anna";
      for (int64_t i = 0; i < many; ++i) FW_TRY(AppendMessage(c, message));
    }
    FW_TRY(DeleteRoom(c, "gone", now));
    for (const int64_t age : {kSavedAnswerMilliseconds + 1000, kSavedAnswerMilliseconds - 60'000}) {
      FW_TRY(InsertSavedAnswer(
          c, SavedAnswer{"anna", std::to_string(age), "o", "", 200, "", now - age}, 0));
    }
    return {};
  });
  const Housekeeping housekeeping(loop, *db, std::chrono::milliseconds(1));
  ASSERT_TRUE(RunUntil(loop, [&] { return Number("SELECT count(*) FROM rooms") == 1; }));
  EXPECT_EQ(many, Number("SELECT count(*) FROM messages"));
  EXPECT_EQ(1, Number("SELECT count(*) FROM idempotency"));
}

TEST_F(HousekeepingTest, MayEndWhileItWorks) {
  {
    const Housekeeping housekeeping(loop, *db, std::chrono::milliseconds(0));
    loop.RunOnce(std::chrono::milliseconds(20));
  }
  db.reset();
}

}  // namespace
}  // namespace framewall::backend::store
