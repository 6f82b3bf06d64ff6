// The REST API of the real program: conversations, rooms, members, messages, pages, limits and
// what is made once. Every answer is held against the OpenAPI document.
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <string>
#include <vector>

#include "tests/functional/backend_api_testing.h"
#include "tests/support/websocket_peer.h"

namespace framewall::test {
namespace {

constexpr char kRooms[] = "/api/v1/rooms";
constexpr char kConversations[] = "/api/v1/conversations";
constexpr char kNoId[] = "01a1ffe6-8041-7c5e-ba21-000000000000";

std::string Repeated(std::string_view piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string IdempotencyKey(const std::string& key) { return "Idempotency-Key: " + key + "\r\n"; }

class BackendApi : public testing::Test {
 protected:
  void Start(const std::string& settings = "") {
    backend_.SetSettings(std::string(kOpenRegistration) + settings);
    ASSERT_TRUE(backend_.Start()) << backend_.Output();
    api_ = std::make_unique<Api>(backend_);
    ann_ = NewPerson(backend_, "ann");
    bob_ = NewPerson(backend_, "bob");
  }
  Api& api() { return *api_; }
  // A private room of Ann's in which Bob is.
  std::string SharedRoom(const std::string& body = R"({"name":"Kitchen"})") {
    const std::string room = api().NewRoom(ann_, body);
    api().Invite(ann_, room, "bob");
    api().Join(bob_, room);
    return room;
  }
  void Set(const Person& admin, const std::string& key, const std::string& value) {
    const HttpMessage set =
        api().Put(admin, "/api/v1/settings/" + key, "{\"value\":" + value + "}");
    EXPECT_EQ(set.status(), 200) << set.body;
  }

  BackendProcess backend_;
  std::unique_ptr<Api> api_;
  Person ann_, bob_;
};

TEST_F(BackendApi, MeIsChangedByMyselfAlone) {
  Start();
  EXPECT_EQ(JsonAt(api().Get(ann_, "/api/v1/me"), "/display_name"), "ann");
  const HttpMessage changed = api().Patch(ann_, "/api/v1/me", R"({"display_name":"  Анна "})");
  EXPECT_EQ(changed.status(), 200);
  EXPECT_EQ(JsonAt(changed, "/display_name"), "Анна");
  EXPECT_EQ(JsonAt(api().Get(ann_, "/api/v1/me"), "/display_name"), "Анна");
  EXPECT_EQ(JsonAt(api().Get(bob_, "/api/v1/me"), "/display_name"), "bob");
  const HttpMessage bad =
      api().Patch(ann_, "/api/v1/me", R"({"display_name":"a\nb","role":"admin"})");
  EXPECT_EQ(bad.status(), 422);
  EXPECT_EQ(BadFields(bad), "/display_name /role");
}

TEST_F(BackendApi, ConversationsLiveAndDie) {
  Start();
  const HttpMessage made = api().Post(ann_, kConversations, R"({"name":"Plans"})");
  ASSERT_EQ(made.status(), 201);
  const std::string id = JsonAt(made, "/id");
  EXPECT_EQ(made.Header("location"), ConversationPath(id));
  EXPECT_EQ(JsonAt(made, "/assistant"), "echo") << "the default model";
  EXPECT_EQ(api().Get(ann_, made.Header("location")).status(), 200);
  const HttpMessage changed =
      api().Patch(ann_, ConversationPath(id), R"({"name":"Other plans","assistant":null})");
  EXPECT_EQ(JsonAt(changed, "/name"), "Other plans");
  EXPECT_EQ(JsonAt(changed, "/assistant"), "null");
  const HttpMessage bad =
      api().Patch(ann_, ConversationPath(id), R"({"assistant":"nobody","visibility":"public"})");
  EXPECT_EQ(bad.status(), 422);
  EXPECT_EQ(BadFields(bad), "/assistant /visibility");
  EXPECT_EQ(api().Say(ann_, ConversationPath(id), "hello"), "1");
  EXPECT_EQ(api().Get(bob_, ConversationPath(id)).status(), 404);
  EXPECT_EQ(api().Get(ann_, RoomPath(id)).status(), 404) << "a conversation is no room";
  EXPECT_EQ(api().Delete(ann_, ConversationPath(id)).status(), 204);
  EXPECT_EQ(api().Get(ann_, ConversationPath(id)).status(), 404);
  EXPECT_EQ(api().Get(ann_, ConversationPath(id) + "/messages").status(), 404);
  EXPECT_EQ(api().Delete(ann_, ConversationPath(id)).status(), 404);
  EXPECT_EQ(api().Get(ann_, ConversationPath("no-id")).status(), 404);
}

TEST_F(BackendApi, ListsComeInPages) {
  Start("limits: {page_size: 2, page_limit: 3}\n");
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(api().NewConversation(ann_));
  HttpMessage page = api().Get(ann_, kConversations);
  EXPECT_EQ(ItemsAt(page, "/id"), made[4] + " " + made[3]);
  std::string seen = ItemsAt(page, "/id");
  while (JsonAt(page, "/next") != "null") {
    page = api().Get(ann_, std::string(kConversations) + "?cursor=" + JsonAt(page, "/next"));
    ASSERT_EQ(page.status(), 200);
    seen += " " + ItemsAt(page, "/id");
  }
  EXPECT_EQ(seen, made[4] + " " + made[3] + " " + made[2] + " " + made[1] + " " + made[0]);
  const std::string list = std::string(kConversations) + "?limit=";
  EXPECT_EQ(api().Get(ann_, list + "3").status(), 200);
  EXPECT_EQ(BadFields(api().Get(ann_, list + "4")), "?limit");
  EXPECT_EQ(BadFields(api().Get(ann_, list + "0&cursor=x")), "?limit ?cursor");
  // A page of exactly all has no next one.
  for (int i = 0; i < 3; ++i) api().NewConversation(bob_);
  EXPECT_EQ(JsonAt(api().Get(bob_, list + "3"), "/next"), "null");
  // Cursors of another list.
  const std::string next = JsonAt(api().Get(ann_, kConversations), "/next");
  EXPECT_EQ(BadFields(api().Get(ann_, std::string(kRooms) + "?cursor=" + next)), "?cursor");
}

TEST_F(BackendApi, MessagesAreNumberedChangedAndTakenBack) {
  Start("limits: {page_size: 2}\n");
  const std::string room = SharedRoom();
  const std::string messages = RoomPath(room) + "/messages";
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(api().Say(i == 2 ? bob_ : ann_, RoomPath(room), "m" + std::to_string(i)),
              std::to_string(i));
  }
  HttpMessage page = api().Get(bob_, messages);
  EXPECT_EQ(ItemsAt(page, "/text"), "m3 m2");
  EXPECT_EQ(ItemsAt(page, "/author/name"), "ann bob");
  page = api().Get(bob_, messages + "?cursor=" + JsonAt(page, "/next"));
  EXPECT_EQ(ItemsAt(page, "/text"), "m1");
  EXPECT_EQ(JsonAt(page, "/next"), "null");
  page = api().Get(bob_, messages + "?after=0");
  EXPECT_EQ(ItemsAt(page, "/text"), "m1 m2");
  EXPECT_EQ(
      ItemsAt(api().Get(bob_, messages + "?after=0&cursor=" + JsonAt(page, "/next")), "/text"),
      "m3");
  EXPECT_EQ(BadFields(api().Get(bob_, messages + "?cursor=" + JsonAt(page, "/next"))), "?cursor")
      << "the other direction";

  const HttpMessage edited = api().Patch(ann_, messages + "/1", R"({"text":"M1"})");
  EXPECT_EQ(edited.status(), 200);
  EXPECT_EQ(JsonAt(edited, "/text"), "M1");
  EXPECT_FALSE(JsonAt(edited, "/edited").empty());
  EXPECT_EQ(api().Patch(bob_, messages + "/1", R"({"text":"x"})").status(), 403);
  EXPECT_EQ(JsonAt(api().Get(bob_, messages + "/1"), "/text"), "M1");
  EXPECT_EQ(api().Delete(bob_, messages + "/3").status(), 403);
  EXPECT_EQ(api().Delete(ann_, messages + "/2").status(), 204) << "the owner of the room, any";
  const HttpMessage gone = api().Get(bob_, messages + "/2");
  EXPECT_EQ(JsonAt(gone, "/text"), "");
  EXPECT_FALSE(JsonAt(gone, "/deleted").empty());
  EXPECT_EQ(api().Patch(bob_, messages + "/2", R"({"text":"x"})").status(), 410);
  EXPECT_EQ(api().Delete(bob_, messages + "/2").status(), 204) << "it is as asked";
  for (const char* number : {"4", "0", "-1", "x", "99999999999999999999"}) {
    EXPECT_EQ(backend_.Get(messages + "/" + number, ann_.field()).status(), 404) << number;
  }
  EXPECT_EQ(api().Say(ann_, RoomPath(room), "m4"), "4");
}

TEST_F(BackendApi, AMessageOfTheSameClientIdIsTheSame) {
  Start();
  const std::string room = SharedRoom();
  const std::string messages = RoomPath(room) + "/messages";
  const HttpMessage first = api().Post(ann_, messages, R"({"text":"a","client_id":"c1"})");
  EXPECT_EQ(first.status(), 201);
  const HttpMessage again = api().Post(ann_, messages, R"({"text":"b","client_id":"c1"})");
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(api().Post(bob_, messages, R"({"text":"b","client_id":"c1"})").status(), 201)
      << "client ids are the sender's own";
  EXPECT_EQ(JsonAt(api().Get(ann_, RoomPath(room)), "/last_number"), "2");
}

TEST_F(BackendApi, SocketsHearWhatIsWrittenHere) {
  Start();
  const std::string room = SharedRoom();
  WebSocketClientOptions options;
  options.path = "/ws/chat";
  options.headers = bob_.field();
  WebSocketClient socket(backend_.socket_path(), options);
  ASSERT_EQ(socket.status(), 101) << socket.answer().raw;
  socket->SendText(R"({"type":"hello","v":1,"rooms":[{"room":")" + room + R"("}]})");
  const auto next = [&](const std::string& type) {
    for (int i = 0; i < 20; ++i) {
      const std::string text = socket->Read().payload;
      if (text.empty() || JsonAt(text, "/type") == type) return text;
    }
    return std::string();
  };
  ASSERT_NE(next("joined"), "");
  const std::string messages = RoomPath(room) + "/messages";
  api().Say(ann_, RoomPath(room), "hello");
  const std::string message = next("message");
  EXPECT_EQ(JsonAt(message, "/text"), "hello");
  EXPECT_EQ(JsonAt(message, "/number"), "1");
  api().Patch(ann_, messages + "/1", R"({"text":"hello again"})");
  EXPECT_EQ(JsonAt(next("edited"), "/text"), "hello again");
  api().Delete(ann_, messages + "/1");
  EXPECT_EQ(JsonAt(next("deleted"), "/number"), "1");
  // And the other way round: one sequence for both.
  socket->SendText(R"({"type":"message","room":")" + room +
                   R"(","client_id":"c","text":"from the socket"})");
  EXPECT_EQ(JsonAt(next("ack"), "/number"), "2");
  EXPECT_EQ(ItemsAt(api().Get(ann_, messages + "?limit=1"), "/text"), "from the socket");
  EXPECT_EQ(api().Delete(ann_, RoomPath(room) + "/members/" + bob_.id).status(), 204);
  EXPECT_EQ(JsonAt(next("left"), "/reason"), "removed");
}

