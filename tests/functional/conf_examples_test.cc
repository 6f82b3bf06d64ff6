// Everything in conf/ passes -t: the gateway's own configuration and each example, in both
// languages.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/proxy_process.h"
#include "tests/support/temp_dir.h"

namespace framewall::test {
namespace {

namespace fs = std::filesystem;

// conf/ and rules/ as they lie in the tree, and what a machine adds: certificates and a folder for
// logs. framewall.conf wants the rules beside itself, where `./dev run` links them.
class ConfTree {
 public:
  ConfTree() {
    const auto all = fs::copy_options::recursive;
    fs::copy(FW_SOURCE_DIR "/conf", directory_.File("conf"), all);
    fs::copy(FW_SOURCE_DIR "/rules", directory_.File("rules"), all);
    fs::copy(FW_SOURCE_DIR "/rules", directory_.File("conf/rules"), all);
    fs::create_directories(directory_.File("run/logs"));

    const Certificate localhost = Certificate::SelfSigned("localhost");
    directory_.Write("conf/certificate.pem", localhost.CertificatePem());
    directory_.Write("conf/certificate.key", localhost.KeyPem());
    for (const char* name :
         {"www.example.com", "api.example.com", "horoscopus.example", "codelab.example"}) {
      Certificate::SelfSigned(name).Write(directory_,
                                          std::string("conf/examples/certificates/") + name);
    }
    directory_.Write("conf/examples/certificates/clients.crt",
                     Certificate::Authority("clients").CertificatePem());
  }

  // Configurations below conf/; snippets are no configurations.
  std::vector<std::string> Configurations() const {
    std::vector<std::string> paths = {directory_.File("conf/framewall.conf"),
                                      directory_.File("conf/framewall.yaml")};
    for (const auto& entry : fs::directory_iterator(directory_.File("conf/examples"))) {
      if (entry.is_regular_file()) paths.push_back(entry.path().string());
    }
    return paths;
  }

  CommandResult Test(const std::string& path) const {
    return ProxyProcess::RunBinary(
        {"-t", "-q", "-e", "stderr", "-p", directory_.File("run"), "-c", path});
  }

 private:
  TempDir directory_;
};

TEST(ConfExamples, PassTheTestWithoutAWord) {
  const ConfTree tree;
  const std::vector<std::string> paths = tree.Configurations();
  EXPECT_GE(paths.size(), 24u);
  for (const std::string& path : paths) {
    const CommandResult result = tree.Test(path);
    EXPECT_EQ(result.exit_code, 0) << path << "\n" << result.output;
    EXPECT_EQ(result.output, "") << path;
  }
}

TEST(ConfExamples, AreSpeltInBothLanguages) {
  for (const auto& entry : fs::directory_iterator(FW_SOURCE_DIR "/conf/examples")) {
    fs::path twin = entry.path();
    twin.replace_extension(entry.path().extension() == ".conf" ? ".yaml" : ".conf");
    EXPECT_TRUE(fs::exists(twin)) << entry.path() << " has no twin";
  }
}

}  // namespace
}  // namespace framewall::test
