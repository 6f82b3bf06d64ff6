#include "proxy/ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "proxy/base/check.h"

namespace framewall::ws {
namespace {

// The end of an empty stored block: each message ends with it, and it is not sent (RFC 7692 7.2.1).
constexpr ByteView kTail("\x00\x00\xff\xff", 4);

constexpr size_t kChunk = 16384;
// zlib counts in 32 bits.
constexpr uint64_t kMostAtOnce = uint64_t{1} << 30;

Bytef* InputOf(ByteView piece) { return reinterpret_cast<Bytef*>(const_cast<char*>(piece.data())); }

uint64_t RoundUp(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

// A block has ended and no bit of another one was read.
bool IsBetweenBlocks(const z_stream& stream) {
  constexpr int kAfterBlock = 128;
  constexpr int kUnusedBits = 0x1f;
  return (stream.data_type & kAfterBlock) != 0 && (stream.data_type & kUnusedBits) == 0;
}

}  // namespace

DeflateSide SideOf(const DeflateParams& params, Role role) {
  if (role == Role::kServer) {
    return {!params.server_no_context_takeover, params.server_max_window_bits};
  }
  return {!params.client_no_context_takeover, params.client_max_window_bits};
}

Inflater::Inflater(DeflateSide side, InflateLimits limits, ZlibPool* pool)
    : side_(side), limits_(limits), pool_(pool) {
  FW_CHECK(pool != nullptr && side.window_bits >= 8 && side.window_bits <= 15);
}

Inflater::Outcome Inflater::Inflate(ByteView piece, std::string& out) {
  while (!piece.empty()) {
    uint64_t size = std::min<uint64_t>(piece.size(), kMostAtOnce);
    if (limits_.max_ratio != 0) size = std::min(size, kRatioStep - taken_ % kRatioStep);
    taken_ += size;
    const Outcome outcome = Run(piece.substr(0, size), RoundUp(taken_, kRatioStep), out);
    if (outcome != Outcome::kOk) return outcome;
    piece.remove_prefix(size);
  }
  return Outcome::kOk;
}

Inflater::Outcome Inflater::Finish(std::string& out) {
  if (taken_ == 0) return Outcome::kOk;
  const Outcome outcome = Run(ended_ ? ByteView() : kTail, taken_, out);
  if (outcome != Outcome::kOk) return outcome;
  if (!ended_ && !IsBetweenBlocks(*state_->stream)) return Outcome::kBroken;
  taken_ = 0;
  ended_ = false;
  state_.Release();
  if (side_.context_takeover) KeepWindow(out);
  return Outcome::kOk;
}

// `counted` octets of input count for the ratio.
Inflater::Outcome Inflater::Run(ByteView piece, uint64_t counted, std::string& out) {
  uint64_t cap = limits_.max_output;
  Outcome above_cap = Outcome::kTooLong;
  if (limits_.max_ratio != 0 && counted < cap / limits_.max_ratio && kRatioFreeOutput < cap) {
    cap = std::max(kRatioFreeOutput, counted * limits_.max_ratio);
    above_cap = Outcome::kRatio;
  }
  if (out.size() > cap) return above_cap;
  if (!state_) Begin();

  z_stream& stream = *state_->stream;
  stream.next_in = InputOf(piece);
  stream.avail_in = static_cast<uInt>(piece.size());
  std::array<char, kChunk> chunk;
  do {
    if (ended_) {
      // A block behind the last block: the stream begins anew, its window stays (RFC 7692 7.2.1).
      if (stream.avail_in == 0) break;
      FW_CHECK(inflateResetKeep(&stream) == Z_OK);
      ended_ = false;
    }
    // One octet more than allowed shows that there is more.
    const size_t room = std::min<uint64_t>(chunk.size(), cap - out.size() + 1);
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream, Z_SYNC_FLUSH);
    FW_CHECK(result != Z_MEM_ERROR);
    const size_t made = room - stream.avail_out;
    const size_t allowed = std::min<uint64_t>(made, cap - out.size());
    out.append(chunk.data(), allowed);
    if (made > allowed) return above_cap;
    if (result == Z_STREAM_END) {
      ended_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Outcome::kBroken;
    }
  } while (stream.avail_in > 0 || stream.avail_out == 0);
  return Outcome::kOk;
}

void Inflater::Begin() {
  state_ = pool_->BorrowInflate();
  if (window_.empty()) return;
  FW_CHECK(inflateSetDictionary(state_->stream.get(), InputOf(window_),
                                static_cast<uInt>(window_.size())) == Z_OK);
}

// The window slides over `out`, the whole output of a message.
void Inflater::KeepWindow(const std::string& out) {
  const size_t most = size_t{1} << side_.window_bits;
  const size_t size = std::min(most, window_.size() + out.size());
  const size_t fresh = std::min(size, out.size());
  window_.erase(0, window_.size() - (size - fresh));
  if (size > window_.capacity()) {
    // Doubling, but not beyond what the window will ever take; reserve() alone would go there.
    std::string wider;
    wider.reserve(std::min(most, std::max(size, 2 * window_.capacity())));
    wider.append(window_);
    window_.swap(wider);
  }
  window_.append(out, out.size() - fresh);
}

Deflater::Deflater(DeflateSide side, DeflateEffort effort, ZlibPool* pool)
    : side_(side), effort_(effort), pool_(pool) {
  FW_CHECK(pool != nullptr && side.window_bits >= 8 && side.window_bits <= 15);
}

void Deflater::Deflate(ByteView payload, std::string& out) {
  FW_CHECK(CanDeflate() && !payload.empty() && payload.size() <= kMostAtOnce);
  if (!state_) {
    state_ = pool_->BorrowDeflate(side_.window_bits, effort_.level, effort_.mem_level);
  }
  z_stream& stream = *state_->stream;
  stream.next_in = InputOf(payload);
  stream.avail_in = static_cast<uInt>(payload.size());
  std::array<char, kChunk> chunk;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int result = deflate(&stream, Z_SYNC_FLUSH);
    FW_CHECK(result == Z_OK || result == Z_BUF_ERROR);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  FW_CHECK(ByteView(out).ends_with(kTail));
  out.resize(out.size() - kTail.size());
  if (!side_.context_takeover) state_.Release();
}

}  // namespace framewall::ws
