#include "backend/auth/device_cookies.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace framewall::backend::auth {
namespace {

TEST(DeviceCookies, FitTheirUserAlone) {
  const DeviceCookies cookies(std::string(32, 'k'));
  const std::string cookie = cookies.Make("ann");
  const auto device = cookies.Check(cookie, "ann");
  ASSERT_TRUE(device);
  EXPECT_TRUE(cookie.starts_with(*device + "."));
  EXPECT_FALSE(cookies.Check(cookie, "bob"));
  EXPECT_FALSE(DeviceCookies(std::string(32, 'l')).Check(cookie, "ann"));
  EXPECT_NE(cookies.Make("ann"), cookie);
}

TEST(DeviceCookies, AreRefusedWhenAnOctetDiffers) {
  const DeviceCookies cookies(std::string(32, 'k'));
  const std::string cookie = cookies.Make("ann");
  for (size_t i = 0; i < cookie.size(); ++i) {
    std::string forged = cookie;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(cookies.Check(forged, "ann")) << i;
  }
  EXPECT_FALSE(cookies.Check("", "ann"));
  EXPECT_FALSE(cookies.Check(cookie + "A", "ann"));
  EXPECT_FALSE(cookies.Check(cookie.substr(1), "ann"));
}

TEST(DeviceCookies, SurviveARestart) {
  const test::TempDir directory;
  const std::string path = directory.File("device.key");
  const std::string cookie = DeviceCookies::Load(path).value().Make("ann");
  EXPECT_TRUE(DeviceCookies::Load(path).value().Check(cookie, "ann"));
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_FALSE(DeviceCookies::Load(path).ok());
  directory.Write("short.key", "abcd\n");
  ASSERT_EQ(::chmod(directory.File("short.key").c_str(), 0600), 0);
  EXPECT_FALSE(DeviceCookies::Load(directory.File("short.key")).ok());
}

}  // namespace
}  // namespace framewall::backend::auth
