#include "proxy/metrics/exposition.h"

#include <gtest/gtest.h>

namespace framewall::metrics {
namespace {

TEST(Exposition, WritesEachKind) {
  RegistryBuilder builder;
  const CounterId plain = builder.AddCounter("a_total", "Counts \\ and\nlines.");
  const GaugeId gauge = builder.AddGauge("b", "Now.", {"state"}, 4);
  const HistogramId times =
      builder.AddHistogram("c_seconds", "Time.", Buckets({5'000, 1'000'000}, 1'000'000));
  auto built = std::move(builder).Build(1);
  ASSERT_TRUE(built.ok());
  Registry& registry = **built;
  registry.GetCounter(plain).Add(18446744073709551615u);
  registry.GetGauge(gauge, {"a \"q\" \\"}).Add(-3);
  registry.GetHistogram(times).Observe(5'000);
  registry.GetHistogram(times).Observe(250'000);
  registry.GetHistogram(times).Observe(2'000'000);
  EXPECT_EQ(Exposition(registry),
            "# HELP a_total Counts \\\\ and\\nlines.\n"
            "# TYPE a_total counter\n"
            "a_total 18446744073709551615\n"
            "# HELP b Now.\n"
            "# TYPE b gauge\n"
            "b{state=\"a \\\"q\\\" \\\\\"} -3\n"
            "# HELP c_seconds Time.\n"
            "# TYPE c_seconds histogram\n"
            "c_seconds_bucket{le=\"0.005\"} 1\n"
            "c_seconds_bucket{le=\"1\"} 2\n"
            "c_seconds_bucket{le=\"+Inf\"} 3\n"
            "c_seconds_sum 2.255\n"
            "c_seconds_count 3\n");
}

TEST(Exposition, LabelsOfAHistogramStandBeforeTheBound) {
  RegistryBuilder builder;
  const HistogramId times = builder.AddHistogram("t", "T.", Buckets({1}, 1), {"x", "y"}, 1);
  auto built = std::move(builder).Build(0);
  ASSERT_TRUE(built.ok());
  (*built)->GetHistogram(times, {"1", "2"}).Observe(1);
  EXPECT_EQ(Exposition(**built),
            "# HELP t T.\n"
            "# TYPE t histogram\n"
            "t_bucket{x=\"1\",y=\"2\",le=\"1\"} 1\n"
            "t_bucket{x=\"1\",y=\"2\",le=\"+Inf\"} 1\n"
            "t_sum{x=\"1\",y=\"2\"} 1\n"
            "t_count{x=\"1\",y=\"2\"} 1\n");
}

TEST(Exposition, ZerosAreShownButNotAnEmptyOther) {
  RegistryBuilder builder;
  builder.AddCounter("a", "A.");
  const CounterId labelled = builder.AddCounter("b", "B.", {"x"}, 1);
  auto built = std::move(builder).Build(0);
  ASSERT_TRUE(built.ok());
  Registry& registry = **built;
  registry.GetCounter(labelled, {"1"});
  const std::string before = "# HELP a A.\n# TYPE a counter\na 0\n# HELP b B.\n# TYPE b counter\n";
  EXPECT_EQ(Exposition(registry), before + "b{x=\"1\"} 0\n");
  registry.GetCounter(labelled, {"2"}).Add();
  EXPECT_EQ(Exposition(registry), before + "b{x=\"(other)\"} 1\nb{x=\"1\"} 0\n");
}

}  // namespace
}  // namespace framewall::metrics