TEST_F(BackendApi, InvitationsAreAcceptedAndDeclined) {
  Start();
  const Person eve = NewPerson(backend_, "eve");
  const std::string room = api().NewRoom(ann_);
  const std::string members = RoomPath(room) + "/members";
  const std::string membership = RoomPath(room) + "/membership";
  EXPECT_EQ(api().Put(bob_, membership).status(), 404) << "not invited";
  api().Invite(ann_, room, "BOB");
  EXPECT_EQ(api().Post(ann_, members, R"({"user":"bob"})").status(), 200) << "invited already";
  EXPECT_EQ(BadFields(api().Post(ann_, members, R"({"user":"nobody"})")), "/user");
  EXPECT_EQ(ItemsAt(api().Get(bob_, std::string(kRooms) + "?of=invited"), "/id"), room);
  EXPECT_EQ(ItemsAt(api().Get(bob_, kRooms), "/id"), "");
  // The invited know of the room and no more.
  EXPECT_EQ(JsonAt(api().Get(bob_, RoomPath(room)), "/my_state"), "invited");
  EXPECT_EQ(api().Get(bob_, RoomPath(room) + "/messages").status(), 403);
  EXPECT_EQ(api().Get(bob_, members).status(), 403);
  EXPECT_EQ(JsonAt(api().Put(bob_, membership), "/my_state"), "member");
  EXPECT_EQ(api().Put(bob_, membership).status(), 200) << "a member already";
  EXPECT_EQ(ItemsAt(api().Get(bob_, kRooms), "/id"), room);
  EXPECT_EQ(api().Post(bob_, members, R"({"user":"eve"})").status(), 403) << "the owner alone";

  api().Invite(ann_, room, "eve");
  EXPECT_EQ(ItemsAt(api().Get(ann_, members), "/state"), "owner member invited");
  EXPECT_EQ(api().Delete(eve, membership).status(), 204) << "declined";
  EXPECT_EQ(api().Get(eve, RoomPath(room)).status(), 404);
  EXPECT_EQ(api().Delete(bob_, membership).status(), 204) << "left";
  EXPECT_EQ(api().Get(bob_, RoomPath(room)).status(), 404);
  EXPECT_EQ(JsonAt(api().Delete(ann_, membership), "/code"), "owner");
  EXPECT_EQ(JsonAt(api().Delete(ann_, members + "/" + ann_.id), "/code"), "owner");
  EXPECT_EQ(api().Delete(ann_, members + "/" + bob_.id).status(), 404) << "he is gone";
}

