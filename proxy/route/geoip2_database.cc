#include "proxy/route/geoip2_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <maxminddb.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "proxy/base/unique_fd.h"

namespace framewall::route {
namespace {

FileIdentity IdentityFrom(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
          status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

Error CannotRead(const std::string& path, std::string_view why) {
  return OperatorError(fmt::format("geoip2 database \"{}\" cannot be used: {}", path, why));
}

Error CannotRead(const std::string& path, std::string_view call, int code) {
  return CannotRead(path, fmt::format("{} failed ({}: {})", call, code, std::strerror(code)));
}

// The octets of a file in memory that has no name, and which file they are of.
struct Copy {
  UniqueFd memory;
  FileIdentity identity;
};

Result<Copy> CopyFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return CannotRead(path, "open()", errno);
  struct stat before {};
  if (::fstat(file.get(), &before) != 0) return CannotRead(path, "fstat()", errno);
  if (!S_ISREG(before.st_mode)) return CannotRead(path, "it is not a regular file");
  Copy copy{UniqueFd(::memfd_create("geoip2", MFD_CLOEXEC)), IdentityFrom(before)};
  if (!copy.memory.valid()) return CannotRead(path, "memfd_create()", errno);
  std::vector<char> buffer(size_t{1} << 20);
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(path, "read()", errno);
    if (count == 0) break;
    for (ssize_t written = 0; written < count;) {
      const ssize_t more =
          ::write(copy.memory.get(), buffer.data() + written, static_cast<size_t>(count - written));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) return CannotRead(path, "write() to memory", errno);
      written += more;
    }
  }
  struct stat after {};
  if (::fstat(file.get(), &after) != 0) return CannotRead(path, "fstat()", errno);
  if (IdentityFrom(after) != copy.identity) {
    return CannotRead(path, "it changed while it was read; replace it by renaming (mv)");
  }
  return copy;
}

sockaddr_storage SockaddrOf(const IpAddress& address) {
  sockaddr_storage storage{};
  const SocketAddress whole = SocketAddress::FromIp(address, 0);
  std::memcpy(&storage, whole.get(), whole.length());
  return storage;
}

}  // namespace

FileIdentity IdentityOf(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? IdentityFrom(status) : FileIdentity{};
}

struct Geoip2Database::Handle {
  MMDB_s mmdb{};
  bool is_open = false;
  ~Handle() {
    if (is_open) MMDB_close(&mmdb);
  }
};

Geoip2Database::Geoip2Database(std::unique_ptr<Handle> handle, const FileIdentity& identity)
    : handle_(std::move(handle)), identity_(identity) {}
Geoip2Database::~Geoip2Database() = default;

Result<std::shared_ptr<const Geoip2Database>> Geoip2Database::Open(const std::string& path) {
  Result<Copy> copy = CopyFile(path);
  if (!copy.ok()) return std::move(copy).error();
  auto handle = std::make_unique<Handle>();
  // The library opens names alone; its mapping outlives the descriptor.
  const std::string name = fmt::format("/proc/self/fd/{}", copy->memory.get());
  const int opened = MMDB_open(name.c_str(), MMDB_MODE_MMAP, &handle->mmdb);
  if (opened != MMDB_SUCCESS) return CannotRead(path, MMDB_strerror(opened));
  handle->is_open = true;
  std::shared_ptr<const Geoip2Database> database(
      new Geoip2Database(std::move(handle), copy->identity));
  FW_TRY(database->CheckTree(path));
  return database;
}

Status Geoip2Database::CheckTree(const std::string& path) const {
  const MMDB_s& mmdb = handle_->mmdb;
  for (uint32_t number = 0; number < mmdb.metadata.node_count; ++number) {
    MMDB_search_node_s node;
    const int read = MMDB_read_node(&mmdb, number, &node);
    if (read != MMDB_SUCCESS) return CannotRead(path, MMDB_strerror(read));
    if (node.left_record_type == MMDB_RECORD_TYPE_INVALID ||
        node.right_record_type == MMDB_RECORD_TYPE_INVALID) {
      return CannotRead(path, fmt::format("node {} of its search tree leads out of it", number));
    }
  }
  return OkStatus();
}

bool Geoip2Database::Find(const IpAddress& address, uint32_t* record) const {
  const IpAddress asked = address.Unmapped();
  if (asked.empty()) return false;
  const sockaddr_storage storage = SockaddrOf(asked);
  int error = MMDB_SUCCESS;
  const MMDB_lookup_result_s result =
      MMDB_lookup_sockaddr(&handle_->mmdb, reinterpret_cast<const sockaddr*>(&storage), &error);
  if (error != MMDB_SUCCESS || !result.found_entry) return false;
  *record = result.entry.offset;
  return true;
}

bool Geoip2Database::AppendValue(uint32_t record, const char* const* path, std::string& out) const {
  MMDB_entry_s entry{&handle_->mmdb, record};
  MMDB_entry_data_s data;
  if (MMDB_aget_value(&entry, &data, path) != MMDB_SUCCESS || !data.has_data) return false;
  switch (data.type) {
    case MMDB_DATA_TYPE_UTF8_STRING:
      out.append(data.utf8_string, data.data_size);
      return true;
    case MMDB_DATA_TYPE_BYTES:
      out.append(reinterpret_cast<const char*>(data.bytes), data.data_size);
      return true;
    case MMDB_DATA_TYPE_BOOLEAN:
      out += data.boolean ? '1' : '0';
      return true;
    case MMDB_DATA_TYPE_FLOAT:
      out += fmt::format("{:.5f}", data.float_value);
      return true;
    case MMDB_DATA_TYPE_DOUBLE:
      out += fmt::format("{:.5f}", data.double_value);
      return true;
    case MMDB_DATA_TYPE_UINT16:
      out += fmt::format("{}", data.uint16);
      return true;
    case MMDB_DATA_TYPE_UINT32:
      out += fmt::format("{}", data.uint32);
      return true;
    case MMDB_DATA_TYPE_INT32:
      out += fmt::format("{}", data.int32);
      return true;
    case MMDB_DATA_TYPE_UINT64:
      out += fmt::format("{}", data.uint64);
      return true;
    case MMDB_DATA_TYPE_UINT128:
      out += fmt::format("0x{:016x}{:016x}", static_cast<uint64_t>(data.uint128 >> 64),
                         static_cast<uint64_t>(data.uint128));
      return true;
    default:
      return false;
  }
}

uint64_t Geoip2Database::build_epoch() const { return handle_->mmdb.metadata.build_epoch; }

}  // namespace framewall::route
