// What the WebSocket codec costs: masks, text checks, messages read and written, inflated and
// deflated. Times are of one message unless the name says otherwise.
#include <benchmark/benchmark.h>

#include <string>

#include "proxy/base/utf8.h"
#include "proxy/ws/message_reader.h"
#include "proxy/ws/message_writer.h"

namespace framewall::ws {
namespace {

constexpr std::string_view kEnglish =
    R"({"type":"message","room":42,"text":"The quick brown fox jumps over the lazy dog, twice."},)";
constexpr std::string_view kRussian =
    R"({"type":"message","text":"Съешь же ещё этих мягких французских булок да выпей чаю."},)";

// `size` octets at most, of whole characters.
std::string TextOf(std::string_view sample, size_t size) {
  std::string text;
  while (text.size() < size) text += sample;
  while (size > 0 && (ByteAt(text, size) & 0xc0) == 0x80) --size;
  text.resize(size);
  return text;
}

void Bytes(benchmark::State& state, size_t octets) {
  state.SetBytesProcessed(static_cast<int64_t>(octets) * state.iterations());
}

void BM_Mask(benchmark::State& state) {
  const std::string from(static_cast<size_t>(state.range(0)), '*');
  std::string to(from.size(), '\0');
  for (auto _ : state) {
    CopyMasked(to.data(), from.data(), from.size(), {1, 2, 3, 4}, 0);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  Bytes(state, from.size());
}
BENCHMARK(BM_Mask)->Arg(126)->Arg(16384);

void BM_MaskKey(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(NewMaskKey());
}
BENCHMARK(BM_MaskKey);

void BM_Utf8(benchmark::State& state, std::string_view sample) {
  const std::string text = TextOf(sample, 16384);
  for (auto _ : state) benchmark::DoNotOptimize(IsValidUtf8(text));
  Bytes(state, text.size());
}
BENCHMARK_CAPTURE(BM_Utf8, English, kEnglish);
BENCHMARK_CAPTURE(BM_Utf8, Russian, kRussian);

// One message of text, sent by `from`, in pieces of 16 kB as a socket gives them.
void Read(benchmark::State& state, Role from, std::string_view sample,
          std::optional<DeflateParams> deflate) {
  const std::string text = TextOf(sample, static_cast<size_t>(state.range(0)));
  ZlibPool pool;
  MessageWriter writer({.role = from, .deflate = deflate, .min_deflate_size = 1}, &pool);
  MessageReader reader({.role = from == Role::kClient ? Role::kServer : Role::kClient,
                        .max_message = 1 << 24,
                        .max_frame = 1 << 24,
                        .deflate = deflate},
                       &pool);
  std::string frame;
  writer.WriteMessage(Opcode::kText, text, frame);
  for (auto _ : state) {
    ByteView left = frame;
    ReadEvent event = ReadEvent::kNeedMore;
    while (event == ReadEvent::kNeedMore && !left.empty()) {
      ByteView piece = left.substr(0, 16384);
      left.remove_prefix(piece.size());
      event = reader.Read(&piece);
    }
    if (event != ReadEvent::kMessage || reader.payload().size() != text.size()) {
      state.SkipWithError("the message was not read");
      break;
    }
    reader.ReleaseMessage();
  }
  Bytes(state, text.size());
}

void BM_ReadMasked(benchmark::State& state) { Read(state, Role::kClient, kEnglish, {}); }
BENCHMARK(BM_ReadMasked)->Arg(126)->Arg(1024)->Arg(16384)->Arg(1 << 20);
void BM_ReadUnmasked(benchmark::State& state) { Read(state, Role::kServer, kEnglish, {}); }
BENCHMARK(BM_ReadUnmasked)->Arg(126)->Arg(16384);
void BM_ReadRussian(benchmark::State& state) { Read(state, Role::kClient, kRussian, {}); }
BENCHMARK(BM_ReadRussian)->Arg(126)->Arg(16384);
void BM_ReadDeflated(benchmark::State& state) {
  Read(state, Role::kClient, kEnglish, DeflateParams{true, true, 15, 15});
}
BENCHMARK(BM_ReadDeflated)->Arg(126)->Arg(16384);
void BM_ReadDeflatedTakeover(benchmark::State& state) {
  Read(state, Role::kClient, kEnglish, DeflateParams{});
}
BENCHMARK(BM_ReadDeflatedTakeover)->Arg(126)->Arg(16384);

void Write(benchmark::State& state, Role role, std::optional<DeflateParams> deflate,
           DeflateEffort effort) {
  const std::string text = TextOf(kEnglish, static_cast<size_t>(state.range(0)));
  ZlibPool pool;
  MessageWriter writer({.role = role, .deflate = deflate, .effort = effort, .min_deflate_size = 1},
                       &pool);
  std::string payload;
  for (auto _ : state) {
    payload = text;
    benchmark::DoNotOptimize(writer.PrepareMessage(Opcode::kText, payload));
    benchmark::DoNotOptimize(payload.data());
  }
  Bytes(state, text.size());
}

void BM_WriteMasked(benchmark::State& state) { Write(state, Role::kClient, {}, {}); }
BENCHMARK(BM_WriteMasked)->Arg(126)->Arg(16384);
void BM_WriteUnmasked(benchmark::State& state) { Write(state, Role::kServer, {}, {}); }
BENCHMARK(BM_WriteUnmasked)->Arg(126)->Arg(16384);
void BM_WriteDeflated(benchmark::State& state) {
  Write(state, Role::kServer, DeflateParams{true, true, 15, 15},
        {.mem_level = static_cast<int>(state.range(1))});
}
BENCHMARK(BM_WriteDeflated)->Args({126, 8})->Args({126, 4})->Args({16384, 8})->Args({16384, 4});

}  // namespace
}  // namespace framewall::ws
