#include "proxy/process/worker_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "proxy/process/process_title.h"
#include "proxy/process/signals.h"

namespace framewall::process {
namespace {

using std::chrono::milliseconds;

TEST(RespawnBrake, DoublesWithEachEarlyDeath) {
  RespawnBrake brake;
  EXPECT_EQ(brake.AfterDeath(milliseconds(10)), milliseconds(100));
  EXPECT_EQ(brake.AfterDeath(milliseconds(999)), milliseconds(200));
  EXPECT_EQ(brake.AfterDeath(milliseconds(0)), milliseconds(400));
  for (int i = 0; i < 10; ++i) brake.AfterDeath(milliseconds(0));
  EXPECT_EQ(brake.AfterDeath(milliseconds(0)), milliseconds(10000));
}

TEST(RespawnBrake, IsLooseAfterASecondOfLife) {
  RespawnBrake brake;
  EXPECT_EQ(brake.AfterDeath(milliseconds(1000)), milliseconds(0));
  EXPECT_EQ(brake.AfterDeath(milliseconds(5)), milliseconds(100));
  EXPECT_EQ(brake.AfterDeath(milliseconds(1000)), milliseconds(0));
  EXPECT_EQ(brake.AfterDeath(milliseconds(5)), milliseconds(100));
}

TEST(Signals, HaveNginxsNames) {
  EXPECT_EQ(SignalOfCommand("stop"), SIGTERM);
  EXPECT_EQ(SignalOfCommand("quit"), SIGQUIT);
  EXPECT_EQ(SignalOfCommand("reopen"), SIGUSR1);
  EXPECT_EQ(SignalOfCommand("reload"), SIGHUP);
  EXPECT_FALSE(SignalOfCommand("").has_value());
  EXPECT_EQ(SignalName(SIGWINCH), "SIGWINCH");
  EXPECT_EQ(SignalName(SIGSEGV), "");
}

TEST(Environment, HasOnlyWhatIsNamed) {
  ::setenv("FW_NAMED", "1", 1);
  ::setenv("FW_OTHER", "2", 1);
  ::unsetenv("TZ");
  EXPECT_EQ(AllowedEnvironment({"FW_NAMED", "FW_SET=3", "FW_MISSING"}),
            (std::vector<std::string>{"FW_NAMED=1", "FW_SET=3"}));
  ::setenv("TZ", "UTC", 1);
  EXPECT_EQ(AllowedEnvironment({}), std::vector<std::string>{"TZ=UTC"});
  EXPECT_EQ(AllowedEnvironment({"TZ=CET"}), std::vector<std::string>{"TZ=CET"});
}

}  // namespace
}  // namespace framewall::process