TEST_F(BackendApi, PublicRoomsAreSeenByAllAndJoinedByWhoLikes) {
  Start();
  const std::string room = api().NewRoom(ann_, R"({"name":"Hall","visibility":"public"})");
  const std::string hidden = api().NewRoom(ann_);
  api().Say(ann_, RoomPath(room), "secret");
  EXPECT_EQ(ItemsAt(api().Get(bob_, std::string(kRooms) + "?of=public"), "/id"), room);
  const HttpMessage seen = api().Get(bob_, RoomPath(room));
  EXPECT_EQ(JsonAt(seen, "/my_state"), "null");
  EXPECT_EQ(JsonAt(seen, "/last_number"), "0") << "how much is said is the members'";
  EXPECT_EQ(JsonAt(api().Get(bob_, RoomPath(room) + "/messages"), "/code"), "not_member");
  EXPECT_EQ(api().Post(bob_, RoomPath(room) + "/messages", R"({"text":"a"})").status(), 403);
  EXPECT_EQ(api().Patch(bob_, RoomPath(room), R"({"name":"x"})").status(), 403);
  api().Join(bob_, room);
  EXPECT_EQ(ItemsAt(api().Get(bob_, RoomPath(room) + "/messages"), "/text"), "secret");
  EXPECT_EQ(JsonAt(api().Patch(ann_, RoomPath(room), R"({"visibility":"private"})"), "/visibility"),
            "private");
  EXPECT_EQ(ItemsAt(api().Get(bob_, std::string(kRooms) + "?of=public"), "/id"), "");
  EXPECT_EQ(api().Get(bob_, RoomPath(room)).status(), 200) << "members stay";
  EXPECT_EQ(api().Delete(ann_, RoomPath(room)).status(), 204);
  EXPECT_EQ(api().Get(bob_, RoomPath(room)).status(), 404);
}

