#include "proxy/ws/zlib_pool.h"

#include <zlib.h>

#include <algorithm>

#include "proxy/base/check.h"

namespace framewall::ws {
namespace {

constexpr int kInflateWindowBits = 15;

}  // namespace

size_t DeflateStateOctets(int window_bits, int mem_level) {
  constexpr size_t kState = 6144;
  return kState + (size_t{1} << (window_bits + 2)) + (size_t{1} << (mem_level + 9));
}

// Negative window bits are zlib's way to say "raw". What can fail here is memory alone.
InflateState::InflateState() : stream(std::make_unique<z_stream>()) {
  FW_CHECK(inflateInit2(stream.get(), -kInflateWindowBits) == Z_OK);
}
InflateState::~InflateState() { inflateEnd(stream.get()); }

DeflateState::DeflateState(int bits, int with_level, int with_mem_level)
    : stream(std::make_unique<z_stream>()),
      window_bits(bits),
      level(with_level),
      mem_level(with_mem_level) {
  FW_CHECK(deflateInit2(stream.get(), level, Z_DEFLATED, -window_bits, mem_level,
                        Z_DEFAULT_STRATEGY) == Z_OK);
}
DeflateState::~DeflateState() { deflateEnd(stream.get()); }

ZlibPool::ZlibPool() = default;
ZlibPool::~ZlibPool() { FW_CHECK(inflate_lent_ == 0 && deflate_lent_ == 0); }

InflateLease ZlibPool::BorrowInflate() {
  ++inflate_lent_;
  if (idle_inflate_.empty()) return {this, std::make_unique<InflateState>()};
  auto state = std::move(idle_inflate_.back());
  idle_inflate_.pop_back();
  return {this, std::move(state)};
}

DeflateLease ZlibPool::BorrowDeflate(int window_bits, int level, int mem_level) {
  ++deflate_lent_;
  deflate_lent_octets_ += DeflateStateOctets(window_bits, mem_level);
  const auto fits = [&](const std::unique_ptr<DeflateState>& state) {
    return state->window_bits == window_bits && state->level == level &&
           state->mem_level == mem_level;
  };
  const auto found = std::find_if(idle_deflate_.begin(), idle_deflate_.end(), fits);
  if (found == idle_deflate_.end()) {
    return {this, std::make_unique<DeflateState>(window_bits, level, mem_level)};
  }
  auto state = std::move(*found);
  idle_deflate_.erase(found);
  return {this, std::move(state)};
}

void ZlibPool::GiveBack(std::unique_ptr<InflateState> state) {
  --inflate_lent_;
  if (idle_inflate_.size() >= kMostIdleInflate) return;
  FW_CHECK(inflateReset(state->stream.get()) == Z_OK);
  idle_inflate_.push_back(std::move(state));
}

void ZlibPool::GiveBack(std::unique_ptr<DeflateState> state) {
  --deflate_lent_;
  deflate_lent_octets_ -= DeflateStateOctets(state->window_bits, state->mem_level);
  FW_CHECK(deflateReset(state->stream.get()) == Z_OK);
  idle_deflate_.push_back(std::move(state));
  // The longest idle goes: other settings than it are asked for now.
  if (idle_deflate_.size() > kMostIdleDeflate) idle_deflate_.erase(idle_deflate_.begin());
}

ZlibPool::Statistic ZlibPool::statistic() const {
  Statistic statistic{inflate_lent_, idle_inflate_.size(), deflate_lent_, idle_deflate_.size(), 0};
  statistic.octets =
      (inflate_lent_ + idle_inflate_.size()) * kInflateStateOctets + deflate_lent_octets_;
  for (const auto& state : idle_deflate_) {
    statistic.octets += DeflateStateOctets(state->window_bits, state->mem_level);
  }
  return statistic;
}

}  // namespace framewall::ws
