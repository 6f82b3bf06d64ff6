#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "backend/llm/event_stream.h"
#include "backend/llm/ndjson.h"

namespace framewall::backend::llm {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

// In pieces of `step` octets; nothing where it was refused.
Events ReadEvents(std::string_view text, size_t step, size_t limit = 1000,
                  bool* refused = nullptr) {
  EventStreamReader reader(limit);
  Events events;
  for (size_t at = 0; at < text.size(); at += step) {
    const Status status = reader.Feed(
        text.substr(at, step),
        [&](std::string_view name, std::string_view data) { events.emplace_back(name, data); });
    EXPECT_LE(reader.held(), 3 * limit);
    if (status.ok()) continue;
    if (refused != nullptr) *refused = true;
    break;
  }
  return events;
}

void ExpectEvents(std::string_view text, const Events& expected) {
  for (const size_t step : {size_t{1}, size_t{2}, size_t{3}, text.size() + 1}) {
    EXPECT_EQ(ReadEvents(text, step), expected) << text << " in steps of " << step;
  }
}

TEST(EventStream, KnowsAllLineEnds) {
  ExpectEvents("data: a\n\ndata: b\n\n", {{"message", "a"}, {"message", "b"}});
  ExpectEvents("data: a\r\n\r\ndata: b\r\n\r\n", {{"message", "a"}, {"message", "b"}});
  ExpectEvents("data: a\r\rdata: b\r\r", {{"message", "a"}, {"message", "b"}});
  ExpectEvents("data: a\r\n\ndata: b\n\r\n", {{"message", "a"}, {"message", "b"}});
}

TEST(EventStream, ReadsFields) {
  ExpectEvents("event: ping\ndata:{}\n\n", {{"ping", "{}"}});
  ExpectEvents("data:  two\n\n", {{"message", " two"}});  // one space only
  ExpectEvents("data: a\ndata: b\n\n", {{"message", "a\nb"}});
  ExpectEvents("data\n\n", {{"message", ""}});
  ExpectEvents("id: 1\nretry: 5\nfoo: x\ndata: a\n\n", {{"message", "a"}});
  ExpectEvents(": a comment\n:\ndata: a\n\n", {{"message", "a"}});
  ExpectEvents(
      "\xef\xbb\xbf"
      "data: a\n\n",
      {{"message", "a"}});
  // A name without data is no event, and does not stay.
  ExpectEvents("event: x\n\ndata: a\n\n", {{"message", "a"}});
}

TEST(EventStream, LeavesTheUnfinishedOut) {
  ExpectEvents("data: a\n\ndata: b\n", {{"message", "a"}});
  ExpectEvents("data: a\n\ndata: b", {{"message", "a"}});
  ExpectEvents("", {});
}

TEST(EventStream, HasALimit) {
  bool refused = false;
  const std::string at_limit(994, 'x');
  EXPECT_EQ(ReadEvents("data: " + at_limit + "\n\n", 7, 1000, &refused).size(), 1u);
  EXPECT_FALSE(refused);
  EXPECT_TRUE(ReadEvents("data: " + at_limit + "x\n\n", 7, 1000, &refused).empty());
  EXPECT_TRUE(refused);
  // Many lines of one event too.
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "data: 123456789\n";
  refused = false;
  EXPECT_EQ(ReadEvents(lines.substr(0, 16 * 99) + "\n", 64, 1000, &refused).size(), 1u);
  EXPECT_FALSE(refused);
  EXPECT_TRUE(ReadEvents(lines + "data: 1\n\n", 64, 1000, &refused).empty());
  EXPECT_TRUE(refused);
}

std::vector<std::string> ReadLines(std::string_view text, size_t step, bool* refused = nullptr) {
  LineReader reader(10);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) { lines.emplace_back(line); };
  for (size_t at = 0; at < text.size(); at += step) {
    const Status status = reader.Feed(text.substr(at, step), take);
    EXPECT_LE(reader.held(), 10u);
    if (status.ok()) continue;
    if (refused != nullptr) *refused = true;
    break;
  }
  reader.Finish(take);
  return lines;
}

TEST(LineReader, SplitsLines) {
  using Lines = std::vector<std::string>;
  for (const size_t step : {size_t{1}, size_t{2}, size_t{100}}) {
    EXPECT_EQ(ReadLines("{}\n[]\r\n\n\r\n1", step), (Lines{"{}", "[]", "1"}));
    EXPECT_EQ(ReadLines("", step), Lines{});
    bool refused = false;
    EXPECT_EQ(ReadLines("0123456789\nab\n", step, &refused), (Lines{"0123456789", "ab"}));
    EXPECT_FALSE(refused);
    EXPECT_EQ(ReadLines("0123456789x\nab\n", step, &refused), Lines{});
    EXPECT_TRUE(refused);
  }
}

}  // namespace
}  // namespace framewall::backend::llm