TEST_F(BackendApi, SearchFindsWordsInAnyCaseWhereOneMaySee) {
  Start("limits: {page_size: 2}\n");
  const std::string shared = SharedRoom();
  const std::string own = api().NewRoom(bob_);
  const std::string talk = api().NewConversation(ann_, R"({"assistant":null})");
  api().Say(ann_, RoomPath(shared), "Зелёная ЁЛКА в лесу");
  api().Say(bob_, RoomPath(own), "моя елка");
  api().Say(ann_, ConversationPath(talk), "Елка для разговора");
  api().Say(ann_, RoomPath(shared), "сосна");
  const auto search = [&](const Person& person, const std::string& query) {
    return ItemsAt(api().Get(person, "/api/v1/messages?" + query), "/text");
  };
  const std::string yolka = "q=%D1%91%D0%BB%D0%BA%D0%B0";  // ёлка
  EXPECT_EQ(search(ann_, yolka), "Елка для разговора Зелёная ЁЛКА в лесу");
  EXPECT_EQ(search(bob_, yolka), "моя елка Зелёная ЁЛКА в лесу");
  EXPECT_EQ(search(ann_, yolka + "&room=" + shared), "Зелёная ЁЛКА в лесу");
  EXPECT_EQ(search(ann_, yolka + "&room=" + own), "") << "somebody else's";
  EXPECT_EQ(search(ann_, "q=%D0%B7%D0%B5%D0%BB*"), "Зелёная ЁЛКА в лесу");  // зел*
  EXPECT_EQ(search(ann_, "q=%D0%B7%D0%B5%D0%BB"), "") << "a whole word";
  for (const char* odd : {"q=%22", "q=*", "q=AND+OR+NOT", "q=a%3Ab", "q=%28", "q=-"}) {
    EXPECT_EQ(api().Get(ann_, std::string("/api/v1/messages?") + odd).status(), 200) << odd;
  }
  // A key that may read rooms alone finds nothing in conversations.
  const std::string key = NewKey(backend_, ann_, R"(["rooms:read"])");
  EXPECT_EQ(ItemsAt(api().Call("GET", "/api/v1/messages?" + yolka, BearerField(key)), "/text"),
            "Зелёная ЁЛКА в лесу");
  // Pages, and what was taken back is not found.
  api().Say(ann_, RoomPath(shared), "ещё ёлка");
  HttpMessage page = api().Get(ann_, "/api/v1/messages?" + yolka);
  EXPECT_EQ(ItemsAt(page, "/text"), "ещё ёлка Елка для разговора");
  page = api().Get(ann_, "/api/v1/messages?" + yolka + "&cursor=" + JsonAt(page, "/next"));
  EXPECT_EQ(ItemsAt(page, "/text"), "Зелёная ЁЛКА в лесу");
  EXPECT_EQ(JsonAt(page, "/next"), "null");
  api().Delete(ann_, RoomPath(shared) + "/messages/1");
  EXPECT_EQ(search(bob_, yolka), "ещё ёлка моя елка");

  EXPECT_EQ(BadFields(api().Get(ann_, "/api/v1/messages")), "?q");
  EXPECT_EQ(BadFields(api().Get(ann_, "/api/v1/messages?q=+&room=x")), "?q ?room");
  EXPECT_EQ(api().Get(ann_, "/api/v1/messages?q=" + Repeated("a", 200)).status(), 200);
  EXPECT_EQ(BadFields(api().Get(ann_, "/api/v1/messages?q=" + Repeated("a", 201))), "?q");
}

// --- made once ---

