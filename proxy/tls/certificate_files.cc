#include "proxy/tls/certificate_files.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "proxy/base/unique_fd.h"
#include "proxy/tls/openssl_error.h"

namespace framewall::tls {
namespace {

constexpr std::string_view kDataPrefix = "data:";
constexpr size_t kMaxPasswordLine = 512;

// Null, and in `failed` the name of the call.
UniqueBio OpenPem(const std::string& name, const char** failed) {
  if (name.starts_with(kDataPrefix)) {
    *failed = "BIO_new_mem_buf() failed";
    return UniqueBio(BIO_new_mem_buf(name.data() + kDataPrefix.size(),
                                     static_cast<int>(name.size() - kDataPrefix.size())));
  }
  *failed = "BIO_new_file() failed";
  return UniqueBio(BIO_new_file(name.c_str(), "r"));
}

Error CertificateError(const std::string& name, std::string_view failed) {
  std::string what = "cannot load certificate \"" + name + "\": ";
  what += failed;
  return OpenSslError(what);
}

Error KeyError(const std::string& name, std::string_view failed) {
  std::string what = "cannot load certificate key \"" + name + "\": ";
  what += failed;
  return OpenSslError(what);
}

Status ReadChain(const std::string& name, LoadedCertificate* out) {
  const char* failed = nullptr;
  const UniqueBio bio = OpenPem(name, &failed);
  if (!bio) return CertificateError(name, failed);
  out->certificate.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (!out->certificate) return CertificateError(name, "PEM_read_bio_X509_AUX() failed");
  out->chain.reset(sk_X509_new_null());
  for (;;) {
    UniqueCertificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!next) {
      const unsigned long code = ERR_peek_last_error();
      if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
        ERR_clear_error();  // the end of the file
        return OkStatus();
      }
      return CertificateError(name, "PEM_read_bio_X509() failed");
    }
    sk_X509_push(out->chain.get(), next.release());
  }
}

// For PEM_read_bio_PrivateKey: `data` is the password to try, or null.
int GivePassword(char* buffer, int size, int for_writing, void* data) {
  if (for_writing != 0 || data == nullptr) return 0;
  const auto& password = *static_cast<const std::string*>(data);
  const size_t length = std::min(password.size(), static_cast<size_t>(size));
  std::memcpy(buffer, password.data(), length);
  return static_cast<int>(length);
}

Result<UniqueKey> ReadKey(const std::string& name, std::span<const std::string> passwords) {
  if (name.starts_with("engine:")) {
    return KeyError(name, "loading \"engine:...\" certificate keys is not supported");
  }
  const char* failed = nullptr;
  const UniqueBio bio = OpenPem(name, &failed);
  if (!bio) return KeyError(name, failed);
  size_t next = 0;
  for (;;) {
    std::string password = next < passwords.size() ? passwords[next] : std::string();
    void* data = next < passwords.size() ? &password : nullptr;
    UniqueKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassword, data));
    OPENSSL_cleanse(password.data(), password.size());
    if (key) {
      ERR_clear_error();
      return key;
    }
    if (++next >= passwords.size()) return KeyError(name, "PEM_read_bio_PrivateKey() failed");
    ERR_clear_error();
    // A FIFO cannot be read twice, but a key is no FIFO.
    if (BIO_reset(bio.get()) < 0) return KeyError(name, "BIO_reset() failed");
  }
}

}  // namespace

Result<LoadedCertificate> LoadCertificate(const CertificatePair& pair,
                                          std::span<const std::string> passwords) {
  ERR_clear_error();
  LoadedCertificate loaded;
  FW_TRY(ReadChain(pair.certificate, &loaded));
  FW_ASSIGN(loaded.key, ReadKey(pair.key, passwords));
  return loaded;
}

PasswordFiles::~PasswordFiles() {
  for (auto& [path, lines] : by_path_) {
    for (std::string& line : lines) OPENSSL_cleanse(line.data(), line.size());
  }
}

Result<std::vector<std::string>> PasswordFiles::Read(const std::string& path) {
  const auto known = by_path_.find(path);
  if (known != by_path_.end()) return known->second;

  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto failure = [&](const char* call) {
    Error error = SystemError(std::string(call) + " \"" + path + "\" failed", errno);
    error.source = ErrorSource::kOperator;
    return error;
  };
  if (!fd.valid()) return failure("open()");
  std::vector<std::string> lines;
  std::string line;
  const auto end_line = [&] {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
    OPENSSL_cleanse(line.data(), line.size());
    line.clear();
  };
  char buffer[512];
  for (;;) {
    const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
    if (size < 0) {
      if (errno == EINTR) continue;
      return failure("read()");
    }
    if (size == 0) break;
    for (const char c : std::string_view(buffer, static_cast<size_t>(size))) {
      if (c == '\n') {
        end_line();
      } else if (line.size() >= kMaxPasswordLine) {
        return OperatorError("too long line in \"" + path + "\"");
      } else {
        line += c;
      }
    }
  }
  end_line();
  OPENSSL_cleanse(buffer, sizeof buffer);
  by_path_[path] = lines;
  return lines;
}

}  // namespace framewall::tls
