#include "backend/settings/live_settings.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace framewall::backend {
namespace {

Settings WithModels() {
  Settings settings;
  settings.models = {{"small", "echo", ""}, {"large", "echo", ""}};
  settings.registration_open = true;
  return settings;
}

std::string Fault(const LiveSettings& live, std::string_view key, const LiveValue& value) {
  return live.Check(*LiveSettings::Find(key), value).value_or("");
}

TEST(LiveSettings, BeginWithDefaultsOfTheFile) {
  const LiveSettings live(WithModels());
  EXPECT_TRUE(live.registration_open());
  EXPECT_EQ(live.default_model(), "small");
  EXPECT_EQ(live.rooms_per_user(), 100);
  EXPECT_EQ(live.message_of_the_day(), "");
  EXPECT_FALSE(LiveSettings(Settings()).registration_open());
  for (const LiveSpec& spec : LiveSettings::Specs()) {
    EXPECT_TRUE(live.is_default(spec.key)) << spec.key;
    EXPECT_EQ(live.Check(spec, live.Default(spec.key)), std::nullopt) << spec.key;
  }
}

TEST(LiveSettings, KeysAreSortedAndFound) {
  const auto specs = LiveSettings::Specs();
  EXPECT_TRUE(std::is_sorted(specs.begin(), specs.end(),
                             [](const auto& a, const auto& b) { return a.key < b.key; }));
  EXPECT_NE(LiveSettings::Find("registration_open"), nullptr);
  EXPECT_EQ(LiveSettings::Find("registration"), nullptr);
  EXPECT_EQ(LiveSettings::Find(""), nullptr);
}

TEST(LiveSettings, SetAndResetChangeWhatOthersSee) {
  LiveSettings live(WithModels());
  live.Set("rooms_per_user", int64_t{2});
  EXPECT_EQ(live.rooms_per_user(), 2);
  EXPECT_FALSE(live.is_default("rooms_per_user"));
  EXPECT_EQ(live.Default("rooms_per_user"), LiveValue(int64_t{100}));
  live.Reset("rooms_per_user");
  EXPECT_EQ(live.rooms_per_user(), 100);
  EXPECT_TRUE(live.is_default("rooms_per_user"));
}

TEST(LiveSettings, LimitsOnBothSides) {
  const LiveSettings live(WithModels());
  EXPECT_EQ(Fault(live, "members_per_room", int64_t{1}), "");
  EXPECT_EQ(Fault(live, "members_per_room", int64_t{0}), "expected an integer from 1 to 100000");
  EXPECT_EQ(Fault(live, "members_per_room", int64_t{100'000}), "");
  EXPECT_NE(Fault(live, "members_per_room", int64_t{100'001}), "");
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "ж";
  EXPECT_EQ(Fault(live, "message_of_the_day", text), "");
  EXPECT_NE(Fault(live, "message_of_the_day", text + "a"), "");
}

TEST(LiveSettings, RefuseOtherKinds) {
  const LiveSettings live(WithModels());
  EXPECT_EQ(Fault(live, "registration_open", std::string("true")), "expected true or false");
  EXPECT_EQ(Fault(live, "registration_open", int64_t{1}), "expected true or false");
  EXPECT_NE(Fault(live, "rooms_per_user", std::string("5")), "");
  EXPECT_NE(Fault(live, "rooms_per_user", true), "");
  EXPECT_NE(Fault(live, "message_of_the_day", false), "");
  EXPECT_EQ(Fault(live, "message_of_the_day", std::string("a\n\tb")), "");
  EXPECT_NE(Fault(live, "message_of_the_day", std::string("a\x1b")), "");
}

TEST(LiveSettings, ModelsMustBeSetUp) {
  const LiveSettings live(WithModels());
  EXPECT_EQ(Fault(live, "default_model", std::string("large")), "");
  EXPECT_EQ(Fault(live, "default_model", std::string()), "");
  EXPECT_EQ(Fault(live, "default_model", std::string("larger")),
            "expected a model's name (small, large), or nothing");
}

TEST(LiveSettings, ValuesAsJson) {
  for (const LiveValue& value :
       {LiveValue(true), LiveValue(int64_t{5}), LiveValue(std::string("a\"b"))}) {
    EXPECT_EQ(ParseLiveValue(LiveValueText(value)), value);
  }
  EXPECT_EQ(LiveValueText(std::string("a\"b")), R"("a\"b")");
  for (const char* wrong : {"", "null", "1.5", "[]", "{}", "x"}) {
    EXPECT_EQ(ParseLiveValue(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace framewall::backend