TEST_F(BackendApi, TheSameKeyMakesOneThing) {
  Start();
  const HttpMessage first = api().Post(ann_, kRooms, R"({"name":"a"})", IdempotencyKey("k1"));
  ASSERT_EQ(first.status(), 201);
  const HttpMessage again = api().Post(ann_, kRooms, R"({"name":"a"})", IdempotencyKey("k1"));
  EXPECT_EQ(again.status(), 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.Header("location"), first.Header("location"));
  EXPECT_EQ(ItemsAt(api().Get(ann_, kRooms), "/id"), JsonAt(first, "/id"));

  const HttpMessage other = api().Post(ann_, kRooms, R"({"name":"b"})", IdempotencyKey("k1"));
  EXPECT_EQ(other.status(), 422);
  EXPECT_EQ(JsonAt(other, "/code"), "idempotency_key_reused");
  EXPECT_EQ(api().Post(ann_, kConversations, R"({"name":"a"})", IdempotencyKey("k1")).status(), 422)
      << "another operation";
  EXPECT_EQ(api().Post(bob_, kRooms, R"({"name":"a"})", IdempotencyKey("k1")).status(), 201)
      << "keys are the user's own";
  EXPECT_EQ(api().Post(ann_, kRooms, R"({"name":"a"})", IdempotencyKey("k2")).status(), 201);

  // What was refused has made nothing: the key is free.
  EXPECT_EQ(api().Post(ann_, kRooms, R"({"name":""})", IdempotencyKey("k3")).status(), 422);
  EXPECT_EQ(api().Post(ann_, kRooms, R"({"name":"c"})", IdempotencyKey("k3")).status(), 201);

  // It outlives the program.
  ASSERT_EQ(backend_.Terminate(), 0);
  ASSERT_TRUE(backend_.Start()) << backend_.Output();
  EXPECT_EQ(api().Post(ann_, kRooms, R"({"name":"a"})", IdempotencyKey("k1")).body, first.body);
}

TEST_F(BackendApi, TheSameKeyForMessagesIsBoundToItsRoom) {
  Start();
  const std::string one = api().NewRoom(ann_) + "/messages";
  const std::string two = api().NewRoom(ann_) + "/messages";
  const std::string body = R"({"text":"a"})";
  const HttpMessage first = api().Post(ann_, RoomPath(one), body, IdempotencyKey("k"));
  EXPECT_EQ(first.Header("location"), RoomPath(one) + "/1");
  EXPECT_EQ(api().Post(ann_, RoomPath(one), body, IdempotencyKey("k")).body, first.body);
  EXPECT_EQ(api().Post(ann_, RoomPath(two), body, IdempotencyKey("k")).status(), 422);
  EXPECT_EQ(ItemsAt(api().Get(ann_, RoomPath(one)), "/number"), "1");
  EXPECT_EQ(ItemsAt(api().Get(ann_, RoomPath(two)), "/number"), "");
}

TEST_F(BackendApi, AtTheSameTimeTheSameKeyMakesOneThing) {
  Start();
  std::vector<std::future<HttpMessage>> answers;
  for (int i = 0; i < 12; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      return backend_.Request("POST", kRooms, ann_.field() + IdempotencyKey("k"),
                              R"({"name":"a"})");
    }));
  }
  std::set<std::string> bodies;
  for (auto& answer : answers) {
    const HttpMessage got = answer.get();
    EXPECT_EQ(got.status(), 201);
    bodies.insert(got.body);
  }
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(ItemsAt(api().Get(ann_, kRooms), "/name"), "a");
}

TEST_F(BackendApi, KeysAreOfVisibleCharacters) {
  Start();
  const std::string body = R"({"name":"a"})";
  EXPECT_EQ(api().Post(ann_, kRooms, body, IdempotencyKey(Repeated("k", 128))).status(), 201);
  for (const std::string& wrong : {Repeated("k", 129), std::string("a b"), std::string("\xC3\xA9"),
                                   std::string(), std::string("a\r\nIdempotency-Key: b")}) {
    const HttpMessage refused = api().Post(ann_, kRooms, body, IdempotencyKey(wrong));
    EXPECT_EQ(refused.status(), 400) << wrong;
    EXPECT_EQ(JsonAt(refused, "/code"), "idempotency_key") << wrong;
  }
}

// --- limits ---

