// Configurations of conf/ before stand-ins: the files as they lie in the tree, with addresses and
// places that are a test's own.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/proxy_process.h"
#include "tests/support/raw_client.h"

namespace framewall::test {

using Replacements = std::vector<std::pair<std::string, std::string>>;

// In one walk: what stands in for something is not replaced again, and a port is not the beginning
// of a longer one. Every pair must be found, or the file is no longer what the test thinks.
inline std::string Replaced(const std::string& text, const Replacements& replacements) {
  std::string out;
  std::vector<bool> found(replacements.size());
  for (size_t at = 0; at < text.size();) {
    size_t which = 0;
    for (; which < replacements.size(); ++which) {
      const std::string& what = replacements[which].first;
      if (text.compare(at, what.size(), what) != 0) continue;
      const size_t end = at + what.size();
      const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
      if (end == text.size() || !is_digit(what.back()) || !is_digit(text[end])) break;
    }
    if (which == replacements.size()) {
      out += text[at++];
      continue;
    }
    found[which] = true;
    out += replacements[which].second;
    at += replacements[which].first.size();
  }
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i]) << "there is no \"" << replacements[i].first << "\"";
  }
  return out;
}

// conf/examples/NAME.conf without comments; its snippets and rules are those of the tree, its logs
// in the folder of the process.
inline std::string Example(const std::string& name, const Replacements& replacements) {
  std::ifstream file(FW_SOURCE_DIR "/conf/examples/" + name + ".conf");
  EXPECT_TRUE(file.is_open()) << name;
  std::string text;
  for (std::string line; std::getline(file, line);) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string::npos || line[begin] == '#') continue;
    if (line.starts_with("pid ") || line.starts_with("error_log ")) continue;
    if (line.starts_with("worker_processes ")) line = "worker_processes 2;";
    text += line + "\n";
  }
  text = Replaced(text, replacements);
  return Replaced(text, {{"logs/", "%%DIR%%/"},
                         {"../snippets/", FW_SOURCE_DIR "/conf/snippets/"},
                         {"../../rules/", FW_SOURCE_DIR "/rules/"}});
}

// What a platform asks of its edge and does not get yet.
struct Waiting {
  std::string_view need;
  std::string_view for_what;
};
inline void Show(std::string_view platform, std::span<const Waiting> list) {
  for (const Waiting& one : list) {
    EXPECT_FALSE(one.need.empty() || one.for_what.empty());
    std::printf("[  WAITS   ] %.*s: %.*s (waits for %.*s)\n", static_cast<int>(platform.size()),
                platform.data(), static_cast<int>(one.need.size()), one.need.data(),
                static_cast<int>(one.for_what.size()), one.for_what.data());
  }
}

// One request on a connection of its own; `headers` are lines.
inline HttpMessage Ask(RawClient client, const std::string& method, const std::string& path,
                       const std::string& headers = "", const std::string& body = "",
                       const std::string& host = "localhost") {
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: " + host +
                        "\r\nUser-Agent: test\r\nAccept: */*\r\nConnection: close\r\n" + headers;
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  client.Send(request + "\r\n" + body);
  return client.ReadResponse(method == "HEAD" ? BodyRule::kNoBody : BodyRule::kByHead);
}

inline HttpMessage PostJson(uint16_t port, const std::string& path, const std::string& json,
                            const std::string& headers = "") {
  return Ask(RawClient(port), "POST", path, "Content-Type: application/json\r\n" + headers, json);
}

// What the rules must refuse wherever they are on, and what they must not.
inline constexpr char kAttackQuery[] = "?q=%3Cscript%3Ealert(document.cookie)%3C/script%3E";
inline constexpr char kAttackJson[] =
    R"({"text":"1' UNION SELECT login, password FROM users -- "})";
inline constexpr char kRussianJson[] =
    R"({"text":"Привет! Съешь же ещё этих мягких французских булок, да выпей чаю — «кавычки» и emoji 🙂"})";

inline std::string JsonAnswer(const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace framewall::test
