// What logs and audit records do not show: log_mask_arguments, modsecurity_audit_mask_fields.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/config_testing.h"

namespace framewall::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> ErrorsOf(std::string_view http) { return LoadHttp(http).errors(); }
const ServerConfig& Server(const Loaded& loaded, size_t i) {
  return *loaded.config->http.servers.at(i);
}
const LogSettings& Log(const Loaded& loaded, size_t i) {
  return Server(loaded, i).root.settings.log;
}
const WafSettings& Waf(const Loaded& loaded, size_t i) {
  return Server(loaded, i).root.settings.waf;
}

TEST(MaskDirectives, ArgumentsAreInheritedAndReplacedAsAList) {
  const Loaded loaded = LoadHttp(
      "log_mask_arguments Token code; server {} server { log_mask_arguments a; log_mask_arguments "
      "b; } server { log_mask_arguments off; }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_THAT(Log(loaded, 0).mask_arguments, ElementsAre("token", "code"));
  EXPECT_THAT(Log(loaded, 1).mask_arguments, ElementsAre("a", "b"));
  EXPECT_THAT(Log(loaded, 2).mask_arguments, IsEmpty());
}

TEST(MaskDirectives, AServerMasksWhatAnyOfItsLocationsDoes) {
  const Loaded loaded = LoadHttp(
      "log_mask_arguments token; server { location /a { log_mask_arguments key; } location /b { "
      "log_mask_arguments off; } } server { log_mask_arguments off; location / { } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_THAT(Server(loaded, 0).masked_arguments, UnorderedElementsAre("token", "key"));
  EXPECT_THAT(Server(loaded, 1).masked_arguments, IsEmpty());
  EXPECT_THAT(loaded.config->http.masked_arguments, UnorderedElementsAre("token", "key"));
}

TEST(MaskDirectives, WhatIsASecretStaysMaskedWhateverIsOff) {
  const Loaded loaded = LoadHttp(
      "server { log_mask_arguments off; location / { auth_jwt closed token=$arg_Ticket; "
      "auth_jwt_key_request /keys; } location = /keys { return 204; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_THAT(Server(loaded, 0).masked_arguments, ElementsAre("ticket"));
}

TEST(MaskDirectives, RefuseWhatIsNoArgument) {
  for (const std::string name : {"$arg_token", "a=b", "a&b", "''", "'a b'"}) {
    EXPECT_THAT(ErrorsOf("log_mask_arguments " + name + ";"),
                ElementsAre(HasSubstr("the name of a query argument")))
        << name;
  }
  EXPECT_THAT(ErrorsOf("log_mask_arguments token off;"), ElementsAre(HasSubstr("\"off\" alone")));
}

TEST(MaskDirectives, FieldsOfAuditRecords) {
  const Loaded loaded = LoadHttp(
      "server {} server { modsecurity_audit_mask_fields iban; } server { "
      "modsecurity_audit_mask_fields iban default; } server { modsecurity_audit_mask_fields off; "
      "location / { modsecurity_audit_mask_fields pin; } }");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_TRUE(Waf(loaded, 0).audit_mask && Waf(loaded, 0).audit_mask_defaults);
  EXPECT_TRUE(Waf(loaded, 1).audit_mask);
  EXPECT_FALSE(Waf(loaded, 1).audit_mask_defaults);
  EXPECT_THAT(Waf(loaded, 1).audit_mask_fields, ElementsAre("iban"));
  EXPECT_TRUE(Waf(loaded, 2).audit_mask_defaults);
  EXPECT_FALSE(Waf(loaded, 3).audit_mask);
  const WafSettings& location = Server(loaded, 3).root.locations.at(0)->settings.waf;
  EXPECT_TRUE(location.audit_mask);
  EXPECT_THAT(location.audit_mask_fields, ElementsAre("pin"));
  EXPECT_THAT(ErrorsOf("modsecurity_audit_mask_fields a off;"),
              ElementsAre(HasSubstr("\"off\" alone")));
  EXPECT_THAT(ErrorsOf("modsecurity_audit_mask_fields '--';"),
              ElementsAre(HasSubstr("the name of a field")));
}

TEST(MaskDirectives, ReadTheSameInYaml) {
  const Loaded loaded = LoadText(
      "events: {}\nhttp:\n  - log_mask_arguments: [Token, code]\n  - "
      "modsecurity_audit_mask_fields: [iban, default]\n  - server: {}\n",
      "framewall.yaml");
  ASSERT_THAT(loaded.errors(), IsEmpty());
  EXPECT_THAT(Log(loaded, 0).mask_arguments, ElementsAre("token", "code"));
  EXPECT_THAT(Waf(loaded, 0).audit_mask_fields, ElementsAre("iban"));
  EXPECT_TRUE(Waf(loaded, 0).audit_mask_defaults);
}

}  // namespace
}  // namespace framewall::config