TEST_F(BackendApi, BodiesAreLimitedInSizeAndDepth) {
  Start("limits: {body_limit: 2048, message_limit: 100}\n");
  const auto sized = [](size_t octets) {
    const std::string frame = R"({"name":"a"})";
    return R"({"name":"a")" + Repeated(" ", octets - frame.size()) + "}";
  };
  EXPECT_EQ(api().Post(ann_, kRooms, sized(2048)).status(), 201);
  EXPECT_EQ(api().Post(ann_, kRooms, sized(2049)).status(), 413);
  const auto deep = [](size_t levels) {
    return R"({"name":)" + Repeated("[", levels - 1) + Repeated("]", levels - 1) + "}";
  };
  const HttpMessage deepest = api().Post(ann_, kRooms, deep(64));
  EXPECT_EQ(deepest.status(), 422) << "read, and not as expected";
  EXPECT_EQ(BadFields(deepest), "/name");
  EXPECT_EQ(api().Post(ann_, kRooms, deep(65)).status(), 400);
  const std::string messages = RoomPath(api().NewRoom(ann_)) + "/messages";
  EXPECT_EQ(api().Post(ann_, messages, R"({"text":")" + Repeated("ж", 50) + "\"}").status(), 201);
  EXPECT_EQ(BadFields(api().Post(ann_, messages, R"({"text":")" + Repeated("ж", 50) + "a\"}")),
            "/text");
  EXPECT_EQ(api().Post(ann_, kRooms, R"({"name":"a","name":"b"})").status(), 400) << "a name twice";
  EXPECT_EQ(api().Post(ann_, kRooms, "{\"name\":\"\xFF\"}").status(), 400) << "no UTF-8";
}

TEST_F(BackendApi, WhatIsSearchedForIsLimited) {
  Start();
  const auto search = [&](size_t characters) {
    return api().Get(ann_, "/api/v1/messages?q=" + Repeated("%D0%B6", characters));
  };
  EXPECT_EQ(search(200).status(), 200);
  EXPECT_EQ(BadFields(search(201)), "?q");
  EXPECT_EQ(BadFields(search(0)), "?q");
}

TEST_F(BackendApi, MessagesAreLimitedInCharacters) {
  Start("limits: {message_characters: 60}\n");
  const std::string messages = RoomPath(api().NewRoom(ann_)) + "/messages";
  const auto text = [](size_t count) { return R"({"text":")" + Repeated("ж", count) + "\"}"; };
  EXPECT_EQ(api().Post(ann_, messages, text(60)).status(), 201);
  EXPECT_EQ(BadFields(api().Post(ann_, messages, text(61))), "/text");
  EXPECT_EQ(api().Patch(ann_, messages + "/1", text(60)).status(), 200);
  EXPECT_EQ(BadFields(api().Patch(ann_, messages + "/1", text(61))), "/text");
}

TEST_F(BackendApi, NumbersOfThingsAreLimitedAsAdministratorsSay) {
  Start();
  const Person admin = FirstAdmin(backend_);
  Set(admin, "rooms_per_user", "2");
  Set(admin, "conversations_per_user", "1");
  Set(admin, "members_per_room", "2");
  Set(admin, "keys_per_user", "1");
  const std::string room = api().NewRoom(ann_);
  api().NewRoom(ann_);
  const HttpMessage third = api().Post(ann_, kRooms, R"({"name":"a"})");
  EXPECT_EQ(third.status(), 409);
  EXPECT_EQ(JsonAt(third, "/code"), "too_many_rooms");
  EXPECT_EQ(api().Delete(ann_, RoomPath(room)).status(), 204);
  const std::string full = api().NewRoom(ann_, R"({"name":"a","visibility":"public"})");
  const std::string talk = api().NewConversation(ann_);
  EXPECT_EQ(JsonAt(api().Post(ann_, kConversations, "{}"), "/code"), "too_many_conversations");
  EXPECT_EQ(api().Delete(ann_, ConversationPath(talk)).status(), 204);
  api().NewConversation(ann_);

  const Person eve = NewPerson(backend_, "eve");
  api().Join(bob_, full);
  EXPECT_EQ(JsonAt(api().Put(eve, RoomPath(full) + "/membership"), "/code"), "room_full");
  EXPECT_EQ(JsonAt(api().Post(ann_, RoomPath(full) + "/members", R"({"user":"eve"})"), "/code"),
            "room_full");
  EXPECT_EQ(api().Delete(bob_, RoomPath(full) + "/membership").status(), 204);
  api().Join(eve, full);

  NewKey(backend_, ann_, R"(["me:read"])");
  EXPECT_EQ(api().Post(ann_, "/api/v1/keys", R"({"name":"k","scopes":["me:read"]})").status(), 409);
}

// --- the assistant ---

TEST_F(BackendApi, ARequestMayWaitForTheAnswer) {
  Start();
  const std::string talk = ConversationPath(api().NewConversation(ann_));
  const HttpMessage answered =
      api().Post(ann_, talk + "/messages", R"({"text":"hello there","wait_for_answer":true})",
                 IdempotencyKey("k"));
  EXPECT_EQ(answered.status(), 201);
  EXPECT_EQ(answered.Header("location"), talk + "/messages/1");
  EXPECT_EQ(JsonAt(answered, "/text"), "hello there");
  EXPECT_EQ(JsonAt(answered, "/answer/role"), "assistant");
  EXPECT_EQ(JsonAt(answered, "/answer/state"), "whole");
  EXPECT_EQ(JsonAt(answered, "/answer/number"), "2");
  EXPECT_EQ(JsonAt(answered, "/answer/asked_by/name"), "ann");
  EXPECT_NE(JsonAt(answered, "/answer/text").find("hello there"), std::string::npos);
  EXPECT_EQ(JsonAt(api().Get(ann_, talk + "/messages/2"), "/text"),
            JsonAt(answered, "/answer/text"));
  // Again: nobody is asked, and nothing is added.
  const HttpMessage again =
      api().Post(ann_, talk + "/messages", R"({"text":"hello there","wait_for_answer":true})",
                 IdempotencyKey("k"));
  EXPECT_EQ(again.status(), 201);
  EXPECT_EQ(JsonAt(again, "/number"), "1");
  EXPECT_EQ(JsonAt(again, "/answer"), "");
  EXPECT_EQ(JsonAt(api().Get(ann_, talk), "/last_number"), "2");
}

