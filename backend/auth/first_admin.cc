#include "backend/auth/first_admin.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "backend/auth/account_rules.h"
#include "backend/auth/secret_file.h"
#include "backend/base/id.h"
#include "backend/base/time.h"
#include "proxy/base/log.h"

namespace framewall::backend::auth {
namespace {

void StoreAdmin(const ServicesRef& services, store::User admin, std::function<void(Status)> done) {
  services->database.Write<bool>(
      [admin](store::Connection& db) -> Result<bool> {
        FW_TRY(store::InsertUser(db, admin));
        return true;
      },
      [services, name = admin.name, done = std::move(done)](const Result<bool>& stored) {
        if (!stored.ok() && stored.error().kind == ErrorKind::kRefused) {
          return done(OperatorError(fmt::format(
              "there is no administrator, and the account \"{}\" is somebody's: set admin_name to "
              "another name",
              name)));
        }
        if (!stored.ok()) return done(stored.error());
        MainLog().Write(LogLevel::kNotice,
                        fmt::format("made the administrator \"{}\"; the password, to be changed at "
                                    "the first log-in, is in {}",
                                    name, AdminPasswordPath(services->settings)));
        done(OkStatus());
      });
}

void MakeAdmin(const ServicesRef& services, std::function<void(Status)> done) {
  const auto name = AccountName(services->settings.admin_name);
  if (!name) {
    return done(OperatorError(
        fmt::format("admin_name \"{}\": {} to {} letters, digits, '.', '_' and '-' were expected",
                    services->settings.admin_name, kShortestName, kLongestName)));
  }
  const std::string password = RandomPassword();
  // Before the account: an account whose password nobody knows would be there for good.
  if (Status written = WriteSecretFile(AdminPasswordPath(services->settings), password + "\n");
      !written.ok()) {
    return done(written.error());
  }
  store::User admin{.id = NewId(),
                    .name = *name,
                    .display_name = *name,
                    .password = {},
                    .must_change_password = true,
                    .role = Role::kAdmin,
                    .locked = false,
                    .created = UnixMilliseconds(),
                    .changed = UnixMilliseconds()};
  const bool is_taken = services->hasher.Hash(
      password, [services, admin = std::move(admin), done](Result<std::string> hash) mutable {
        if (!hash.ok()) return done(hash.error());
        admin.password = std::move(hash).value();
        StoreAdmin(services, std::move(admin), std::move(done));
      });
  if (!is_taken) {
    done(Error{ErrorKind::kUnavailable, ErrorSource::kInternal,
               "no thread could be started to hash the first password", 0});
  }
}

}  // namespace

std::string AdminPasswordPath(const Settings& settings) {
  return settings.data_dir + "/admin-password";
}

Status CheckAdminPasswordFile(const Settings& settings) {
  const std::string path = AdminPasswordPath(settings);
  if (::access(path.c_str(), F_OK) != 0) return OkStatus();
  FW_ASSIGN(std::string password, ReadSecretFile(path, SecretPlace::kOurs));
  OPENSSL_cleanse(password.data(), password.size());
  return OkStatus();
}

void MakeFirstAdmin(const ServicesRef& services, std::function<void(Status)> done) {
  services->database.Read<int64_t>(
      [](store::Connection& db) { return store::CountAdminsAndLocked(db); },
      [services, done = std::move(done)](const Result<int64_t>& count) {
        if (!count.ok()) return done(count.error());
        if (count.value() > 0) return done(OkStatus());
        MakeAdmin(services, done);
      });
}

void ForgetAdminPassword(const Settings& settings, const store::User& user) {
  if (user.name != AccountName(settings.admin_name)) return;
  const std::string path = AdminPasswordPath(settings);
  if (::unlink(path.c_str()) == 0) {
    MainLog().Write(LogLevel::kNotice, "deleted " + path + ": the password was changed");
  } else if (errno != ENOENT) {
    MainLog().Write(LogLevel::kError,
                    SystemError("unlink(\"" + path + "\") failed", errno).message);
  }
}

}  // namespace framewall::backend::auth
