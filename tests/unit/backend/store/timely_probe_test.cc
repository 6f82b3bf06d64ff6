#include "backend/store/timely_probe.h"

#include <future>

#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

using std::chrono::milliseconds;

class TimelyProbeTest : public testing::Test {
 protected:
  TimelyProbe::Question Question() {
    return [this](TimelyProbe::Done done) {
      ++asked;
      answer = std::move(done);
    };
  }
  TimelyProbe::Done Told() {
    return [this](const Status& status) {
      if (status.ok()) ++good;
      if (!status.ok() && status.error().kind == ErrorKind::kTimeout) ++late;
      if (!status.ok() && status.error().kind == ErrorKind::kSystem) ++failed;
    };
  }

  event::EventLoop loop;
  TimelyProbe::Done answer;
  int asked = 0;
  int good = 0;
  int late = 0;
  int failed = 0;
};

TEST_F(TimelyProbeTest, WhoeverComesMeanwhileSharesTheAnswer) {
  TimelyProbe probe(loop, Question(), std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) probe.Ask(Told());
  EXPECT_EQ(1, asked);
  EXPECT_EQ(0, good);
  answer(OkStatus());
  EXPECT_EQ(3, good);
  probe.Ask(Told());
  EXPECT_EQ(2, asked);
  answer(SystemError("the disk reports an error", 5));
  EXPECT_EQ(1, failed);
  EXPECT_EQ(0, late);
}

TEST_F(TimelyProbeTest, NobodyWaitsLongerThanItsPatience) {
  TimelyProbe probe(loop, Question(), milliseconds(30));
  probe.Ask(Told());
  probe.Ask(Told());
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(0, late);
  ASSERT_TRUE(RunUntil(loop, [this] { return late > 0; }));
  EXPECT_EQ(2, late);
  // At once, and without another question.
  probe.Ask(Told());
  EXPECT_EQ(3, late);
  EXPECT_EQ(1, asked);
  // The answer that comes at last tells nobody twice, and the next one asks again.
  answer(OkStatus());
  EXPECT_EQ(3, late);
  EXPECT_EQ(0, good);
  probe.Ask(Told());
  EXPECT_EQ(2, asked);
  answer(OkStatus());
  EXPECT_EQ(1, good);
}

TEST_F(TimelyProbeTest, AnAnswerAtOnceIsTold) {
  TimelyProbe probe(
      loop, [](const TimelyProbe::Done& done) { done(OkStatus()); }, milliseconds(1));
  probe.Ask(Told());
  probe.Ask(Told());
  EXPECT_EQ(2, good);
}

// A database whose writer stands still, as one whose disk hangs.
TEST_F(TimelyProbeTest, OfADatabaseThatStandsStill) {
  test::TempDir directory;
  auto opened = SqliteDatabase::Open(loop, {.path = directory.File("framewall.db")});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  SqliteDatabase& db = **opened;
  TimelyProbe probe(
      loop, [&db](TimelyProbe::Done done) { db.Probe(std::move(done)); }, milliseconds(100));
  probe.Ask(Told());
  ASSERT_TRUE(RunUntil(loop, [this] { return good + late > 0; }));
  EXPECT_EQ(1, good);
  std::promise<void> gate;
  bool written = false;
  db.Write<bool>(
      [open = gate.get_future().share()](Connection&) -> Result<bool> {
        open.wait();
        return true;
      },
      [&written](const Result<bool>& done) { written = done.ok(); });
  probe.Ask(Told());
  EXPECT_TRUE(RunUntil(loop, [this] { return late > 0; }));
  for (int i = 0; i < 100; ++i) probe.Ask(Told());
  EXPECT_EQ(101, late);
  EXPECT_LE(db.counts().writes_waiting, 1u);
  gate.set_value();
  EXPECT_TRUE(RunUntil(loop, [&] { return written && db.counts().writes_waiting == 0; }));
  // Its late answer may come after the write was told.
  EXPECT_TRUE(RunUntil(loop, [this, &probe] {
    probe.Ask(Told());
    return good > 1;
  }));
  opened->reset();
}

}  // namespace
}  // namespace framewall::backend::store