TEST_F(BackendApi, WhoeverWaitsInVainIsToldAtOnce) {
  Start();
  const std::string body = R"({"text":"hello","wait_for_answer":true})";
  const std::string silent = ConversationPath(api().NewConversation(ann_, R"({"assistant":null})"));
  EXPECT_EQ(JsonAt(api().Post(ann_, silent + "/messages", body), "/code"), "no_assistant");
  EXPECT_EQ(JsonAt(api().Get(ann_, silent), "/last_number"), "0") << "nothing was stored";
  const std::string room = RoomPath(api().NewRoom(ann_, R"({"name":"a","assistant":"echo"})"));
  EXPECT_EQ(BadFields(api().Post(ann_, room + "/messages", body)), "/wait_for_answer");
  const HttpMessage asked =
      api().Post(ann_, room + "/messages", R"({"text":"@assistant hello","wait_for_answer":true})");
  EXPECT_EQ(JsonAt(asked, "/answer/state"), "whole");
}

TEST_F(BackendApi, OneRequestOfAPersonWaitsInARoom) {
  Start();
  const std::string talk = ConversationPath(api().NewConversation(ann_));
  // Echo says a word at a time: this takes a minute.
  const std::string slow = R"({"text":")" + Repeated("a ", 4000) + R"(b","wait_for_answer":true})";
  const std::string quick = R"({"text":"hello","wait_for_answer":true})";
  {
    RawClient waiting = backend_.Connect();
    waiting.Send("POST " + talk + "/messages HTTP/1.1\r\nHost: localhost\r\n" + ann_.field() +
                 "Content-Type: application/json\r\nContent-Length: " +
                 std::to_string(slow.size()) + "\r\n\r\n" + slow);
    // The answer has begun, so somebody waits for it.
    ASSERT_TRUE(Eventually([&] { return api().Get(ann_, talk + "/messages/2").status() == 200; }));
    const HttpMessage second = api().Post(ann_, talk + "/messages", quick);
    EXPECT_EQ(second.status(), 409) << second.body;
    EXPECT_EQ(JsonAt(second, "/code"), "answer_under_way");
    EXPECT_EQ(JsonAt(api().Get(ann_, talk), "/last_number"), "2") << "nothing was stored";
    // It is the waiting that is one at a time: of one person, in one room.
    const std::string other = ConversationPath(api().NewConversation(ann_));
    EXPECT_EQ(JsonAt(api().Post(ann_, other + "/messages", quick), "/answer/state"), "whole");
    EXPECT_EQ(api().Post(ann_, other + "/messages", R"({"text":"no hurry"})").status(), 201);
  }
  // Whoever has left waits no more.
  EXPECT_TRUE(
      Eventually([&] { return api().Post(ann_, talk + "/messages", quick).status() == 201; }));
}

TEST_F(BackendApi, UsageIsOnesOwnAndForAdministratorsEverybodys) {
  Start();
  const Person admin = FirstAdmin(backend_);
  EXPECT_EQ(ItemsAt(api().Get(ann_, "/api/v1/usage"), "/model"), "");
  const std::string talk = ConversationPath(api().NewConversation(ann_));
  for (int i = 0; i < 2; ++i) {
    api().Post(ann_, talk + "/messages", R"({"text":"hello there","wait_for_answer":true})");
  }
  HttpMessage usage;
  ASSERT_TRUE(Eventually([&] {
    usage = api().Get(ann_, "/api/v1/usage");
    return JsonAt(usage, "/items/0/requests") == "2";
  })) << usage.body;
  EXPECT_EQ(JsonAt(usage, "/items/0/model"), "echo");
  EXPECT_EQ(JsonAt(usage, "/items/0/user"), ann_.id);
  EXPECT_GT(std::stoi(JsonAt(usage, "/items/0/prompt_tokens")), 0);
  EXPECT_GT(std::stoi(JsonAt(usage, "/items/0/completion_tokens")), 0);
  const std::string path = "/api/v1/usage?";
  EXPECT_EQ(ItemsAt(api().Get(ann_, path + "to=2020-01-01&from=2019-01-01"), "/model"), "");
  EXPECT_EQ(BadFields(api().Get(ann_, path + "from=yesterday&to=2020-02-30")), "?to ?from");
  EXPECT_EQ(ItemsAt(api().Get(ann_, path + "user=" + ann_.id), "/model"), "echo");
  EXPECT_EQ(api().Get(bob_, path + "user=" + ann_.id).status(), 403);
  EXPECT_EQ(api().Get(bob_, path + "user=all").status(), 403);
  EXPECT_EQ(ItemsAt(api().Get(admin, path + "user=" + ann_.id), "/user"), ann_.id);
  EXPECT_EQ(ItemsAt(api().Get(admin, path + "user=all"), "/user"), ann_.id);
  EXPECT_EQ(ItemsAt(api().Get(admin, path), "/user"), "");
  EXPECT_EQ(BadFields(api().Get(admin, path + "user=ann")), "?user");
}

