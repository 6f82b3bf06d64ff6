// One connected socket in a test, plain or TLS, with a deadline on everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace framewall::test {

inline constexpr std::chrono::seconds kPatience{20};

class Wire {
 public:
  Wire() = default;
  explicit Wire(int fd) : fd_(fd) {}
  Wire(Wire&& other) noexcept;
  Wire& operator=(Wire&& other) noexcept;
  ~Wire() { Close(); }

  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  SSL* ssl() const { return ssl_; }
  // Runs the handshake over the socket. Takes a reference to `context`. False where it failed.
  bool StartTls(SSL_CTX* context, bool is_server, const std::string& server_name = "");

  // All of it; false where the peer does not take it.
  bool Send(std::string_view bytes);
  // The next piece of at most `limit` octets, empty at the end, on a reset and on a timeout.
  std::string ReadSome(size_t limit = 65536, std::chrono::milliseconds wait = kPatience);
  // Sends our end, keeps reading.
  void ShutdownWrite();
  void Close();
  // Closes with a RST.
  void Reset();

  bool at_end() const { return at_end_; }        // the peer sent its end
  bool was_reset() const { return was_reset_; }  // the connection broke
  bool timed_out() const { return timed_out_; }  // the last read waited in vain

 private:
  enum class Direction { kRead, kWrite };
  bool WaitFor(Direction direction, std::chrono::milliseconds wait);
  bool AfterTlsError(int result, std::chrono::milliseconds wait);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool at_end_ = false;
  bool was_reset_ = false;
  bool timed_out_ = false;
};

}  // namespace framewall::test
