#include "proxy/metrics/counters.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace framewall::metrics {
namespace {

using Labels = std::vector<std::string_view>;

// Lives as a worker does: in a slot of its own, until it exits or is killed.
template <class Body>
pid_t StartWorker(Registry& registry, size_t slot, Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    registry.UseSlot(slot);
    body();
    ::_exit(0);
  }
  return pid;
}

void Await(pid_t pid) {
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() {
    RegistryBuilder builder;
    total_ = builder.AddCounter("total", "All.");
    active_ = builder.AddGauge("active", "Open.");
    requests_ = builder.AddCounter("requests", "By server and status.", {"server", "status"}, 3);
    auto built = std::move(builder).Build(2);
    registry_ = std::move(built).value();
  }
  uint64_t Requests(std::string_view server, std::string_view status) const {
    const Family& family = registry_->families()[requests_.family];
    for (size_t set = 0; set < registry_->SetCount(family); ++set) {
      if (registry_->SetLabels(family, set) == Labels{server, status}) {
        return registry_->Sum(family, set);
      }
    }
    return 0;
  }
  size_t SetCount() const { return registry_->SetCount(registry_->families()[requests_.family]); }

  CounterId total_;
  GaugeId active_;
  CounterId requests_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryTest, CountsInOneProcess) {
  const Counter total = registry_->GetCounter(total_);
  total.Add();
  total.Add(41);
  EXPECT_EQ(registry_->Total(total_), 42u);
  registry_->GetGauge(active_).Add(3);
  registry_->GetGauge(active_).Add(-5);
  EXPECT_EQ(registry_->Total(active_), -2);
  registry_->GetGauge(active_).Set(7);
  EXPECT_EQ(registry_->Total(active_), 7);
}

TEST_F(RegistryTest, EmptyHandlesCountNothing) {
  Counter().Add();
  Gauge().Add(1);
  Gauge().Set(1);
  Histogram().Observe(1);
}

TEST_F(RegistryTest, LabelSetsAreApart) {
  registry_->GetCounter(requests_, {"a", "200"}).Add(1);
  registry_->GetCounter(requests_, {"a", "404"}).Add(2);
  registry_->GetCounter(requests_, {"a", "200"}).Add(4);
  registry_->GetCounter(requests_, {"", "a200"}).Add(8);
  EXPECT_EQ(Requests("a", "200"), 5u);
  EXPECT_EQ(Requests("a", "404"), 2u);
  EXPECT_EQ(Requests("", "a200"), 8u);
  EXPECT_EQ(registry_->Total(requests_), 15u);
}

TEST_F(RegistryTest, FullFamilyCountsAsOther) {
  for (std::string_view status : {"1", "2", "3", "4", "5"}) {
    registry_->GetCounter(requests_, {"a", status}).Add();
  }
  EXPECT_EQ(SetCount(), 4u);
  EXPECT_EQ(Requests("a", "3"), 1u);
  EXPECT_EQ(Requests("a", "4"), 0u);
  EXPECT_EQ(Requests("(other)", "(other)"), 2u);
  EXPECT_EQ(registry_->Total(requests_), 5u);
}

TEST_F(RegistryTest, ValuesAreMadeFitToPrint) {
  registry_->GetCounter(requests_, {"a\nb\x7f", "\xff\xc3"}).Add();
  EXPECT_EQ(Requests("a?b?", "??"), 1u);
  registry_->GetCounter(requests_, {"\xc3\xa4", "200"}).Add();
  EXPECT_EQ(Requests("\xc3\xa4", "200"), 1u);
}

TEST_F(RegistryTest, LongValuesAreCutBetweenCharacters) {
  // Two labels: 126 octets each.
  const std::string fits(126, 'a');
  registry_->GetCounter(requests_, {fits, "1"}).Add();
  registry_->GetCounter(requests_, {fits + "b", "1"}).Add();
  EXPECT_EQ(Requests(fits, "1"), 2u);
  const std::string wide = std::string(125, 'a') + "\xc3\xa4";
  registry_->GetCounter(requests_, {wide, wide}).Add();
  EXPECT_EQ(Requests(wide.substr(0, 125), wide.substr(0, 125)), 1u);
}

