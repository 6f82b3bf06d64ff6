#include "proxy/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <zlib.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "proxy/base/check.h"

namespace framewall {
namespace {

// OpenSSL 3 looks EVP_sha256() and its like up anew for each digest, which costs more than a short
// digest itself. Kept for the life of the process.
const EVP_MD* Fetched(const char* name) {
  const EVP_MD* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
  FW_CHECK(algorithm != nullptr);
  return algorithm;
}

std::string Digest(const EVP_MD* algorithm, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  FW_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr) == 1);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

uint64_t ReadLittle64(const char* bytes) {
  uint64_t value = 0;
  for (size_t i = 8; i-- > 0;) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void Mix(uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
};

// A page of random octets ahead, so that ids cost no system call each. The kernel empties it in a
// forked child: two processes never hand out the same octets.
class RandomPool {
 public:
  RandomPool() {
    void* memory =
        ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    if (::madvise(memory, sizeof(Page), MADV_WIPEONFORK) == 0) {
      page_ = static_cast<Page*>(memory);
    } else {
      ::munmap(memory, sizeof(Page));
    }
  }
  ~RandomPool() {
    if (page_ != nullptr) ::munmap(page_, sizeof(Page));
  }
  RandomPool(const RandomPool&) = delete;
  RandomPool& operator=(const RandomPool&) = delete;

  // False where there is no pool, or the wish is too large for it.
  bool Take(char* out, size_t size) {
    if (page_ == nullptr || size > kLargest) return false;
    if (page_->left < size) {
      FillRandom(page_->octets, sizeof page_->octets);
      page_->left = sizeof page_->octets;
    }
    page_->left -= size;
    std::memcpy(out, page_->octets + page_->left, size);
    // Given out once; memory keeps no copy.
    std::memset(page_->octets + page_->left, 0, size);
    return true;
  }

 private:
  static constexpr size_t kLargest = 64;
  // `left` lives in the page too: emptied, it says that nothing is left.
  struct Page {
    size_t left;
    char octets[1016];
  };
  Page* page_ = nullptr;
};

}  // namespace

std::string Md5(std::string_view bytes) { return Digest(EVP_md5(), bytes); }
std::string Sha1(std::string_view bytes) { return Digest(EVP_sha1(), bytes); }
std::string Sha256(std::string_view bytes) {
  static const EVP_MD* const algorithm = Fetched("SHA256");
  return Digest(algorithm, bytes);
}

uint32_t Crc32(std::string_view bytes) {
  return static_cast<uint32_t>(::crc32_z(
      0, reinterpret_cast<const Bytef*>(bytes.empty() ? "" : bytes.data()), bytes.size()));
}

uint64_t SipHash(const std::array<uint64_t, 2>& key, std::string_view bytes) {
  // The start is "somepseudorandomlygeneratedbytes", as the authors chose.
  SipState state{key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                 key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
  const uint64_t size = bytes.size();
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) state.Mix(ReadLittle64(bytes.data()));
  uint64_t last = size << 56;
  for (size_t i = 0; i < bytes.size(); ++i) {
    last |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  state.Mix(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

void FillRandom(char* out, size_t size) {
  while (size > 0) {
    const ssize_t got = ::getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    FW_CHECK(got > 0);  // going on without randomness would be worse
    out += got;
    size -= static_cast<size_t>(got);
  }
}

std::string RandomBytes(size_t size) {
  static thread_local RandomPool pool;
  std::string bytes(size, '\0');
  if (!pool.Take(bytes.data(), size)) FillRandom(bytes.data(), size);
  return bytes;
}

bool EqualsConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace framewall
