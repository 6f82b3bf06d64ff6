#include "proxy/redis/settings.h"

#include <gtest/gtest.h>

#include "tests/unit/redis/support.h"

namespace framewall::redis {
namespace {

Settings Good() { return SettingsFor(6379); }

TEST(Settings, OneServerIsEnough) { EXPECT_TRUE(Validate(Good()).ok()); }

TEST(Settings, WhatCannotWorkIsRefused) {
  const auto refused = [](const std::function<void(Settings&)>& change) {
    Settings settings = Good();
    change(settings);
    const Status status = Validate(settings);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ("no server", refused([](Settings& s) { s.servers.clear(); }));
  EXPECT_NE("", refused([](Settings& s) { s.servers.push_back(EndpointOf(1)); }));
  EXPECT_EQ("", refused([](Settings& s) {
              s.servers.push_back(EndpointOf(1));
              s.mode = Mode::kCluster;
            }));
  EXPECT_EQ("a Cluster has database 0 only, found 1", refused([](Settings& s) {
              s.mode = Mode::kCluster;
              s.database = 1;
            }));
  EXPECT_EQ("", refused([](Settings& s) { s.database = 1; }));
  EXPECT_NE("", refused([](Settings& s) { s.database = -1; }));
  EXPECT_NE("", refused([](Settings& s) { s.mode = Mode::kSentinel; }));
  EXPECT_EQ("", refused([](Settings& s) {
              s.mode = Mode::kSentinel;
              s.master_name = "main";
            }));
  EXPECT_NE("", refused([](Settings& s) { s.user = "a"; }));
  EXPECT_NE("", refused([](Settings& s) { s.client_name = "a b"; }));
  EXPECT_NE("", refused([](Settings& s) { s.servers[0].host.clear(); }));
  EXPECT_NE("", refused([](Settings& s) { s.servers[0].port = 0; }));
  EXPECT_EQ("", refused([](Settings& s) { s.servers[0].unix_path = "/a"; }));
  EXPECT_NE("", refused([](Settings& s) {
              s.mode = Mode::kCluster;
              s.servers[0].unix_path = "/a";
            }));
}

TEST(Endpoint, IsWrittenAsItIsConfigured) {
  Endpoint endpoint;
  endpoint.host = "cache.example";
  EXPECT_EQ("cache.example:6379", endpoint.ToText());
  endpoint.host = "::1";
  EXPECT_EQ("[::1]:6379", endpoint.ToText());
  endpoint.unix_path = "/a/b";
  EXPECT_EQ("unix:/a/b", endpoint.ToText());
}

}  // namespace
}  // namespace framewall::redis
