#include "proxy/filter/password_checks.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "proxy/event/loop.h"

namespace framewall::filter {
namespace {

using Answer = PasswordAnswer;

// "password" each; the second costs some 15 milliseconds.
constexpr char kFast[] = "$5$rounds=1000$saltsalt$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9";
constexpr char kSlow[] = "$y$j9T$abcdefghijklmnop$7asOTx5b6Exfl3myM6K0pLBn.I2hsEvu7G0F7NMfaO.";
constexpr char kPlain[] = "{PLAIN}password";

class Checks : public ::testing::Test {
 protected:
  void Make(PasswordLimits limits) {
    checks_.reset();
    checks_ = std::make_unique<PasswordChecks>(loop_, limits);
    checks_->count = [this](std::string_view outcome) { counted_.append(outcome).append(" "); };
  }
  void SetUp() override { Make({}); }

  static PasswordQuestion Question(std::string_view user, std::string_view password,
                                   std::string_view stored, int remember_ms = 0) {
    return {user, password, stored, true, Milliseconds(remember_ms)};
  }
  // A question that is under way, and its answer once it is there.
  struct Asked {
    std::optional<Answer> at_once;
    std::optional<Answer> later;
    std::unique_ptr<PasswordChecks::Wait> wait;
    std::optional<Answer> answer() const { return at_once ? at_once : later; }
  };
  std::unique_ptr<Asked> Begin(const PasswordQuestion& question) {
    auto asked = std::make_unique<Asked>();
    Asked* raw = asked.get();
    asked->at_once = checks_->Ask(
        question, [raw](Answer answer) { raw->later = answer; }, &asked->wait);
    return asked;
  }
  std::optional<Answer> Finish(const std::unique_ptr<Asked>& asked) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!asked->answer() && std::chrono::steady_clock::now() < deadline) {
      loop_.RunOnce(Milliseconds(50));
    }
    return asked->answer();
  }
  std::optional<Answer> Ask(const PasswordQuestion& question) { return Finish(Begin(question)); }

  event::EventLoop loop_;
  std::unique_ptr<PasswordChecks> checks_;
  std::string counted_;
};

TEST_F(Checks, AnswerWhatIsQuickAtOnce) {
  EXPECT_EQ(Begin(Question("u", "password", kPlain))->at_once, Answer::kFits);
  EXPECT_EQ(Begin(Question("u", "Password", kPlain))->at_once, Answer::kDiffers);
  PasswordQuestion unknown = Question("u", "password", kPlain);
  unknown.is_known = false;
  EXPECT_EQ(Begin(unknown)->at_once, Answer::kDiffers);
  EXPECT_EQ(counted_, "right wrong wrong ");
}

TEST_F(Checks, AnswerWhatIsSlowLater) {
  const auto right = Begin(Question("u", "password", kFast));
  const auto wrong = Begin(Question("u", "Password", kFast));
  const auto broken = Begin(Question("u", "password", "$9$"));
  EXPECT_FALSE(right->at_once || wrong->at_once || broken->at_once);
  EXPECT_EQ(Finish(right), Answer::kFits);
  EXPECT_EQ(Finish(wrong), Answer::kDiffers);
  EXPECT_EQ(Finish(broken), Answer::kUnusable);
}

TEST_F(Checks, WhoIsNotKnownNeverFits) {
  PasswordQuestion question = Question("u", "password", kFast, 1000);
  question.is_known = false;
  EXPECT_EQ(Ask(question), Answer::kDiffers);
  EXPECT_EQ(Ask(question), Answer::kDiffers);
  // Nor does he make anybody fit, or the other way round.
  EXPECT_EQ(Ask(Question("u", "password", kFast, 1000)), Answer::kFits);
  EXPECT_EQ(Ask(question), Answer::kDiffers);
  question.stored = "";
  EXPECT_EQ(Ask(question), Answer::kDiffers);
}

