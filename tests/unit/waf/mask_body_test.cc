#include "waf/mask_body.h"

#include "tests/unit/waf/mask_testing.h"
#include "waf/mask_json.h"
#include "waf/mask_multipart.h"

namespace framewall::waf {
namespace {

const SecretFields kFields;

std::string Json(std::string_view text) {
  return Masked([&](std::string* out) { return MaskJson({kFields}, text, out); });
}
std::string Body(std::string_view type, std::string_view text) {
  return Masked([&](std::string* out) { return MaskBody({kFields}, type, text, nullptr, out); });
}
std::string Parts(std::string_view body) {
  return Masked([&](std::string* out) {
    return MaskMultipart({kFields}, "multipart/form-data; boundary=\"B\"", body, out);
  });
}

TEST(MaskJson, MasksScalarsUnderSecretKeys) {
  EXPECT_EQ(Json(R"({"user":"ann","password":"abc"})"), R"({"user":"ann","password":"***"})");
  EXPECT_EQ(Json(R"({ "pin" : 1234 , "x":1})"), R"({ "pin" : "***" , "x":1})");
  EXPECT_EQ(Json(R"({"a":[{"access_token":"abc"}]})"), R"({"a":[{"access_token":"***"}]})");
  EXPECT_EQ(Json(R"({"password":{"old":"a","list":["b",{"c":1}]},"x":"y"})"),
            R"({"password":{"old":"***","list":["***",{"c":"***"}]},"x":"y"})");
  EXPECT_EQ(Json(R"({"password":null,"token":true})"), "-");
  EXPECT_EQ(Json(R"({"q":"1' or password='a' --"})"), "-");
  EXPECT_EQ(Json(R"(["password","abc"])"), "-");
}

TEST(MaskJson, ReadsEscapesInKeysAndValues) {
  EXPECT_EQ(Json(R"({"pass\u0077ord":"abc"})"), R"({"pass\u0077ord":"***"})");
  EXPECT_EQ(Json(R"({"password":"a\"b\\","x":"y"})"), R"({"password":"***","x":"y"})");
  EXPECT_EQ(Json(R"({"\ud83d\ude00":"a","password":"b"})"),
            R"({"\ud83d\ude00":"a","password":"***"})");
}

TEST(MaskJson, LooksIntoStrings) {
  EXPECT_EQ(Json(R"({"data":"{\"password\":\"abc\",\"n\":1}"})"),
            R"({"data":"{\"password\":\"***\",\"n\":1}"})");
  EXPECT_EQ(Json(R"({"url":"https://a.test/?code=abc&x=1"})"),
            R"({"url":"https://a.test/?code=***&x=1"})");
  // {"password":"abc"}
  EXPECT_EQ(Json(R"({"data":"eyJwYXNzd29yZCI6ImFiYyJ9","x":"y"})"), R"({"data":"***","x":"y"})");
}

TEST(MaskJson, ReadsWhatIsNotWholeOrNotAlone) {
  EXPECT_EQ(Json(R"({"password":"abc)"), R"({"password":"***)");
  EXPECT_EQ(Json(R"({"password":"abc\)"), R"({"password":"***)");
  EXPECT_EQ(Json("{\"a\":1}\n{\"password\":\"abc\"}"), "{\"a\":1}\n{\"password\":\"***\"}");
  EXPECT_EQ(Json(R"(42["login",{"password":"abc"}])"), R"(42["login",{"password":"***"}])");
  EXPECT_EQ(Json("]]}}{\"password\":\"abc\""), "]]}}{\"password\":\"***\"");
  EXPECT_EQ(Json(""), "-");
  EXPECT_EQ(Json("\""), "-");
}

TEST(MaskMultipart, MasksPartsByName) {
  EXPECT_EQ(Parts("--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann\r\n"
                  "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\na\r\nb\r\n"
                  "--B--\r\n"),
            "--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann\r\n"
            "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n***\r\n"
            "--B--\r\n");
}

TEST(MaskMultipart, IsLenient) {
  EXPECT_EQ(Parts("--B\nContent-Disposition: form-data; name=password\n\nabc\n--B--"),
            "--B\nContent-Disposition: form-data; name=password\n\n***\n--B--");
  EXPECT_EQ(
      Parts("--B\r\ncontent-disposition:form-data; filename=\"a\"; NAME='password'\r\n\r\nabc"),
      "--B\r\ncontent-disposition:form-data; filename=\"a\"; NAME='password'\r\n\r\n***");
  EXPECT_EQ(
      Parts("--B\r\nContent-Disposition: form-data; name*=utf-8''password\r\n\r\nabc\r\n--B--"),
      "--B\r\nContent-Disposition: form-data; name*=utf-8''password\r\n\r\n***\r\n--B--");
  EXPECT_EQ(
      Parts("--B\r\nContent-Disposition: form-data; filename=\"password\"\r\n\r\nabc\r\n--B--"),
      "-");
  EXPECT_EQ(Body("multipart/form-data",
                 "--X\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n12\r\n--X--\r\n"),
            "--X\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n***\r\n--X--\r\n");
  EXPECT_EQ(Parts("--B"), "-");
  EXPECT_EQ(Parts(""), "-");
}

TEST(MaskMultipart, LooksIntoParts) {
  EXPECT_EQ(Parts("--B\r\nContent-Disposition: form-data; name=\"meta\"\r\n"
                  "Content-Type: application/json\r\n\r\n{\"password\":\"abc\"}\r\n--B--\r\n"),
            "--B\r\nContent-Disposition: form-data; name=\"meta\"\r\n"
            "Content-Type: application/json\r\n\r\n{\"password\":\"***\"}\r\n--B--\r\n");
}

TEST(MaskBody, GoesByTypeAndByLook) {
  EXPECT_EQ(Body("application/x-www-form-urlencoded", "password=abc"), "password=***");
  EXPECT_EQ(Body("application/json", R"({"password":"abc"})"), R"({"password":"***"})");
  EXPECT_EQ(Body("", R"({"password":"abc"})"), R"({"password":"***"})");
  EXPECT_EQ(Body("", "user=ann&password=abc"), "user=ann&password=***");
  // What says to be one and is the other.
  EXPECT_EQ(Body("application/json", "user=ann&password=abc"), "user=ann&password=***");
  EXPECT_EQ(Body("application/x-www-form-urlencoded", R"({"password":"abc"})"),
            R"({"password":"***"})");
  EXPECT_EQ(Body("text/xml", "<a><password>abc</password></a>"), "<a><password>***</password></a>");
  EXPECT_EQ(Body("text/plain", "the password: abc!"), "the password: ***");
  EXPECT_EQ(Body("text/plain", "nothing"), "-");
  EXPECT_EQ(Body("application/json", R"({"q":"<script>"})"), "-");
}

TEST(MaskBody, LooksForKnownValuesWhereNothingCanBeParsed) {
  SecretValues known;
  known.Add("canary-value");
  EXPECT_EQ(Masked([&](std::string* out) {
              return MaskBody({kFields}, "application/octet-stream",
                              "\x01\x02"
                              "canary-value\x03",
                              &known, out);
            }),
            "\x01\x02***\x03");
  // A field that is no secret keeps what it says.
  EXPECT_EQ(Masked([&](std::string* out) {
              return MaskBody({kFields}, "application/json", R"({"q":"canary-value"})", &known,
                              out);
            }),
            "-");
}

}  // namespace
}  // namespace framewall::waf
