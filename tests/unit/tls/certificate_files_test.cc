#include "proxy/tls/certificate_files.h"

#include <sys/stat.h>

#include <thread>

#include "tests/unit/tls/support.h"

namespace framewall::tls {
namespace {

std::string MessageOf(const CertificatePair& pair, const std::vector<std::string>& passwords = {}) {
  auto loaded = LoadCertificate(pair, passwords);
  return loaded.ok() ? "ok" : loaded.error().message;
}

TEST(LoadCertificate, TakesFilesWithTheirChainAndData) {
  TempDir dir;
  TestCertificate ca("ca"), leaf("leaf", &ca);
  const std::string path = dir.Write("pem", leaf.CertificatePem() + ca.CertificatePem());
  const std::string key = dir.Write("key", leaf.KeyPem());
  auto loaded = LoadCertificate({path, key}, {});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(1, sk_X509_num(loaded->chain.get()));
  EXPECT_EQ("ok", MessageOf(leaf.AsData()));
}

TEST(LoadCertificate, TriesEveryPassword) {
  TestCertificate leaf("leaf");
  const CertificatePair pair{"data:" + leaf.CertificatePem(), "data:" + leaf.KeyPem("secret")};
  EXPECT_EQ("ok", MessageOf(pair, {"wrong", "secret"}));
  EXPECT_TRUE(MessageOf(pair, {"wrong"}).find("PEM_read_bio_PrivateKey() failed (SSL: ") !=
              std::string::npos);
  // Without a password nobody is asked at the terminal.
  EXPECT_TRUE(MessageOf(pair).find("PEM_read_bio_PrivateKey() failed (SSL: ") != std::string::npos);
}

TEST(LoadCertificate, ErrorsAreNginxs) {
  TestCertificate leaf("leaf");
  EXPECT_EQ(
      "cannot load certificate \"/none\": BIO_new_file() failed (SSL: error:80000002:system "
      "library::No such file or directory:calling fopen(/none, r) error:10000080:BIO "
      "routines::no such file)",
      MessageOf({"/none", "/none"}));
  EXPECT_TRUE(MessageOf({leaf.AsData().certificate, "/none"})
                  .starts_with("cannot load certificate key \"/none\": BIO_new_file() failed "));
  EXPECT_TRUE(
      MessageOf({"data:", "data:"})
          .starts_with("cannot load certificate \"data:\": PEM_read_bio_X509_AUX() failed (SSL: "));
  EXPECT_EQ(
      "cannot load certificate key \"engine:e:k\": loading \"engine:...\" certificate keys is not "
      "supported",
      MessageOf({leaf.AsData().certificate, "engine:e:k"}));
}

TEST(PasswordFiles, ReadsLinesOnceEvenFromAFifo) {
  TempDir dir;
  const std::string path = dir.Path("fifo");
  ASSERT_EQ(0, ::mkfifo(path.c_str(), 0600));
  std::thread writer([&] { std::ofstream(path) << "one\r\n\ntwo\nthree"; });
  PasswordFiles files;
  const std::vector<std::string> expected{"one", "two", "three"};
  EXPECT_EQ(expected, *files.Read(path));
  writer.join();
  EXPECT_EQ(expected, *files.Read(path));
  EXPECT_EQ("open() \"/none\" failed (2: No such file or directory)",
            files.Read("/none").error().message);
}

TEST(PasswordFiles, RefusesALongLine) {
  TempDir dir;
  PasswordFiles files;
  EXPECT_TRUE(files.Read(dir.Write("fits", std::string(512, 'x') + "\n")).ok());
  const std::string path = dir.Write("long", std::string(513, 'x') + "\n");
  EXPECT_EQ("too long line in \"" + path + "\"", files.Read(path).error().message);
}

}  // namespace
}  // namespace framewall::tls
