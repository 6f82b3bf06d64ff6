#include "backend/store/settings_store.h"

#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class SettingsStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    AddUser("root", "root");
  }
  void Set(const std::string& key, const std::string& value, int64_t at) {
    Must([&](Connection& c) { return SetSetting(c, StoredSetting{key, value, at, "root"}); });
  }
  void Reset(const std::string& key, int64_t at) {
    Must([&](Connection& c) { return ResetSetting(c, key, "root", at); });
  }
  std::string Changes(const std::string& key, int64_t behind = 0, int64_t limit = 10) {
    std::string text;
    for (const SettingChange& change :
         Must([&](Connection& c) { return ListSettingChanges(c, key, behind, limit); })) {
      text += change.key + "@" + std::to_string(change.at) + ":" + change.before.value_or("-") +
              ">" + change.after.value_or("-") + " ";
    }
    return text;
  }
};

TEST_F(SettingsStoreTest, KeepsWhatIsSet) {
  EXPECT_FALSE(Must([](Connection& c) { return FindSetting(c, "a"); }));
  Set("a", "1", 10);
  Set("b", "\"x\"", 11);
  Set("a", "2", 12);
  const auto found = Must([](Connection& c) { return FindSetting(c, "a"); });
  ASSERT_TRUE(found);
  EXPECT_EQ("2", found->value);
  EXPECT_EQ(12, found->changed);
  EXPECT_EQ("root", found->changed_by);
  EXPECT_EQ(2u, Must([](Connection& c) { return ListSettings(c); }).size());
  Reset("a", 13);
  EXPECT_FALSE(Must([](Connection& c) { return FindSetting(c, "a"); }));
}

TEST_F(SettingsStoreTest, EveryChangeLeavesATrail) {
  Set("a", "1", 10);
  Set("a", "1", 11);  // no change
  Set("b", "true", 12);
  Set("a", "2", 13);
  Reset("a", 14);
  Reset("a", 15);  // no change
  EXPECT_EQ("a@14:2>- a@13:1>2 a@10:->1 ", Changes("a"));
  EXPECT_EQ("a@14:2>- a@13:1>2 b@12:->true a@10:->1 ", Changes(""));
  EXPECT_EQ("a@14:2>- ", Changes("a", 0, 1));
  const auto first = Must([](Connection& c) { return ListSettingChanges(c, "a", 0, 1); });
  EXPECT_EQ("a@13:1>2 a@10:->1 ", Changes("a", first[0].position));
}

TEST_F(SettingsStoreTest, NeedsAnAccount) {
  EXPECT_EQ(ErrorKind::kRefused, FailureOf([](Connection& c) {
              return SetSetting(c, StoredSetting{"a", "1", 1, "nobody"});
            }));
  EXPECT_EQ(0, Number("SELECT count(*) FROM settings"));
}

}  // namespace
}  // namespace framewall::backend::store
