// Reads every #include of proxy/, waf/ and backend/ against floors.txt.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace framewall {
namespace {

namespace fs = std::filesystem;
using Rooms = std::set<std::string, std::less<>>;

class Floors {
 public:
  explicit Floors(std::istream& rules) {
    for (std::string line; std::getline(rules, line);) {
      std::istringstream words(line);
      std::string kind, subject;
      if (!(words >> kind >> subject) || kind.starts_with('#')) continue;
      Rooms rooms;
      for (std::string room; words >> room;) rooms.insert(room);
      if (kind == "floor") {
        for (const std::string& room : rooms) floor_[room] = std::stoi(subject);
      } else if (kind == "alone") {
        exactly_[subject] = {};
      } else if (kind == "from") {
        exactly_[subject.substr(0, subject.size() - 1)] = rooms;
      } else if (kind == "library") {
        libraries_[subject] = rooms;
      } else {
        ADD_FAILURE() << "floors.txt: " << line;
      }
    }
  }

  // "proxy/http" of "proxy/http/http1/writer.h"; "proxy" of "proxy/main.cc"; empty: not ours.
  static std::string RoomOf(std::string_view path) {
    const size_t first = path.find('/');
    if (first == std::string_view::npos) return "";
    const std::string_view top = path.substr(0, first);
    if (top == "waf") return std::string(top);
    if (top != "proxy" && top != "backend") return "";
    const size_t second = path.find('/', first + 1);
    return std::string(path.substr(0, second == std::string_view::npos ? first : second));
  }

  // What is wrong with `room` including `header`; nothing where it may.
  std::optional<std::string> Refuse(const std::string& room, std::string_view header) const {
    const std::string target = RoomOf(header);
    if (target.empty()) return RefuseLibrary(room, header);
    if (target == room) return std::nullopt;
    if (const auto exactly = exactly_.find(room); exactly != exactly_.end()) {
      if (exactly->second.contains(target)) return std::nullopt;
      return room + " may not include " + target;
    }
    const auto own = floor_.find(room);
    const auto other = floor_.find(target);
    if (own == floor_.end()) return room + " stands on no floor";
    if (other == floor_.end()) return target + " stands on no floor that may be included";
    if (other->second < own->second) return std::nullopt;
    return room + " (floor " + std::to_string(own->second) + ") may not include " + target +
           " (floor " + std::to_string(other->second) + ")";
  }

 private:
  std::optional<std::string> RefuseLibrary(const std::string& room, std::string_view header) const {
    for (const auto& [prefix, rooms] : libraries_) {
      if (header.starts_with(prefix) && !rooms.contains(room)) {
        return std::string(header) + " is not for " + room;
      }
    }
    return std::nullopt;
  }

  std::map<std::string, int, std::less<>> floor_;
  std::map<std::string, Rooms, std::less<>> exactly_;
  std::map<std::string, Rooms, std::less<>> libraries_;
};

// The name between quotes or angles of an #include line.
std::string IncludedHeader(std::string_view line) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return "";
  const size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string_view::npos || !line.substr(word).starts_with("include")) return "";
  const size_t open = line.find_first_of("\"<", word);
  if (open == std::string_view::npos) return "";
  const size_t close = line.find_first_of("\">", open + 1);
  return std::string(line.substr(open + 1, close - open - 1));
}

std::vector<std::string> Offences(const Floors& floors, const fs::path& source) {
  std::vector<std::string> offences;
  for (const std::string_view top : {"proxy", "waf", "backend"}) {
    if (!fs::exists(source / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(source / top)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".h" && path.extension() != ".cc") continue;
      const std::string name = fs::relative(path, source).string();
      const std::string room = Floors::RoomOf(name);
      std::ifstream file(path);
      int number = 0;
      for (std::string line; std::getline(file, line);) {
        ++number;
        const std::string header = IncludedHeader(line);
        if (header.empty()) continue;
        if (const auto why = floors.Refuse(room, header)) {
          offences.push_back(name + ":" + std::to_string(number) + ": " + *why);
        }
      }
    }
  }
  std::sort(offences.begin(), offences.end());
  return offences;
}

TEST(Floors, EveryIncludeGoesDown) {
  const fs::path source = FW_SOURCE_DIR;
  std::ifstream rules(source / "tests/structure/floors.txt");
  ASSERT_TRUE(rules);
  for (const std::string& offence : Offences(Floors(rules), source)) ADD_FAILURE() << offence;
}

TEST(Floors, RulesRefuseWhatTheySay) {
  std::istringstream rules(
      "floor 0 proxy/base\nfloor 1 proxy/http proxy/ws waf\nfloor 2 proxy\n"
      "alone waf\nfrom backend: proxy/base\nlibrary modsecurity/ waf\n");
  const Floors floors(rules);
  EXPECT_FALSE(floors.Refuse("proxy/http", "proxy/base/text.h"));
  EXPECT_FALSE(floors.Refuse("proxy/http", "proxy/http/http1/writer.h"));
  EXPECT_FALSE(floors.Refuse("proxy/http", "string"));
  EXPECT_FALSE(floors.Refuse("waf", "modsecurity/modsecurity.h"));
  EXPECT_FALSE(floors.Refuse("backend", "proxy/base/text.h"));
  EXPECT_FALSE(floors.Refuse("proxy", "waf/engine.h"));
  EXPECT_TRUE(floors.Refuse("proxy/http", "proxy/ws/frame.h"));
  EXPECT_TRUE(floors.Refuse("proxy/base", "proxy/http/codec.h"));
  EXPECT_TRUE(floors.Refuse("waf", "proxy/base/text.h"));
  EXPECT_TRUE(floors.Refuse("backend", "proxy/http/codec.h"));
  EXPECT_TRUE(floors.Refuse("proxy", "backend/main.h"));
  EXPECT_TRUE(floors.Refuse("proxy/http", "modsecurity/modsecurity.h"));
}

TEST(Floors, ReadsIncludeLines) {
  EXPECT_EQ(IncludedHeader("#include \"a/b.h\"  // why"), "a/b.h");
  EXPECT_EQ(IncludedHeader("  #  include <vector>"), "vector");
  EXPECT_EQ(IncludedHeader("// #include <vector>"), "");
  EXPECT_EQ(IncludedHeader("#define X"), "");
}

}  // namespace
}  // namespace framewall
