#include "proxy/json/uri.h"

#include <gtest/gtest.h>

namespace framewall::json {
namespace {

// RFC 3986 5.4.
TEST(Uri, ReferencesOfTheRfc) {
  constexpr std::pair<const char*, const char*> kCases[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/../h", "http://a/b/c/h"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
  };
  for (const auto& [reference, expected] : kCases) {
    EXPECT_EQ(ResolveUri("http://a/b/c/d;p?q", reference), expected) << reference;
  }
}

TEST(Uri, RelativeAndOpaqueBases) {
  EXPECT_EQ(ResolveUri("", "a.json#x"), "a.json#x");
  EXPECT_EQ(ResolveUri("", "#x"), "#x");
  EXPECT_EQ(ResolveUri("dir/a.json", "b.json"), "dir/b.json");
  EXPECT_EQ(ResolveUri("urn:uuid:1", "#x"), "urn:uuid:1#x");
  EXPECT_EQ(ResolveUri("http://host", "x"), "http://host/x");
}

TEST(Uri, Fragments) {
  EXPECT_EQ(SplitFragment("a#b"), (std::pair<std::string_view, std::string_view>("a", "b")));
  EXPECT_EQ(SplitFragment("a#"), (std::pair<std::string_view, std::string_view>("a", "")));
  EXPECT_EQ(SplitFragment("a"), (std::pair<std::string_view, std::string_view>("a", "")));
}

}  // namespace
}  // namespace framewall::json