TEST_F(RegistryTest, SumsOverTwoProcesses) {
  constexpr int kRounds = 50000;
  const auto body = [this] {
    const Counter total = registry_->GetCounter(total_);
    for (int i = 0; i < kRounds; ++i) {
      total.Add();
      registry_->GetCounter(requests_, {"a", i % 2 == 0 ? "200" : "404"}).Add();
    }
    registry_->GetGauge(active_).Add(5);
  };
  const auto first = registry_->AcquireSlot();
  const auto second = registry_->AcquireSlot();
  ASSERT_TRUE(first && second);
  ASSERT_NE(*first, *second);
  const pid_t a = StartWorker(*registry_, *first, body);
  const pid_t b = StartWorker(*registry_, *second, body);
  Await(a);
  Await(b);
  EXPECT_EQ(registry_->Total(total_), 2u * kRounds);
  EXPECT_EQ(Requests("a", "200"), uint64_t{kRounds});
  EXPECT_EQ(Requests("a", "404"), uint64_t{kRounds});
  EXPECT_EQ(SetCount(), 3u);
  EXPECT_EQ(registry_->Total(active_), 10);
}

TEST_F(RegistryTest, HandlesFromBeforeTheForkCountInTheWorkersBlock) {
  const Gauge active = registry_->GetGauge(active_);
  const auto slot = registry_->AcquireSlot();
  Await(StartWorker(*registry_, *slot, [&] { active.Add(4); }));
  active.Add(1);
  EXPECT_EQ(registry_->Total(active_), 5);
  registry_->ReleaseSlot(*slot);
  EXPECT_EQ(registry_->Total(active_), 1);
}

TEST_F(RegistryTest, DeadWorkerLeavesCountsAndNoGauges) {
  const auto slot = registry_->AcquireSlot();
  const auto body = [this] {
    registry_->GetCounter(total_).Add(3);
    registry_->GetCounter(requests_, {"a", "200"}).Add(3);
    registry_->GetGauge(active_).Set(9);
  };
  Await(StartWorker(*registry_, *slot, body));
  EXPECT_EQ(registry_->Total(active_), 9);
  registry_->ReleaseSlot(*slot);
  EXPECT_EQ(registry_->Total(active_), 0);
  EXPECT_EQ(registry_->Total(total_), 3u);

  const auto again = registry_->AcquireSlot();
  EXPECT_EQ(again, slot);
  Await(StartWorker(*registry_, *again, body));
  EXPECT_EQ(registry_->Total(total_), 6u);
  EXPECT_EQ(Requests("a", "200"), 6u);
  EXPECT_EQ(registry_->Total(active_), 9);
}

TEST_F(RegistryTest, SlotsRunOut) {
  const auto first = registry_->AcquireSlot();
  const auto second = registry_->AcquireSlot();
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(registry_->AcquireSlot());
  registry_->ReleaseSlot(*first);
  EXPECT_EQ(registry_->AcquireSlot(), first);
}

TEST_F(RegistryTest, SetOfAnotherProcessIsFoundNotAddedAgain) {
  const auto slot = registry_->AcquireSlot();
  Await(StartWorker(*registry_, *slot, [this] {
    registry_->GetCounter(requests_, {"a", "200"}).Add();
  }));
  registry_->GetCounter(requests_, {"a", "200"}).Add();
  EXPECT_EQ(SetCount(), 2u);
  EXPECT_EQ(Requests("a", "200"), 2u);
}

TEST_F(RegistryTest, WorkersCompetingForTheSameSetsAgree) {
  RegistryBuilder builder;
  const CounterId rules = builder.AddCounter("rules", "By rule.", {"id"}, 300);
  auto registry = std::move(builder).Build(4);
  ASSERT_TRUE(registry.ok());
  std::vector<pid_t> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.push_back(StartWorker(**registry, *(*registry)->AcquireSlot(), [&] {
      for (int id = 0; id < 400; ++id) {
        (*registry)->GetCounter(rules, {std::to_string(id % 200)}).Add();
      }
    }));
  }
  for (pid_t worker : workers) Await(worker);
  const Family& family = (*registry)->families()[rules.family];
  ASSERT_EQ((*registry)->SetCount(family), 201u);
  EXPECT_EQ((*registry)->Sum(family, 0), 0u);
  for (size_t set = 1; set < 201; ++set) EXPECT_EQ((*registry)->Sum(family, set), 8u);
}

TEST(RegistryDeathTest, BadDefinitionsAreBugs) {
  RegistryBuilder builder;
  builder.AddCounter("good_total", "");
  EXPECT_DEATH(builder.AddCounter("good_total", ""), "check failed");
  EXPECT_DEATH(builder.AddCounter("9bad", ""), "check failed");
  EXPECT_DEATH(builder.AddCounter("a", "", {"bad:label"}, 1), "check failed");
  EXPECT_DEATH(builder.AddCounter("a", "", {"label"}), "check failed");
}

TEST_F(RegistryTest, WrongNumberOfLabelsIsABug) {
  EXPECT_DEATH(registry_->GetCounter(requests_, {"a"}), "check failed");
}

}  // namespace
}  // namespace framewall::metrics