// --- settings ---

TEST_F(BackendApi, SettingsCountAtOnceAndAfterARestart) {
  Start();
  const Person admin = FirstAdmin(backend_);
  Set(admin, "registration_open", "false");
  EXPECT_EQ(Register(backend_, "late").status(), 403);
  Set(admin, "message_of_the_day", R"("Привет\nвсем")");
  Set(admin, "default_model", R"("")");
  EXPECT_EQ(JsonAt(api().Post(ann_, kConversations, "{}"), "/assistant"), "null");
  ASSERT_EQ(backend_.Terminate(), 0);
  ASSERT_TRUE(backend_.Start()) << backend_.Output();
  const HttpMessage site = api().Call("GET", "/api/v1/site", "");
  EXPECT_EQ(JsonAt(site, "/registration_open"), "false");
  EXPECT_EQ(JsonAt(site, "/message_of_the_day"), "Привет\nвсем");
  EXPECT_EQ(JsonAt(site, "/password_min"), "10");
  EXPECT_EQ(JsonAt(site, "/default_model"), "");
  const HttpMessage reset = api().Delete(admin, "/api/v1/settings/registration_open");
  EXPECT_EQ(JsonAt(reset, "/value"), "true") << "as the file says";
  EXPECT_EQ(JsonAt(reset, "/is_default"), "true");
  EXPECT_EQ(Register(backend_, "late").status(), 201);
}

TEST_F(BackendApi, SettingsAreTypedAndAudited) {
  Start();
  const Person admin = FirstAdmin(backend_);
  const std::string rooms = "/api/v1/settings/rooms_per_user";
  EXPECT_EQ(api().Put(admin, rooms, R"({"value":0})").status(), 200);
  EXPECT_EQ(api().Put(admin, rooms, R"({"value":100000})").status(), 200);
  for (const char* wrong : {"100001", "-1", "\"5\"", "1.5", "null", "true", "[1]"}) {
    EXPECT_EQ(BadFields(api().Put(admin, rooms, std::string(R"({"value":)") + wrong + "}")),
              "/value")
        << wrong;
  }
  EXPECT_EQ(BadFields(api().Put(admin, rooms, R"({"val":1})")), "/value /val");
  EXPECT_EQ(BadFields(api().Put(admin, "/api/v1/settings/default_model", R"({"value":"gpt"})")),
            "/value");
  EXPECT_EQ(api().Get(admin, "/api/v1/settings/public_url").status(), 404);
  EXPECT_EQ(api().Put(admin, "/api/v1/settings/listen", R"({"value":"x"})").status(), 404);
  EXPECT_EQ(api().Delete(admin, rooms).status(), 200);

  const HttpMessage changes = api().Get(admin, rooms + "/changes");
  EXPECT_EQ(ItemsAt(changes, "/after"), "null 100000 0");
  EXPECT_EQ(ItemsAt(changes, "/before"), "100000 0 null");
  EXPECT_EQ(ItemsAt(changes, "/user"), admin.id + " " + admin.id + " " + admin.id);
  const HttpMessage page = api().Get(admin, rooms + "/changes?limit=2");
  EXPECT_EQ(ItemsAt(api().Get(admin, rooms + "/changes?cursor=" + JsonAt(page, "/next")), "/after"),
            "0");
  const HttpMessage all = api().Get(admin, "/api/v1/settings");
  EXPECT_EQ(ItemsAt(all, "/key"),
            "conversations_per_user default_model keys_per_user members_per_room "
            "message_of_the_day registration_open rooms_per_user");
}

TEST_F(BackendApi, WhatIsNotThereIsNotFound) {
  Start();
  for (const std::string& id : {std::string(kNoId), std::string("1"), std::string("%2e%2e%2fme")}) {
    for (const char* place : {"/api/v1/rooms/", "/api/v1/conversations/"}) {
      EXPECT_EQ(backend_.Get(place + id, ann_.field()).status(), 404) << place << id;
      EXPECT_EQ(backend_.Get(place + id + "/messages", ann_.field()).status(), 404) << place << id;
    }
  }
}

}  // namespace
}  // namespace framewall::test
