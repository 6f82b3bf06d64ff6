#include "proxy/metrics/histogram.h"

#include <gtest/gtest.h>

#include "proxy/metrics/counters.h"

namespace framewall::metrics {
namespace {

TEST(Buckets, BoundIsInside) {
  const Buckets buckets({10, 20}, 1);
  EXPECT_EQ(buckets.Find(0), 0u);
  EXPECT_EQ(buckets.Find(10), 0u);
  EXPECT_EQ(buckets.Find(11), 1u);
  EXPECT_EQ(buckets.Find(20), 1u);
  EXPECT_EQ(buckets.Find(21), 2u);
  EXPECT_EQ(buckets.Find(UINT64_MAX), 2u);
  EXPECT_EQ(buckets.cells(), 4u);
}

TEST(Buckets, ReadyMadeOnesAscend) {
  EXPECT_EQ(Buckets::Latency().units_per_one(), 1'000'000u);
  EXPECT_EQ(Buckets::Latency().bounds().back(), 60'000'000u);
  EXPECT_EQ(Buckets::Size().units_per_one(), 1u);
}

TEST(BucketsDeathTest, MustAscend) {
  EXPECT_DEATH(Buckets({10, 10}, 1), "check failed");
  EXPECT_DEATH(Buckets({}, 1), "check failed");
}

TEST(Histogram, CountsInBucketAndSum) {
  RegistryBuilder builder;
  const HistogramId id =
      builder.AddHistogram("seconds", "Time.", Buckets({10, 20}, 1), {"peer"}, 2);
  auto registry = std::move(builder).Build(1);
  ASSERT_TRUE(registry.ok());
  const Histogram a = (*registry)->GetHistogram(id, {"a"});
  a.Observe(10);
  a.Observe(15);
  a.Observe(100);
  (*registry)->GetHistogram(id, {"b"}).Observe(1);
  const Family& family = (*registry)->families()[id.family];
  const auto cells = [&](size_t set) {
    std::vector<uint64_t> values;
    for (size_t i = 0; i < 4; ++i) values.push_back((*registry)->Sum(family, set, i));
    return values;
  };
  EXPECT_EQ(cells(0), (std::vector<uint64_t>{0, 0, 0, 0}));
  EXPECT_EQ(cells(1), (std::vector<uint64_t>{1, 1, 1, 125}));
  EXPECT_EQ(cells(2), (std::vector<uint64_t>{1, 0, 0, 1}));
}

}  // namespace
}  // namespace framewall::metrics
