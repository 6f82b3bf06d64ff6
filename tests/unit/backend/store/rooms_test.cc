#include "backend/store/rooms.h"

#include "backend/store/members.h"
#include "backend/store/messages.h"
#include "tests/unit/backend/store/support.h"

namespace framewall::backend::store {
namespace {

class RoomsTest : public StoreTest {
 protected:
  void SetUp() override {
    Open();
    AddUser("anna", "anna");
    AddUser("boris", "boris");
  }
  void AddRoom(const std::string& id, const std::string& owner, bool is_public = false,
               RoomKind kind = RoomKind::kRoom) {
    Room room;
    room.id = id;
    room.kind = kind;
    room.name = "name of " + id;
    room.owner = owner;
    room.is_public = is_public;
    room.created = 10;
    room.changed = 10;
    Must([&](Connection& c) { return InsertRoom(c, room); });
  }
  std::optional<SeenRoom> Find(const std::string& id, const std::string& user) {
    return Must([&](Connection& c) { return FindRoom(c, id, user); });
  }
  std::string Ids(RoomList list, const std::string& user, const std::string& behind = "",
                  int64_t limit = 10) {
    std::string ids;
    for (const SeenRoom& seen :
         Must([&](Connection& c) { return ListRooms(c, list, user, behind, limit); })) {
      ids += seen.room.id + std::string(MembershipName(seen.membership)) + " ";
    }
    return ids;
  }
};

TEST_F(RoomsTest, ARoomIsFoundAsItWasMade) {
  AddRoom("r1", "anna", true);
  const auto mine = Find("r1", "anna");
  ASSERT_TRUE(mine);
  EXPECT_EQ("name of r1", mine->room.name);
  EXPECT_EQ("anna", mine->room.owner);
  EXPECT_EQ(RoomKind::kRoom, mine->room.kind);
  EXPECT_TRUE(mine->room.is_public);
  EXPECT_EQ("", mine->room.assistant);
  EXPECT_EQ(0, mine->room.last_number);
  EXPECT_TRUE(mine->is_owner());
  EXPECT_TRUE(mine->is_member());
  const auto other = Find("r1", "boris");
  ASSERT_TRUE(other);
  EXPECT_EQ(Membership::kNone, other->membership);
  EXPECT_FALSE(other->is_member());
  EXPECT_TRUE(other->visible());
  AddRoom("r2", "anna");
  EXPECT_FALSE(Find("r2", "boris")->visible());
  EXPECT_FALSE(Find("none", "anna"));
}

TEST_F(RoomsTest, AnOwnerMustBeThere) {
  Room room;
  room.id = "r1";
  room.owner = "nobody";
  EXPECT_EQ(ErrorKind::kRefused, FailureOf([&](Connection& c) { return InsertRoom(c, room); }));
  EXPECT_EQ(0, Number("SELECT count(*) FROM rooms"));
}

TEST_F(RoomsTest, ListsAreLatestFirstInPages) {
  for (const char* id : {"r1", "r2", "r3", "r4"}) AddRoom(id, "anna", id[1] != '2');
  AddRoom("r5", "boris", true);
  AddRoom("c1", "anna", false, RoomKind::kConversation);
  AddRoom("c2", "boris", false, RoomKind::kConversation);
  EXPECT_EQ("r4owner r3owner r2owner r1owner ", Ids(RoomList::kMine, "anna"));
  EXPECT_EQ("r4owner r3owner ", Ids(RoomList::kMine, "anna", "", 2));
  EXPECT_EQ("r2owner r1owner ", Ids(RoomList::kMine, "anna", "r3", 2));
  EXPECT_EQ("", Ids(RoomList::kMine, "anna", "r1"));
  EXPECT_EQ("r5 r4owner r3owner r1owner ", Ids(RoomList::kPublic, "anna"));
  EXPECT_EQ("r3owner r1owner ", Ids(RoomList::kPublic, "anna", "r4"));
  EXPECT_EQ("c1owner ", Ids(RoomList::kConversations, "anna"));
  EXPECT_EQ("c2owner ", Ids(RoomList::kConversations, "boris"));
  EXPECT_EQ("", Ids(RoomList::kInvited, "boris"));
  Must([](Connection& c) { return InviteMember(c, "r2", "boris", "anna", 20); });
  EXPECT_EQ("r2invited ", Ids(RoomList::kInvited, "boris"));
  EXPECT_EQ("r5owner ", Ids(RoomList::kMine, "boris"));
  EXPECT_TRUE(Find("r2", "boris")->visible());
  EXPECT_FALSE(Find("r2", "boris")->is_member());
  EXPECT_EQ(4, Must([](Connection& c) { return CountRooms(c, RoomKind::kRoom, "anna"); }));
  EXPECT_EQ(1, Must([](Connection& c) { return CountRooms(c, RoomKind::kConversation, "anna"); }));
}

TEST_F(RoomsTest, AChangeLeavesTheRest) {
  AddRoom("r1", "anna");
  const auto change = [&](const RoomChange& wish, int64_t now) {
    return Must([&](Connection& c) { return ChangeRoom(c, "r1", wish, now); });
  };
  EXPECT_TRUE(change({.name = "new", .is_public = {}, .assistant = {}}, 11));
  EXPECT_TRUE(change({.name = {}, .is_public = {}, .assistant = "echo"}, 12));
  auto room = Find("r1", "anna")->room;
  EXPECT_EQ("new", room.name);
  EXPECT_FALSE(room.is_public);
  EXPECT_EQ("echo", room.assistant);
  EXPECT_EQ(12, room.changed);
  EXPECT_EQ(10, room.created);
  EXPECT_TRUE(change({.name = {}, .is_public = true, .assistant = ""}, 13));
  room = Find("r1", "anna")->room;
  EXPECT_EQ("new", room.name);
  EXPECT_TRUE(room.is_public);
  EXPECT_EQ("", room.assistant);
  EXPECT_FALSE(Must([](Connection& c) { return ChangeRoom(c, "none", RoomChange{}, 1); }));
}

TEST_F(RoomsTest, ADeletedOneIsGoneForAllAndPurgedInPieces) {
  AddRoom("r1", "anna", true);
  AddRoom("r2", "anna", true);
  Must([](Connection& c) { return AddMember(c, "r1", "boris", 11); });
  for (int i = 0; i < 5; ++i) {
    for (const char* room : {"r1", "r2"}) {
      NewMessage message;
      message.room = room;
      message.author = "anna";
      message.text = "text";
      Must([&](Connection& c) { return AppendMessage(c, message); });
    }
  }
  EXPECT_TRUE(Must([](Connection& c) { return DeleteRoom(c, "r1", 20); }));
  EXPECT_FALSE(Must([](Connection& c) { return DeleteRoom(c, "r1", 21); }));
  EXPECT_FALSE(Find("r1", "anna"));
  EXPECT_EQ("r2owner ", Ids(RoomList::kMine, "anna"));
  EXPECT_EQ("", Ids(RoomList::kMine, "boris"));
  EXPECT_EQ("r2 ", Ids(RoomList::kPublic, "boris"));
  EXPECT_EQ(1, Must([](Connection& c) { return CountRooms(c, RoomKind::kRoom, "anna"); }));
  NewMessage late;
  late.room = "r1";
  late.author = "anna";
  EXPECT_EQ(ErrorKind::kNotFound, FailureOf([&](Connection& c) { return AppendMessage(c, late); }));

  const auto purge = [&] { return Must([](Connection& c) { return PurgeDeletedRooms(c, 3); }); };
  EXPECT_EQ(3, purge());
  EXPECT_EQ(2, Number("SELECT count(*) FROM messages WHERE room = 'r1'"));
  EXPECT_EQ(3, purge());  // two messages and the room
  EXPECT_EQ(0, Number("SELECT count(*) FROM rooms WHERE id = 'r1'"));
  EXPECT_EQ(0, Number("SELECT count(*) FROM members WHERE room = 'r1'"));
  EXPECT_EQ(0, purge());
  EXPECT_EQ(5, Number("SELECT count(*) FROM messages WHERE room = 'r2'"));
  EXPECT_EQ(5, Number("SELECT count(*) FROM messages_text WHERE messages_text MATCH 'text'"));
}

class MembersTest : public RoomsTest {
 protected:
  void SetUp() override {
    RoomsTest::SetUp();
    AddUser("clara", "clara");
    AddRoom("r1", "boris");
  }
  std::string States() {
    std::string states;
    for (const Member& member : Must([](Connection& c) { return ListMembers(c, "r1", "", 10); })) {
      states += member.user.name + "=" + std::string(MembershipName(member.state)) + " ";
    }
    return states;
  }
  bool Remove(const std::string& user) {
    return Must([&](Connection& c) { return RemoveMember(c, "r1", user); });
  }
};

TEST_F(MembersTest, AnInvitationIsAcceptedOnce) {
  const auto invite = [&] {
    return Must([](Connection& c) { return InviteMember(c, "r1", "anna", "boris", 20); });
  };
  const auto accept = [&] {
    return Must([](Connection& c) { return AcceptInvitation(c, "r1", "anna", 30); });
  };
  EXPECT_FALSE(accept());
  EXPECT_TRUE(invite());
  EXPECT_FALSE(invite());
  EXPECT_EQ("anna=invited boris=owner ", States());
  EXPECT_TRUE(accept());
  EXPECT_FALSE(accept());
  EXPECT_FALSE(invite());
  EXPECT_EQ("anna=member boris=owner ", States());
  const auto member = Must([](Connection& c) { return FindMember(c, "r1", "anna"); });
  ASSERT_TRUE(member);
  EXPECT_EQ("boris", member->invited_by);
  EXPECT_EQ(30, member->since);
  EXPECT_FALSE(Must([](Connection& c) { return FindMember(c, "r1", "clara"); }));
}

TEST_F(MembersTest, WhoIsNotThereIsNotInvited) {
  EXPECT_EQ(ErrorKind::kRefused,
            FailureOf([](Connection& c) { return InviteMember(c, "r1", "nobody", "boris", 20); }));
}

TEST_F(MembersTest, JoiningTakesAnInvitationAlongAndLeavesAnOwnerOne) {
  const auto join = [&](const std::string& user) {
    return Must([&](Connection& c) { return AddMember(c, "r1", user, 40); });
  };
  EXPECT_TRUE(join("anna"));
  EXPECT_FALSE(join("anna"));
  Must([](Connection& c) { return InviteMember(c, "r1", "clara", "boris", 20); });
  EXPECT_TRUE(join("clara"));
  EXPECT_FALSE(join("boris"));
  EXPECT_EQ("anna=member boris=owner clara=member ", States());
}

TEST_F(MembersTest, AllButTheOwnerMayGo) {
  Must([](Connection& c) { return AddMember(c, "r1", "anna", 20); });
  Must([](Connection& c) { return InviteMember(c, "r1", "clara", "boris", 20); });
  EXPECT_EQ(3, Must([](Connection& c) { return CountMembers(c, "r1"); }));
  EXPECT_TRUE(Remove("anna"));
  EXPECT_FALSE(Remove("anna"));
  EXPECT_TRUE(Remove("clara"));
  EXPECT_FALSE(Remove("boris"));
  EXPECT_EQ("boris=owner ", States());
}

TEST_F(MembersTest, TheListHasPages) {
  Must([](Connection& c) { return AddMember(c, "r1", "anna", 20); });
  Must([](Connection& c) { return AddMember(c, "r1", "clara", 20); });
  const auto page = Must([](Connection& c) { return ListMembers(c, "r1", "anna", 1); });
  ASSERT_EQ(1u, page.size());
  EXPECT_EQ("boris", page[0].user.id);
  EXPECT_EQ((std::vector<std::string>{"anna", "boris", "clara"}),
            Must([](Connection& c) { return ListMemberIds(c, "r1"); }));
}

}  // namespace
}  // namespace framewall::backend::store
