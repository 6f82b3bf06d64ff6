#include "proxy/ws/zlib_pool.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <zlib.h>

#include <array>

namespace framewall::ws {
namespace {

TEST(ZlibPool, LendsWhatCameBack) {
  ZlibPool pool;
  const InflateState* first = nullptr;
  {
    const InflateLease lease = pool.BorrowInflate();
    first = lease.operator->();
    EXPECT_EQ(pool.statistic().inflate_lent, 1u);
    EXPECT_EQ(pool.statistic().inflate_idle, 0u);
  }
  EXPECT_EQ(pool.statistic().inflate_lent, 0u);
  EXPECT_EQ(pool.statistic().inflate_idle, 1u);
  const InflateLease again = pool.BorrowInflate();
  EXPECT_EQ(again.operator->(), first);
}

TEST(ZlibPool, KeepsABoundedNumber) {
  ZlibPool pool;
  {
    std::vector<InflateLease> inflate;
    std::vector<DeflateLease> deflate;
    for (size_t i = 0; i < 3 * ZlibPool::kMostIdleInflate; ++i) {
      inflate.push_back(pool.BorrowInflate());
      deflate.push_back(pool.BorrowDeflate(9, 1, 1));
    }
    EXPECT_EQ(pool.statistic().inflate_lent, 3 * ZlibPool::kMostIdleInflate);
    EXPECT_EQ(pool.statistic().deflate_lent, 3 * ZlibPool::kMostIdleInflate);
  }
  const ZlibPool::Statistic statistic = pool.statistic();
  EXPECT_EQ(statistic.inflate_idle, ZlibPool::kMostIdleInflate);
  EXPECT_EQ(statistic.deflate_idle, ZlibPool::kMostIdleDeflate);
  EXPECT_EQ(statistic.octets, ZlibPool::kMostIdleInflate * kInflateStateOctets +
                                  ZlibPool::kMostIdleDeflate * DeflateStateOctets(9, 1));
}

TEST(ZlibPool, LendsDeflateStatesBySettings) {
  ZlibPool pool;
  const DeflateState* nine = pool.BorrowDeflate(9, 1, 8).operator->();
  EXPECT_NE(pool.BorrowDeflate(15, 1, 8).operator->(), nine);
  EXPECT_EQ(pool.statistic().deflate_idle, 2u);
  EXPECT_EQ(pool.BorrowDeflate(9, 1, 8).operator->(), nine);
  EXPECT_EQ(pool.BorrowDeflate(15, 6, 8)->level, 6);
  EXPECT_EQ(pool.statistic().deflate_idle, 3u);
}

// A state that comes back in the middle of a message forgets it.
TEST(ZlibPool, LendsFreshStates) {
  ZlibPool pool;
  unsigned char garbage[] = {0xf2, 0x48, 0xcd};
  unsigned char out[100];
  {
    const InflateLease lease = pool.BorrowInflate();
    z_stream& stream = *lease->stream;
    stream.next_in = garbage;
    stream.avail_in = sizeof garbage;
    stream.next_out = out;
    stream.avail_out = sizeof out;
    ASSERT_EQ(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
  }
  unsigned char hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
  const InflateLease lease = pool.BorrowInflate();
  z_stream& stream = *lease->stream;
  stream.next_in = hello;
  stream.avail_in = sizeof hello;
  stream.next_out = out;
  stream.avail_out = sizeof out;
  ASSERT_EQ(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(out), sizeof out - stream.avail_out), "Hello");
}

// What the statistic reckons with is what zlib takes.
size_t taken = 0;
void* Take(void* /*opaque*/, unsigned items, unsigned size) {
  taken += size_t{items} * size;
  return std::malloc(size_t{items} * size);
}
void Free(void* /*opaque*/, void* memory) { std::free(memory); }

TEST(ZlibPool, KnowsWhatStatesTake) {
  for (const int bits : {9, 12, 15}) {
    for (const int mem_level : {1, 8, 9}) {
      taken = 0;
      z_stream stream{};
      stream.zalloc = Take;
      stream.zfree = Free;
      ASSERT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, -bits, mem_level, Z_DEFAULT_STRATEGY), Z_OK);
      EXPECT_NEAR(static_cast<double>(taken),
                  static_cast<double>(DeflateStateOctets(bits, mem_level)), 1024);
      deflateEnd(&stream);
    }
  }
  taken = 0;
  z_stream stream{};
  stream.zalloc = Take;
  stream.zfree = Free;
  ASSERT_EQ(inflateInit2(&stream, -15), Z_OK);
  std::array<unsigned char, 32768> window{};
  ASSERT_EQ(inflateSetDictionary(&stream, window.data(), window.size()), Z_OK);
  EXPECT_NEAR(static_cast<double>(taken), static_cast<double>(kInflateStateOctets), 2048);
  inflateEnd(&stream);
}

}  // namespace
}  // namespace framewall::ws
