// Models that say words, over each kind of provider: enough to count what is streamed, who pays for
// it, and when the provider is left.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/backend_accounts.h"
#include "tests/support/backend_process.h"
#include "tests/support/fake_upstream.h"

namespace framewall::test {

inline constexpr const char* kProviderKinds[] = {"openai", "ollama", "anthropic"};

inline std::string Chunk(const std::string& text) {
  char size[16];
  std::snprintf(size, sizeof(size), "%zx\r\n", text.size());
  return size + text + "\r\n";
}

// "word" as each kind streams it: one token by estimate.
inline std::string WordPiece(std::string_view kind) {
  if (kind == "openai")
    return Chunk(R"(data: {"choices":[{"delta":{"content":"word"}}]})"
                 "\n\n");
  if (kind == "ollama")
    return Chunk(R"({"message":{"content":"word"},"done":false})"
                 "\n");
  return Chunk(R"(data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"word"}})"
               "\n\n");
}

// The end, with 7 tokens of the prompt and 9 of the answer where `counted`.
inline std::string EndPiece(std::string_view kind, bool counted) {
  std::string end;
  if (kind == "openai") {
    if (counted) {
      end = R"(data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9}})"
            "\n\n";
    }
    end += "data: [DONE]\n\n";
  } else if (kind == "ollama") {
    end = counted ? R"({"done":true,"prompt_eval_count":7,"eval_count":9})"
                    "\n"
                  : "{\"done\":true}\n";
  } else {
    if (counted) {
      end = R"(data: {"type":"message_start","message":{"usage":{"input_tokens":7}}})"
            "\n\n"
            R"(data: {"type":"message_delta","usage":{"output_tokens":9}})"
            "\n\n";
    }
    end += "data: {\"type\":\"message_stop\"}\n\n";
  }
  return Chunk(end) + "0\r\n\r\n";
}

// A server of one kind that does as the model's name says:
//   short     three words and the end          counted   the same, and says what it counted
//   stuck     three words, and no more         silent    nothing at all
//   long      a word each 20 ms, two thousand of them
class WordServer {
 public:
  explicit WordServer(std::string kind)
      : kind_(std::move(kind)), server_([this](FakeUpstream::Peer& peer) { Serve(peer); }) {}

  std::string Settings() const {
    std::string text = "  - {name: " + kind_ + ", kind: " + kind_ + ", url: \"http://" +
                       server_.address() + "\", failures: 1000}\n";
    return text;
  }
  static std::string Models(const std::string& kind) {
    std::string text;
    for (const char* name : {"short", "counted", "stuck", "silent", "long"}) {
      text += "  - {name: " + kind + "/" + name + ", provider: " + kind +
              ", provider_model: " + name + ", retries: 0}\n";
    }
    return text;
  }
  int asked() const { return asked_; }
  // Requests whose connection the other side has closed before their end.
  int left() const { return left_; }
  std::chrono::steady_clock::time_point left_at() const {
    return std::chrono::steady_clock::time_point(std::chrono::steady_clock::duration(left_at_));
  }

 private:
  void Serve(FakeUpstream::Peer& peer) {
    for (;;) {
      const HttpMessage request = peer.ReadRequest();
      if (!request.complete) return;
      const auto is = [&](const char* model) {
        return request.body.find(std::string("\"") + model + "\"") != std::string::npos;
      };
      ++asked_;
      if (is("silent")) return Left(peer);
      std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
      if (is("long")) {
        peer.Send(head);
        for (int i = 0; i < 2000; ++i) {
          if (!peer.Send(WordPiece(kind_))) return;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        peer.Send(EndPiece(kind_, false));
        continue;
      }
      for (int i = 0; i < 3; ++i) head += WordPiece(kind_);
      if (is("stuck")) {
        peer.Send(head);
        return Left(peer);
      }
      peer.Send(head + EndPiece(kind_, is("counted")));
    }
  }
  void Left(FakeUpstream::Peer& peer) {
    if (!peer.WaitForClose()) return;
    left_at_ = std::chrono::steady_clock::now().time_since_epoch().count();
    ++left_;
  }

  const std::string kind_;
  std::atomic<int> asked_ = 0;
  std::atomic<int> left_ = 0;
  std::atomic<std::chrono::steady_clock::duration::rep> left_at_ = 0;
  FakeUpstream server_;  // last: its threads use the others
};

inline std::string ChatBody(const std::string& model, bool stream,
                            const std::string& prompt = "Hi") {
  return R"({"model":")" + model + R"(","stream":)" + (stream ? "true" : "false") +
         R"(,"messages":[{"role":"user","content":")" + prompt + "\"}]}";
}

inline HttpMessage Chat(const BackendProcess& backend, const std::string& field,
                        const std::string& model, bool stream = false,
                        const std::string& prompt = "Hi") {
  return backend.Request("POST", "/v1/chat/completions", field, ChatBody(model, stream, prompt));
}

// A request on a connection that the test keeps: to read from it, or to go away.
inline RawClient BeginChat(const BackendProcess& backend, const std::string& field,
                           const std::string& model, bool stream) {
  RawClient client = backend.Connect();
  const std::string body = ChatBody(model, stream);
  client.Send("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + field +
              "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  return client;
}

inline int CountOf(std::string_view text, std::string_view what) {
  int count = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) {
    ++count;
  }
  return count;
}
inline int WordsIn(const HttpMessage& message) {
  return CountOf(message.body, R"("content":"word")");
}

}  // namespace framewall::test