TEST_F(Checks, RememberARightPasswordForItsTime) {
  EXPECT_EQ(Ask(Question("u", "password", kFast, 60'000)), Answer::kFits);
  EXPECT_EQ(Begin(Question("u", "password", kFast, 60'000))->at_once, Answer::kFits);
  EXPECT_EQ(counted_, "right remembered ");
  // Another password, user or entry, and who does not want it remembered.
  EXPECT_FALSE(Begin(Question("u", "Password", kFast, 60'000))->at_once);
  EXPECT_FALSE(Begin(Question("v", "password", kFast, 60'000))->at_once);
  EXPECT_FALSE(Begin(Question("u", "password", kSlow, 60'000))->at_once);
  EXPECT_FALSE(Begin(Question("u", "password", kFast))->at_once);
  // What belongs to one part is not taken for another's.
  EXPECT_FALSE(Begin(Question("up", "assword", kFast, 60'000))->at_once);
  // Its time is over.
  const auto until = std::chrono::steady_clock::now() + Milliseconds(30);
  while (std::chrono::steady_clock::now() < until) loop_.RunOnce(Milliseconds(5));
  UpdateCachedNow();
  EXPECT_FALSE(Begin(Question("u", "password", kFast, 20))->at_once);
}

TEST_F(Checks, DoNotRememberWrongPasswordsNorUnwanted) {
  EXPECT_EQ(Ask(Question("u", "wrong", kFast, 60'000)), Answer::kDiffers);
  EXPECT_FALSE(Begin(Question("u", "wrong", kFast, 60'000))->at_once);
  EXPECT_EQ(Ask(Question("u", "password", kFast, 0)), Answer::kFits);
  EXPECT_FALSE(Begin(Question("u", "password", kFast, 60'000))->at_once);
}

TEST_F(Checks, ForgetTheOldestWhereThereIsNoRoom) {
  PasswordLimits limits;
  limits.remembered = 2;
  Make(limits);
  for (const char* user : {"a", "b"}) {
    EXPECT_EQ(Ask(Question(user, "password", kFast, 60'000)), Answer::kFits);
  }
  EXPECT_TRUE(Begin(Question("a", "password", kFast, 60'000))->at_once);
  EXPECT_EQ(Ask(Question("c", "password", kFast, 60'000)), Answer::kFits);
  EXPECT_TRUE(Begin(Question("b", "password", kFast, 60'000))->at_once);
  EXPECT_TRUE(Begin(Question("c", "password", kFast, 60'000))->at_once);
  EXPECT_FALSE(Begin(Question("a", "password", kFast, 60'000))->at_once);
}

TEST_F(Checks, AskTheSameOnce) {
  PasswordLimits limits;
  limits.threads = 1;
  limits.queue = 0;
  Make(limits);
  std::vector<std::unique_ptr<Asked>> asked;
  for (int i = 0; i < 5; ++i) asked.push_back(Begin(Question("u", "password", kSlow)));
  EXPECT_EQ(Begin(Question("v", "password", kSlow))->at_once, Answer::kNoRoom);
  asked[2]->wait.reset();
  for (const int i : {0, 1, 3, 4}) EXPECT_EQ(Finish(asked[static_cast<size_t>(i)]), Answer::kFits);
  EXPECT_FALSE(asked[2]->answer());
  EXPECT_EQ(counted_, "refused right right right right ");
}

TEST_F(Checks, HaveRoomAgainWhenNobodyWaits) {
  PasswordLimits limits;
  limits.threads = 1;
  limits.queue = 1;
  Make(limits);
  const auto runs = Begin(Question("a", "password", kSlow));
  auto waits = Begin(Question("b", "password", kSlow));
  EXPECT_EQ(Begin(Question("c", "password", kSlow))->at_once, Answer::kNoRoom);
  waits.reset();
  const auto next = Begin(Question("c", "password", kSlow));
  EXPECT_FALSE(next->at_once);
  EXPECT_EQ(Finish(runs), Answer::kFits);
  EXPECT_EQ(Finish(next), Answer::kFits);
}

TEST_F(Checks, EndAWaitThatIsTooLong) {
  PasswordLimits limits;
  limits.longest_wait = Milliseconds(1);
  Make(limits);
  const auto first = Begin(Question("u", "password", kSlow));
  const auto second = Begin(Question("u", "password", kSlow));
  EXPECT_EQ(Finish(first), Answer::kTooLate);
  EXPECT_EQ(second->answer(), Answer::kTooLate);
  EXPECT_EQ(counted_, "refused refused ");
}

TEST_F(Checks, WhoIsAnsweredMayEndEveryWait) {
  std::unique_ptr<PasswordChecks::Wait> first;
  std::unique_ptr<PasswordChecks::Wait> second;
  int called = 0;
  const auto done = [&](Answer) {
    ++called;
    first.reset();
    second.reset();
  };
  EXPECT_FALSE(checks_->Ask(Question("u", "password", kSlow), done, &first));
  EXPECT_FALSE(checks_->Ask(Question("u", "password", kSlow), done, &second));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (called == 0 && std::chrono::steady_clock::now() < deadline) {
    loop_.RunOnce(Milliseconds(50));
  }
  loop_.RunOnce(Milliseconds(0));
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace framewall::filter
