#include "backend/store/message_search.h"

#include <algorithm>

#include "backend/base/id.h"
#include "backend/store/members.h"
#include "backend/store/rooms.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class MessageSearchTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    for (const char* user : {"anna", "boris"}) AddUser(user, user);
    room = AddRoom("anna", RoomKind::kRoom);
  }
  std::string AddRoom(const std::string& owner, RoomKind kind, bool is_public = false) {
    Room made;
    made.id = NewId();
    made.kind = kind;
    made.owner = owner;
    made.is_public = is_public;
    Must([&](Connection& c) { return InsertRoom(c, made); });
    return made.id;
  }
  int64_t Say(const std::string& text, const std::string& where = "") {
    NewMessage message;
    message.room = where.empty() ? room : where;
    message.author = "anna";
    message.text = text;
    return Must([&](Connection& c) { return AppendMessage(c, message); }).message.number;
  }
  // The texts that are found, latest first.
  std::string Find(const std::string& text, MessageSearch search = {}) {
    if (search.user.empty()) search.user = "anna";
    search.text = text;
    std::string texts;
    for (const Message& message : Must([&](Connection& c) { return SearchMessages(c, search); })) {
      if (!texts.empty()) texts += '|';
      texts += message.text;
    }
    return texts;
  }

  std::string room;
};

TEST_F(MessageSearchTest, FoldsTheCaseOfCyrillicAndLatin) {
  Say("Съешь же ещё этих мягких французских булок");
  Say("The quick BROWN fox");
  for (const char* words : {"мягких", "МЯГКИХ", "Мягких булок", "БУЛОК съешь"}) {
    EXPECT_EQ("Съешь же ещё этих мягких французских булок", Find(words)) << words;
  }
  EXPECT_EQ("The quick BROWN fox", Find("brown QUICK"));
  EXPECT_EQ("", Find("мягкий"));
  EXPECT_EQ("", Find("brown булок"));
}

TEST_F(MessageSearchTest, YoIsYe) {
  Say("Ёлка и ещё");
  Say("Елка и еще");
  for (const char* words : {"ёлка", "елка", "ЁЛКА", "Елка ещё", "еще ёлка"}) {
    EXPECT_EQ("Елка и еще|Ёлка и ещё", Find(words)) << words;
  }
}

TEST_F(MessageSearchTest, ShortIIsALetterOfItsOwn) {
  Say("мой");
  Say("мои");
  EXPECT_EQ("мой", Find("МОЙ"));
  EXPECT_EQ("мои", Find("мои"));
}

TEST_F(MessageSearchTest, LatinMarksDoNotMatter) {
  Say("Crème Brûlée");
  EXPECT_EQ("Crème Brûlée", Find("creme brulee"));
  EXPECT_EQ("Crème Brûlée", Find("CRÈME"));
}

TEST_F(MessageSearchTest, AStarIsTheRestOfAWord) {
  Say("framewall");
  EXPECT_EQ("", Find("frame"));
  EXPECT_EQ("framewall", Find("frame*"));
  EXPECT_EQ("framewall", Find("FRAMEWALL*"));
  EXPECT_EQ("", Find("*wall"));
}

TEST_F(MessageSearchTest, WhatIsSyntaxElsewhereIsTextHere) {
  Say("a near b OR c");
  Say("say \"hello\" (world)");
  Say("x-y.z");
  EXPECT_EQ("a near b OR c", Find("near OR"));
  EXPECT_EQ("say \"hello\" (world)", Find("\"hello"));
  EXPECT_EQ("say \"hello\" (world)", Find("(hello)"));
  EXPECT_EQ("", Find("hello) AND"));
  EXPECT_EQ("x-y.z", Find("x-y.z"));
  EXPECT_EQ("x-y.z", Find("y"));
  EXPECT_EQ("", Find("x-z"));
  EXPECT_EQ("", Find("NOT"));
  for (const char* odd : {"",      " ",     "*",        "\"",   "\"\"", "(",    ")",    "a AND",
                          "NEAR(", "text:", "{text}:a", "^a",   "a+b",  "-a",   "a:b",  "\\",
                          "''",    "--",    ";",        "!!!",  "!!!*", "\x01", "\xff", "\xd1",
                          "\xd1*", "…",     "…*",       "a\0b", "😀",    "😀*"}) {
    Find(odd);  // an error would fail the test
  }
  const std::string nul("near\0b", 6);
  EXPECT_EQ("a near b OR c", Find(nul));
  // What is no word asks for nothing.
  EXPECT_EQ("a near b OR c", Find("near … !!! —"));
}

