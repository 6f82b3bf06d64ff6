// Lists in pages: ?limit and ?cursor, and the answer {"items": […], "next": cursor or null}.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backend/auth/services.h"
#include "backend/server/call.h"
#include "proxy/base/parse.h"

namespace framewall::backend::auth {

struct Page {
  int64_t limit = 50;
  std::string cursor;  // the last item of the page before; empty: from the beginning
};

// Nothing: the call is answered. `is_cursor`: could it be one?
template <class IsCursor>
std::optional<Page> ReadPage(server::Call& call, const Settings& settings, IsCursor is_cursor) {
  Page page{.limit = static_cast<int64_t>(settings.page_size), .cursor = {}};
  std::vector<FieldProblem> problems;
  if (const auto limit = call.Argument("limit")) {
    const auto number = ParseUnsigned(*limit);
    if (number && *number >= 1 && *number <= settings.page_limit) {
      page.limit = static_cast<int64_t>(*number);
    } else {
      problems.push_back(
          {"?limit", "expected an integer from 1 to " + std::to_string(settings.page_limit)});
    }
  }
  if (auto cursor = call.Argument("cursor")) {
    if (is_cursor(*cursor)) {
      page.cursor = std::move(*cursor);
    } else {
      problems.push_back({"?cursor", "expected what \"next\" of this list's last page said"});
    }
  }
  if (problems.empty()) return page;
  call.Fail(Invalid(std::move(problems)));
  return std::nullopt;
}

// `found`: limit + 1 items, where there are as many.
template <class Item, class ToNode, class ToCursor>
json::Node PageNode(const std::vector<Item>& found, const Page& page, ToNode to_node,
                    ToCursor to_cursor) {
  const auto limit = static_cast<size_t>(page.limit);
  const bool has_more = found.size() > limit;
  json::Node items = json::Node::Array();
  for (size_t i = 0; i < std::min(limit, found.size()); ++i) items.Add(to_node(found[i]));
  json::Node answer = json::Node::Object();
  answer.Set("items", std::move(items));
  answer.Set("next",
             has_more ? json::Node(std::string(to_cursor(found[limit - 1]))) : json::Node::Null());
  return answer;
}

}  // namespace framewall::backend::auth
