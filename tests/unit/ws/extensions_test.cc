#include "proxy/ws/extensions.h"

#include <gtest/gtest.h>

namespace framewall::ws {
namespace {

// "a; p=v, b"; "refused" where the grammar is broken.
std::string Parsed(std::string_view field) {
  const auto extensions = ParseExtensions(field);
  if (!extensions.ok()) return "refused";
  std::string text;
  for (const Extension& extension : *extensions) {
    if (!text.empty()) text += ", ";
    text += extension.name;
    for (const ExtensionParam& param : extension.params) {
      text += "; " + param.name;
      if (param.value) text += "=" + *param.value;
    }
  }
  return text;
}

TEST(ExtensionList, FollowsTheGrammar) {
  EXPECT_EQ(Parsed("foo"), "foo");
  EXPECT_EQ(Parsed(" foo ,bar;a;b=c ; d=\"e\""), "foo, bar; a; b=c; d=e");
  EXPECT_EQ(Parsed("foo; a = b"), "foo; a=b");
  EXPECT_EQ(Parsed("foo; a=\"\\b\\c\""), "foo; a=bc");
  EXPECT_EQ(Parsed("foo; a; a=1; a"), "foo; a; a=1; a");
  EXPECT_EQ(Parsed("foo, foo; a"), "foo, foo; a");
  EXPECT_EQ(Parsed(",foo,,\tbar,"), "foo, bar");
}

TEST(ExtensionList, RefusesEverythingElse) {
  for (const std::string_view field : {"",
                                       " ",
                                       ",",
                                       ";",
                                       "foo;",
                                       "foo;;a",
                                       "foo;=a",
                                       "foo; a=",
                                       "foo; a=\"",
                                       "foo; a=\"b",
                                       "foo; a=\"b\\",
                                       "foo; a=\"b c\"",
                                       "foo; a=\"\"",
                                       "foo; a=\"b\"c",
                                       "foo bar",
                                       "foo; a b",
                                       "foo; a=b=c",
                                       "\"foo\"",
                                       "foo=a",
                                       "foo(a)",
                                       "foo, b@r",
                                       "foo\x01",
                                       "foo; a=\"b,c\"",
                                       "ф"}) {
    EXPECT_EQ(Parsed(field), "refused") << field;
  }
}

TEST(ExtensionList, IsBounded) {
  std::string extensions = "a";
  for (size_t i = 1; i < kMostExtensions; ++i) extensions += ",a";
  EXPECT_EQ(ParseExtensions(extensions)->size(), kMostExtensions);
  EXPECT_EQ(Parsed(extensions + ",a"), "refused");
  std::string params = "a";
  for (size_t i = 0; i < kMostExtensionParams; ++i) params += ";p";
  EXPECT_NE(Parsed(params), "refused");
  EXPECT_EQ(Parsed(params + ";p"), "refused");
}

// --- As a server -------------------------------------------------------------------------------

std::string Answer(std::string_view offer, DeflateSettings settings = {}) {
  settings.enabled = true;
  const DeflateAnswer answer = NegotiateAsServer(*ParseExtensions(offer), settings);
  EXPECT_EQ(answer.params.has_value(), !answer.text.empty());
  if (answer.params) {
    // What the answer says is what we do; a client that offered it accepts it.
    const auto extensions = ParseExtensions(answer.text);
    EXPECT_TRUE(extensions.ok() && extensions->size() == 1);
  }
  return answer.text;
}

constexpr DeflateSettings kTakeover{.server_context_takeover = true,
                                    .client_context_takeover = true};

TEST(DeflateAsServer, AnswersBrowsersWithoutTakeover) {
  // Chromium's and Firefox's offers.
  EXPECT_EQ(Answer("permessage-deflate; client_max_window_bits"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_EQ(Answer("permessage-deflate"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
}

TEST(DeflateAsServer, TakeoverIsASetting) {
  EXPECT_EQ(Answer("permessage-deflate; client_max_window_bits", kTakeover), "permessage-deflate");
  EXPECT_EQ(Answer("permessage-deflate; server_no_context_takeover", kTakeover),
            "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(Answer("permessage-deflate; client_no_context_takeover", kTakeover),
            "permessage-deflate; client_no_context_takeover");
  EXPECT_EQ(Answer("permessage-deflate", {.client_context_takeover = true}),
            "permessage-deflate; server_no_context_takeover");
}

TEST(DeflateAsServer, NarrowsWindows) {
  DeflateSettings settings = kTakeover;
  EXPECT_EQ(Answer("permessage-deflate; server_max_window_bits=10", settings),
            "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(Answer("permessage-deflate; server_max_window_bits=15", settings),
            "permessage-deflate; server_max_window_bits=15");
  EXPECT_EQ(Answer("permessage-deflate; client_max_window_bits=9", settings),
            "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(Answer("permessage-deflate; client_max_window_bits=\"9\"", settings),
            "permessage-deflate; client_max_window_bits=9");
  settings.server_max_window_bits = 11;
  settings.client_max_window_bits = 12;
  EXPECT_EQ(Answer("permessage-deflate; client_max_window_bits", settings),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=12");
  EXPECT_EQ(Answer("permessage-deflate; client_max_window_bits=10", settings),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10");
  EXPECT_EQ(Answer("permessage-deflate; server_max_window_bits=9", settings),
            "permessage-deflate; server_max_window_bits=9");
}

// Who does not offer client_max_window_bits cannot be told.
TEST(DeflateAsServer, ExpectsTheWidestWindowOfAClientThatCannotBeTold) {
  DeflateSettings settings{.enabled = true};
  settings.client_max_window_bits = 9;
  const auto answer = NegotiateAsServer(*ParseExtensions("permessage-deflate"), settings);
  EXPECT_EQ(answer.params->client_max_window_bits, 15);
  EXPECT_EQ(answer.text.find("client_max_window_bits"), std::string::npos);
}

// zlib inflates a window of 8 bits and cannot deflate one: agreed, and left unused by us.
TEST(DeflateAsServer, AgreesToAWindowOf8Bits) {
  const auto answer = NegotiateAsServer(
      *ParseExtensions("permessage-deflate; server_max_window_bits=8"), {.enabled = true});
  EXPECT_EQ(answer.params->server_max_window_bits, 8);
  ZlibPool pool;
  EXPECT_FALSE(Deflater(SideOf(*answer.params, Role::kServer), {}, &pool).CanDeflate());
}

TEST(DeflateAsServer, TakesTheFirstOfferThatIsWellFormed) {
  EXPECT_EQ(Answer("x-webkit-deflate-frame, permessage-bzip2; p=1, permessage-deflate; "
                   "server_max_window_bits=12, permessage-deflate",
                   kTakeover),
            "permessage-deflate; server_max_window_bits=12");
  EXPECT_EQ(Answer("permessage-deflate; unknown, permessage-deflate", kTakeover),
            "permessage-deflate");
}

TEST(DeflateAsServer, DeclinesOffersWithOddParameters) {
  for (const std::string params :
       {"unknown", "server_no_context_takeover=1", "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=10",
        "server_max_window_bits=10; server_max_window_bits=10", "server_max_window_bits",
        "server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=08",
        "server_max_window_bits=1x", "client_max_window_bits=7", "client_max_window_bits=16",
        "client_max_window_bits=0", "client_max_window_bits=-9", "client_max_window_bits=+9",
        "Server_No_Context_Takeover"}) {
    EXPECT_EQ(Answer("permessage-deflate; " + params), "") << params;
  }
  EXPECT_EQ(Answer("x-webkit-deflate-frame"), "");
  EXPECT_EQ(Answer("Permessage-Deflate"), "");
}

TEST(DeflateAsServer, DisabledIsSilent) {
  const auto answer = NegotiateAsServer(*ParseExtensions("permessage-deflate"), {});
  EXPECT_FALSE(answer.params.has_value());
  EXPECT_EQ(answer.text, "");
}

// --- As a client -------------------------------------------------------------------------------

constexpr DeflateSettings kOn{.enabled = true};
constexpr DeflateSettings kOnWithTakeover{
    .enabled = true, .server_context_takeover = true, .client_context_takeover = true};

TEST(DeflateAsClient, Offers) {
  EXPECT_EQ(OfferText({}), "");
  EXPECT_EQ(OfferText(kOn),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "client_max_window_bits");
  DeflateSettings settings = kOnWithTakeover;
  EXPECT_EQ(OfferText(settings), "permessage-deflate; client_max_window_bits");
  settings.server_max_window_bits = 10;
  settings.client_max_window_bits = 11;
  EXPECT_EQ(OfferText(settings),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11");
}

// Of both sides with any settings, the client accepts what the server answers, and both mean the
// same.
TEST(DeflateAsClient, AcceptsWhatOurServerAnswers) {
  std::vector<DeflateSettings> all;
  for (int flags = 0; flags < 4; ++flags) {
    for (const int server_bits : {9, 12, 15}) {
      for (const int client_bits : {9, 12, 15}) {
        all.push_back({.enabled = true,
                       .server_context_takeover = (flags & 1) != 0,
                       .client_context_takeover = (flags & 2) != 0,
                       .server_max_window_bits = server_bits,
                       .client_max_window_bits = client_bits});
      }
    }
  }
  for (const DeflateSettings& client : all) {
    for (const DeflateSettings& server : all) {
      const auto answer = NegotiateAsServer(*ParseExtensions(OfferText(client)), server);
      ASSERT_TRUE(answer.params.has_value()) << OfferText(client);
      const auto agreed = CheckAnswer(answer.text, client);
      ASSERT_TRUE(agreed.ok()) << answer.text << ": " << agreed.error().message;
      EXPECT_EQ(**agreed, *answer.params) << OfferText(client) << " -> " << answer.text;
    }
  }
}

TEST(DeflateAsClient, NoAnswerIsNoExtension) {
  EXPECT_FALSE(CheckAnswer("", kOn)->has_value());
  EXPECT_FALSE(CheckAnswer("", {})->has_value());
}

std::string Refusal(std::string_view answer, const DeflateSettings& settings) {
  const auto result = CheckAnswer(answer, settings);
  if (result.ok()) return "";
  EXPECT_EQ(result.error().source, ErrorSource::kUpstream);
  return result.error().message;
}

TEST(DeflateAsClient, RefusesWhatWasNotOffered) {
  EXPECT_NE(Refusal("permessage-deflate", {}), "");
  EXPECT_NE(Refusal("x-webkit-deflate-frame", kOnWithTakeover), "");
  EXPECT_NE(Refusal("permessage-deflate, permessage-deflate", kOnWithTakeover), "");
  EXPECT_NE(Refusal("permessage-deflate, other", kOnWithTakeover), "");
  EXPECT_NE(Refusal(";", kOnWithTakeover), "");
  EXPECT_NE(Refusal("permessage-deflate; unknown", kOnWithTakeover), "");
  EXPECT_NE(Refusal("permessage-deflate; client_max_window_bits", kOnWithTakeover), "");
  EXPECT_NE(Refusal("permessage-deflate; server_max_window_bits=16", kOnWithTakeover), "");
}

TEST(DeflateAsClient, RefusesAnAnswerThatDropsACondition) {
  EXPECT_NE(Refusal("permessage-deflate", kOn), "");
  EXPECT_NE(Refusal("permessage-deflate; client_no_context_takeover", kOn), "");
  EXPECT_EQ(Refusal("permessage-deflate; server_no_context_takeover", kOn), "");
  DeflateSettings settings = kOnWithTakeover;
  settings.server_max_window_bits = 10;
  EXPECT_NE(Refusal("permessage-deflate", settings), "");
  EXPECT_NE(Refusal("permessage-deflate; server_max_window_bits=11", settings), "");
  EXPECT_EQ(Refusal("permessage-deflate; server_max_window_bits=10", settings), "");
  EXPECT_EQ(Refusal("permessage-deflate; server_max_window_bits=8", settings), "");
  settings.client_max_window_bits = 12;
  EXPECT_NE(
      Refusal("permessage-deflate; server_max_window_bits=10; client_max_window_bits=13", settings),
      "");
}

TEST(DeflateAsClient, TakesNarrowerTermsThanItOffered) {
  EXPECT_EQ(**CheckAnswer("permessage-deflate; client_no_context_takeover; "
                          "server_no_context_takeover; server_max_window_bits=9; "
                          "client_max_window_bits=8",
                          kOnWithTakeover),
            (DeflateParams{true, true, 9, 8}));
  EXPECT_EQ(**CheckAnswer("permessage-deflate", kOnWithTakeover), DeflateParams{});
}

}  // namespace
}  // namespace framewall::ws
