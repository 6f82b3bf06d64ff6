// What the HTTP/1 codec costs: a browser's head in, a response head in and out, a chunked body.
#include <benchmark/benchmark.h>

#include <string>

#include "proxy/http/http1/client_codec.h"
#include "proxy/http/http1/server_codec.h"
#include "proxy/http/target.h"

namespace framewall::http {
namespace {

constexpr std::string_view kBrowserGet =
    "GET /articles/2024/11/some-title-of-an-article?utm_source=feed&page=2 HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://www.example.org/articles/\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "If-None-Match: \"5f3c-1a2b\"\r\n"
    "Cache-Control: max-age=0\r\n\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: app/1.0\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 2\r\n"
    "Cache-Control: no-cache\r\n"
    "X-Request-ID: 7b0c1a2e4f\r\n"
    "Vary: Accept-Encoding\r\n\r\n{}";

class Owner : public ServerCodecEvents, public ClientCodecEvents, public CodecOutput {
 public:
  RequestHead& NewRequestHead(StreamId /*stream*/) override {
    arena.Reset();
    return request;
  }
  void OnRequestHead(StreamId /*stream*/, BodyFraming /*framing*/) override {}
  void OnRequestBody(StreamId /*stream*/, ByteView piece) override { octets += piece.size(); }
  void OnRequestEnd(StreamId /*stream*/, const HeaderMap* /*trailers*/) override {}
  void OnRequestError(StreamId /*stream*/, MessageError /*error*/) override { ++errors; }
  void OnStreamReset(StreamId /*stream*/) override {}
  void OnInterimResponse(const ResponseHead& /*head*/) override {}
  void OnResponseHead(BodyFraming /*framing*/) override {}
  void OnResponseBody(ByteView piece) override { octets += piece.size(); }
  void OnResponseEnd(const HeaderMap* /*trailers*/) override {}
  void OnResponseError(MessageError /*error*/) override { ++errors; }
  void WriteBytes(std::span<const ByteView> pieces) override {
    for (ByteView piece : pieces) octets += piece.size();
  }

  Arena arena;
  RequestHead request{&arena};
  ResponseHead response{&arena};
  size_t octets = 0;
  int errors = 0;
};

void Finish(benchmark::State& state, const Owner& owner, size_t octets) {
  if (owner.errors != 0) state.SkipWithError("the codec refused the message");
  state.SetBytesProcessed(static_cast<int64_t>(octets) * state.iterations());
}

void BM_RequestHead(benchmark::State& state) {
  Owner owner;
  Http1ServerCodec codec({}, {}, &owner, &owner);
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec.Receive(kBrowserGet));
    codec.BeginNext();
  }
  Finish(state, owner, kBrowserGet.size());
}
BENCHMARK(BM_RequestHead);

// A head in two reads: collected first.
void BM_RequestHeadInTwoReads(benchmark::State& state) {
  Owner owner;
  Http1ServerCodec codec({}, {}, &owner, &owner);
  const size_t half = kBrowserGet.size() / 2;
  for (auto _ : state) {
    codec.Receive(kBrowserGet.substr(0, half));
    benchmark::DoNotOptimize(codec.Receive(kBrowserGet.substr(half)));
    codec.BeginNext();
  }
  Finish(state, owner, kBrowserGet.size());
}
BENCHMARK(BM_RequestHeadInTwoReads);

void BM_WriteRequestHead(benchmark::State& state) {
  Owner owner;
  Http1ServerCodec codec({}, {}, &owner, &owner);
  codec.Receive(kBrowserGet);
  std::string out;
  for (auto _ : state) {
    out.clear();
    Http1ClientCodec::WriteRequestHead(owner.request, {{}, true}, nullptr, out);
    benchmark::DoNotOptimize(out.data());
  }
  Finish(state, owner, out.size());
}
BENCHMARK(BM_WriteRequestHead);

void BM_ReadResponse(benchmark::State& state) {
  Owner owner;
  Http1ClientCodec codec({.first_buffer_size = 4096}, &owner);
  for (auto _ : state) {
    owner.arena.Reset();
    codec.BeginResponse(Method::kGet, &owner.response);
    benchmark::DoNotOptimize(codec.Receive(kResponse));
  }
  Finish(state, owner, kResponse.size());
}
BENCHMARK(BM_ReadResponse);

// Request in and response out, on one connection.
void BM_WholeExchange(benchmark::State& state) {
  Owner owner;
  Http1ServerCodec server({}, {}, &owner, &owner);
  Http1ClientCodec client({.first_buffer_size = 4096}, &owner);
  Arena arena;
  ResponseHead response(&arena);
  client.BeginResponse(Method::kGet, &response);
  client.Receive(kResponse);
  for (auto _ : state) {
    server.Receive(kBrowserGet);
    server.SendHead(1, response, {});
    server.SendBody(1, "{}");
    server.SendEnd(1, nullptr);
    server.BeginNext();
  }
  Finish(state, owner, kBrowserGet.size());
}
BENCHMARK(BM_WholeExchange);

void BM_ChunkedBody(benchmark::State& state) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string text = head;
  for (int i = 0; i < 16; ++i) text.append("400\r\n").append(1024, 'x').append("\r\n");
  text.append("0\r\n\r\n");
  Owner owner;
  Http1ServerCodec codec({}, {}, &owner, &owner);
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec.Receive(text));
    codec.BeginNext();
  }
  Finish(state, owner, text.size());
}
BENCHMARK(BM_ChunkedBody);

void BM_Target(benchmark::State& state) {
  constexpr std::string_view kTarget = "/articles/2024/11/some-title-of-an-article?page=2";
  for (auto _ : state) {
    const auto target = ParseTarget(kTarget, false);
    benchmark::DoNotOptimize(IsNormalPath(target->path, true));
  }
}
BENCHMARK(BM_Target);

}  // namespace
}  // namespace framewall::http
