#include "proxy/redis/request.h"

#include <array>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/redis/command_format.h"

namespace framewall::redis {
namespace {

std::string ArrayHeader(size_t words) { return "*" + std::to_string(words) + "\r\n"; }

}  // namespace

void Request::SendWholeScript() {
  if (sends_whole_script_) return;
  FW_CHECK(script != nullptr);
  const std::string& text = script->text();
  std::string whole = ArrayHeader(words) + "$4\r\nEVAL\r\n$" + std::to_string(text.size()) + "\r\n";
  whole.reserve(whole.size() + text.size() + 2 + bytes.size() - arguments_at);
  whole.append(text).append("\r\n").append(bytes, arguments_at);
  bytes = std::move(whole);
  sends_whole_script_ = true;
}

RequestPtr MakeRequest(std::string_view name, std::string_view key,
                       std::span<const std::string_view> arguments) {
  auto request = std::make_shared<Request>();
  std::array<std::string_view, kMaxCommandWords> words;
  FW_CHECK(arguments.size() + 2 <= words.size());
  size_t count = 0;
  words[count++] = name;
  words[count++] = key;
  for (const std::string_view argument : arguments) words[count++] = argument;
  request->words = count;
  request->bytes = FormatCommand(std::span(words.data(), count));
  return request;
}

RequestPtr MakeRequest(const Script& script, std::string_view key,
                       std::span<const std::string_view> arguments) {
  auto request = std::make_shared<Request>();
  std::array<std::string_view, kMaxCommandWords> words;
  FW_CHECK(arguments.size() + 4 <= words.size());
  size_t count = 0;
  words[count++] = "EVALSHA";
  words[count++] = script.sha1();
  words[count++] = "1";
  words[count++] = key;
  for (const std::string_view argument : arguments) words[count++] = argument;
  request->words = count;
  request->script = &script;
  request->bytes = FormatCommand(std::span(words.data(), count));
  // "$7\r\nEVALSHA\r\n" and "$40\r\n" 40 digits "\r\n".
  request->arguments_at = ArrayHeader(count).size() + 13 + 47;
  return request;
}

RequestPtr MakeInternalRequest(std::initializer_list<std::string_view> words,
                               Request::OnReply on_reply) {
  auto request = std::make_shared<Request>();
  request->words = words.size();
  request->bytes = FormatCommand(words);
  request->on_reply = std::move(on_reply);
  request->internal = true;
  return request;
}

}  // namespace framewall::redis
