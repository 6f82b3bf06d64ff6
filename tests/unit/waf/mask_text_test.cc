#include "waf/mask_text.h"

#include <array>

#include "tests/unit/waf/mask_testing.h"

namespace framewall::waf {
namespace {

const SecretFields kFields;

std::string Form(std::string_view text) {
  return Masked([&](std::string* out) { return MaskForm({kFields}, text, out); });
}
std::string Url(std::string_view text) {
  return Masked([&](std::string* out) { return MaskUrl({kFields}, text, out); });
}
std::string Header(std::string_view name, std::string_view value) {
  return Masked([&](std::string* out) { return MaskHeader({kFields}, name, value, out); });
}
std::string Free(std::string_view text) {
  return Masked([&](std::string* out) { return MaskFreeText({kFields}, text, out); });
}

TEST(SecretFields, ComparesWithoutCaseAndLinks) {
  for (const char* name : {"password",
                           "Password",
                           "new_password",
                           "passwordConfirmation",
                           "user[password]",
                           "user.password.array_0",
                           "json.auth.client_secret",
                           "clientSecret",
                           "client-secret",
                           "access_token",
                           "refreshToken",
                           "id_token",
                           "csrf-token",
                           "code",
                           "code_verifier",
                           "PIN",
                           "json.password.deep.er",
                           "api_key",
                           "X-API-Key",
                           "sessionId"}) {
    EXPECT_TRUE(kFields.Names(name)) << name;
  }
  for (const char* name : {"", "pass_through", "codec", "postcode", "pins", "max_tokens", "query",
                           "user[name]", "zip.code_of", "bypass"}) {
    EXPECT_FALSE(kFields.Names(name)) << name;
  }
}

TEST(SecretFields, OwnNamesReplaceOrAddToTheDefaults) {
  const std::array<std::string, 2> names = {"card_number", "pin*"};
  SecretFields fields;
  fields.names = names;
  EXPECT_TRUE(fields.Names("cardNumber") && fields.Names("pincode") && fields.Names("password"));
  fields.defaults = false;
  EXPECT_TRUE(fields.Names("cardNumber"));
  EXPECT_FALSE(fields.Names("password"));
}

TEST(SecretFields, ArgumentsStaySecretWhereAllElseIsOff) {
  const std::array<std::string, 1> arguments = {"ticketno"};
  SecretFields fields;
  fields.on = false;
  EXPECT_FALSE(fields.masks_anything());
  fields.arguments = arguments;
  EXPECT_TRUE(fields.masks_anything());
  EXPECT_TRUE(fields.Names("TicketNo"));
  EXPECT_FALSE(fields.Names("password"));
  std::string out;
  EXPECT_FALSE(MaskHeader({fields}, "Authorization", "Bearer abc", &out));
}

TEST(SecretValues, FindsThemInAnyCaseAndCutOff) {
  SecretValues values;
  values.Add("1234567");
  EXPECT_TRUE(values.empty());
  values.Add("Canary-Value");
  EXPECT_EQ(Masked([&](std::string* out) {
              return values.Replace("a canary-value b Canary-Value", out);
            }),
            "a *** b ***");
  EXPECT_EQ(Masked([&](std::string* out) {
              return values.Replace("x=Canary (8 characters omitted)", out);
            }),
            "x=*** (8 characters omitted)");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("cut: Cana", out); }), "cut: ***");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("cut: Can", out); }), "-");
  values.Clear();
  values.Add("ababababac");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("x abababab", out); }), "x ***");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("xabababababab", out); }),
            "xabab***");
  values.Clear();
  values.Add("Canary-Value");
  EXPECT_TRUE(values.Contain("RY-VAL"));
  EXPECT_FALSE(values.Contain("ry-"));
}

TEST(SecretValues, FindsWhatTheLibraryHasEscaped) {
  SecretValues values;
  values.Add("p\xc3\xa4sswort-1");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("(p\\xc3\\xa4sswort-1)", out); }),
            "(***)");
}

TEST(SecretValues, ReplacesValuesThatOverlap) {
  SecretValues values;
  values.Add("abcdefgh");
  values.Add("efghijkl");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("[abcdefghijkl]", out); }),
            "[***]");
  EXPECT_EQ(Masked([&](std::string* out) { return values.Replace("abcdefghabcdefgh!", out); }),
            "******!");
}

TEST(SecretValues, TellWhenThereAreTooMany) {
  SecretValues values;
  for (int i = 0; i < 64; ++i) values.Add("secret-value-" + std::to_string(i));
  EXPECT_FALSE(values.overflown());
  values.Add("one-more-secret");
  EXPECT_TRUE(values.overflown());
}

TEST(MaskForm, MasksValuesOfSecrets) {
  EXPECT_EQ(Form("user=ann&password=abc&x=1"), "user=ann&password=***&x=1");
  EXPECT_EQ(Form("user%5Bpassword%5D=a+b"), "user%5Bpassword%5D=***");
  EXPECT_EQ(Form("%70assword=abc"), "%70assword=***");
  EXPECT_EQ(Form("a=1;password=abc"), "a=1;password=***");
  EXPECT_EQ(Form("password=a;b=c"), "password=***");
  EXPECT_EQ(Form("password="), "-");
  EXPECT_EQ(Form("q=1' or password = 'a'--"), "-");
  EXPECT_EQ(Form("q=<script>alert(1)</script>"), "-");
}

