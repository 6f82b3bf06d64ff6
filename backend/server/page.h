// Lists in pages: ?limit, ?cursor, and the answer {"items": […], "next": cursor or null}.
//
// A cursor says behind which item the next page begins. It is opaque, holds nothing secret and no
// right: who may see a list is asked with every page. It belongs to one list; another list's is
// refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "backend/server/query.h"
#include "proxy/json/node.h"

namespace framewall::backend::server {

struct PageLimits {
  size_t otherwise = 50;  // without ?limit
  size_t most = 200;
};

struct PageRequest {
  size_t limit = 50;
  std::string behind;  // the last item's position; empty: from the beginning
};

// `list` names the list and whatever chooses its items: "messages/ROOM".
std::string MakeCursor(std::string_view list, std::string_view position);
std::optional<std::string> ReadCursor(std::string_view list, std::string_view cursor);

PageRequest ReadPage(Query& query, std::string_view list, const PageLimits& limits);

// The same where positions are numbers above 0; nothing of one that is none.
std::optional<int64_t> NumberBehind(Query& query, const PageRequest& page);

// What to ask the database for: the one too many says that there is a further page.
inline int64_t RowsFor(const PageRequest& page) { return static_cast<int64_t>(page.limit) + 1; }

//   ToPage(rows, page, "rooms", RoomNode, [](const Room& room) { return room.id; })
template <class Item, class ToNode, class Position>
json::Node ToPage(const std::vector<Item>& found, const PageRequest& page, std::string_view list,
                  ToNode to_node, Position position) {
  json::Node items = json::Node::Array();
  const bool more = found.size() > page.limit;
  const size_t count = more ? page.limit : found.size();
  for (size_t i = 0; i < count; ++i) items.Add(to_node(found[i]));
  json::Node answer = json::Node::Object();
  answer.Set("items", std::move(items));
  answer.Set("next",
             more ? json::Node(MakeCursor(list, position(found[count - 1]))) : json::Node::Null());
  return answer;
}

// The same as text, of items that `append(std::string&, const Item&)` writes.
template <class Item, class Append, class Position>
std::string ToPageText(const std::vector<Item>& found, const PageRequest& page,
                       std::string_view list, Append append, Position position) {
  const bool more = found.size() > page.limit;
  const size_t count = more ? page.limit : found.size();
  std::string text = "{\"items\":[";
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) text += ',';
    append(text, found[i]);
  }
  // A cursor needs no escapes.
  text += more ? "],\"next\":\"" + MakeCursor(list, position(found[count - 1])) + "\"}"
               : "],\"next\":null}";
  return text;
}

}  // namespace framewall::backend::server