TEST_F(MessageSearchTest, OfNoWordNothingIsFound) {
  Say("a");
  for (const char* nothing : {"", "  ", "!!!", "…", "—*", "* *"}) EXPECT_EQ("", Find(nothing));
}

TEST_F(MessageSearchTest, OnlyWhereOneIsAMember) {
  const std::string of_boris = AddRoom("boris", RoomKind::kRoom, true);
  const std::string conversation = AddRoom("anna", RoomKind::kConversation);
  Say("word one");
  Say("word two", of_boris);
  Say("word three", conversation);
  EXPECT_EQ("word three|word one", Find("word"));
  EXPECT_EQ("word two", Find("word", {.user = "boris", .text = {}, .room = {}}));
  EXPECT_EQ("", Find("word", {.user = "boris", .text = {}, .room = room}));
  EXPECT_EQ("word one", Find("word", {.user = "anna", .text = {}, .room = room}));
  EXPECT_EQ("", Find("word", {.user = "anna", .text = {}, .room = "none"}));
  EXPECT_EQ("word one",
            Find("word", {.user = "anna", .text = {}, .room = {}, .conversations = false}));
  EXPECT_EQ("word three", Find("word", {.user = "anna", .text = {}, .room = {}, .rooms = false}));
  // An invitation opens nothing yet.
  Must([&](Connection& c) { return InviteMember(c, of_boris, "anna", "boris", 1); });
  EXPECT_EQ("word three|word one", Find("word"));
  Must([&](Connection& c) { return AcceptInvitation(c, of_boris, "anna", 1); });
  EXPECT_EQ("word three|word two|word one", Find("word"));
  Must([&](Connection& c) { return DeleteRoom(c, of_boris, 1); });
  EXPECT_EQ("word three|word one", Find("word"));
}

TEST_F(MessageSearchTest, TheNameOfARoomIsNoWordOfItsMessages) {
  Say("hello");
  std::string word = room;
  std::erase(word, '-');
  EXPECT_EQ("", Find(word));
}

TEST_F(MessageSearchTest, FollowsEditsAndDeletions) {
  const int64_t number = Say("ёжик");
  Must([&](Connection& c) { return EditMessage(c, room, number, "anna", "Ёлка", 2); });
  EXPECT_EQ("", Find("ежик"));
  EXPECT_EQ("Ёлка", Find("елка"));
  Must([&](Connection& c) { return DeleteMessage(c, room, number, "anna", false, 3); });
  EXPECT_EQ("", Find("елка"));
  EXPECT_EQ(0, Number("SELECT count(*) FROM messages_text WHERE messages_text MATCH 'елка'"));
}

TEST_F(MessageSearchTest, LatestFirstInPages) {
  for (const char* text : {"w 1", "w 2", "w 3", "w 4", "w 5"}) Say(text);
  MessageSearch search;
  search.user = "anna";
  search.text = "w";
  search.limit = 2;
  std::string pages;
  for (int i = 0; i < 4; ++i) {
    const auto found = Must([&](Connection& c) { return SearchMessages(c, search); });
    for (const Message& message : found) {
      pages += message.text + ",";
      search.behind = message.position;
    }
    pages += ";";
  }
  EXPECT_EQ("w 5,w 4,;w 3,w 2,;w 1,;;", pages);
}

TEST_F(MessageSearchTest, ManyRoomsAreNoTrouble) {
  Say("first word");
  for (const int rooms : {298, 2}) {  // 299, 301: both sides of what an expression names
    for (int i = 0; i < rooms; ++i) AddRoom("anna", RoomKind::kRoom);
    EXPECT_EQ("first word", Find("word"));
    EXPECT_EQ("", Find("word", {.user = "boris", .text = {}, .room = {}}));
  }
}

TEST(SearchExpression, QuotesEveryWord) {
  EXPECT_EQ("\"a\" \"b\"*", SearchExpression(" a  b* "));
  EXPECT_EQ("\"a\"\"b\"", SearchExpression("a\"b"));
  EXPECT_EQ("\"елка\"", SearchExpression("ёлка"));
  EXPECT_EQ("\"Елка\"", SearchExpression("Ёлка"));
  EXPECT_EQ("", SearchExpression("* ** !!"));
  EXPECT_EQ("\"a\"\"\"*", SearchExpression("a\"*"));
}

TEST(SearchExpression, HasABound) {
  std::string words;
  for (size_t i = 0; i < kSearchWords + 1; ++i) words += "a ";
  const std::string expression = SearchExpression(words);
  EXPECT_EQ(kSearchWords,
            static_cast<size_t>(std::count(expression.begin(), expression.end(), 'a')));
  words.resize(2 * kSearchWords);
  EXPECT_EQ(expression, SearchExpression(words));
}

}  // namespace
}  // namespace framewall::backend::store