TEST(MaskForm, LooksIntoValues) {
  EXPECT_EQ(Form("payload=%7B%22password%22%3A%22abc%22%7D"), "payload={%22password%22:%22***%22}");
  EXPECT_EQ(Form("next=%2Fcb%3Fcode%3Dabc%26x%3D1"), "next=/cb%3Fcode%3D***%26x%3D1");
  EXPECT_EQ(Form("next=%2Fcb%3Fid%3D7"), "-");
}

TEST(MaskUrl, MasksQueryAndFragment) {
  EXPECT_EQ(Url("/a?token=abc"), "/a?token=***");
  EXPECT_EQ(Url("https://a.test/cb#access_token=abc&x=1"),
            "https://a.test/cb#access_token=***&x=1");
  EXPECT_EQ(Url("/a/b"), "-");
}

TEST(MaskHeader, KeepsSchemesAndNames) {
  EXPECT_EQ(Header("Authorization", "Bearer abc.def"), "Bearer ***");
  EXPECT_EQ(Header("proxy-authorization", "Basic YTpi"), "Basic ***");
  EXPECT_EQ(Header("Authorization", "abc"), "***");
  EXPECT_EQ(Header("Authorization", ""), "-");
  EXPECT_EQ(Header("Cookie", "a=1; sid=abc;b=; c"), "a=***; sid=***;b=; ***");
  EXPECT_EQ(Header("Set-Cookie", "sid=abc; Path=/; HttpOnly"), "sid=***; Path=/; HttpOnly");
  EXPECT_EQ(Header("Set-Cookie", "sid=; Max-Age=0"), "-");
  EXPECT_EQ(Header("X-Api-Key", "abc"), "***");
  EXPECT_EQ(Header("X-Auth-Token", "abc"), "***");
  EXPECT_EQ(Header("User-Agent", "curl/8"), "-");
  EXPECT_EQ(Header("Referer", "https://a.test?token=abc"), "https://a.test?token=***");
  EXPECT_EQ(Header("Location", "/cb?code=abc&state=1"), "/cb?code=***&state=1");
  EXPECT_EQ(Header("X-Original-URI", "/a?password=abc"), "/a?password=***");
}

TEST(MaskHeader, KeepsNamesOfSubprotocols) {
  EXPECT_EQ(Header("Sec-WebSocket-Protocol", "chat, graphql-transport-ws"), "-");
  EXPECT_EQ(Header("Sec-WebSocket-Protocol", "chat, eyJhbGciOiJIUzI1NiJ9.e30.c2ln"), "chat, ***");
  EXPECT_EQ(Header("Sec-WebSocket-Protocol", "bearer, abc , chat"), "bearer, *** , chat");
  EXPECT_EQ(Header("sec-websocket-protocol", "base64url.bearer.authorization.k8s.io.YWJj"), "***");
  EXPECT_EQ(Header("Sec-WebSocket-Protocol", "token.abc, chat"), "***, chat");
}

TEST(MaskFreeText, KnowsTheCommonForms) {
  EXPECT_EQ(Free("x password=abc y"), "x password=*** y");
  EXPECT_EQ(Free(R"({"password": "a\"b", "x": 1)"), R"({"password": "***", "x": 1)");
  EXPECT_EQ(Free(R"("{\"password\":\"abc\"}")"), R"("{\"password\":\"***\"}")");
  EXPECT_EQ(Free("<login><ns:password>abc</ns:password></login>"),
            "<login><ns:password>***</ns:password></login>");
  EXPECT_EQ(Free("password: abc\nuser: ann"), "password: ***\nuser: ann");
  EXPECT_EQ(Free("password%22%3A%22abc%22"), "password%22%3A%22***%22");
  EXPECT_EQ(Free("Host: a\r\nAuthorization: Bearer abc\r\nCookie: theme=dark; sid=x\r\n"),
            "Host: a\r\nAuthorization: Bearer ***\r\nCookie: theme=***; sid=***\r\n");
  EXPECT_EQ(Free("my password is abc"), "-");
  EXPECT_EQ(Free("error code 7"), "-");
}

TEST(MaskContext, CollectsWhatItMasks) {
  SecretValues values;
  std::string out;
  MaskForm({kFields, &values}, "password=abc%20defgh", &out);
  EXPECT_EQ(Masked([&](std::string* to) { return values.Replace("abc%20defgh, abc defgh", to); }),
            "***, ***");
  values.Clear();
  MaskHeader({kFields, &values}, "Authorization", "Basic YW5uOmh1bnRlcjIyMg==", &out);
  EXPECT_EQ(Masked([&](std::string* to) { return values.Replace("hunter222", to); }), "***");
  values.Clear();
  // An attack that stands in a cookie too does not vanish from messages.
  MaskHeader({kFields, &values}, "Cookie", "a=<script>alert(1)</script>; sid=abcdefgh12", &out);
  EXPECT_EQ(Masked([&](std::string* to) {
              return values.Replace("<script>alert(1)</script> abcdefgh12", to);
            }),
            "<script>alert(1)</script> ***");
}

}  // namespace
}  // namespace framewall::waf
