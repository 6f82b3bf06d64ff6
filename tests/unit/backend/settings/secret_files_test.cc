#include "backend/settings/secret_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "backend/settings/load.h"
#include "tests/support/certificate.h"
#include "tests/support/temp_dir.h"

namespace framewall::backend {
namespace {

constexpr std::string_view kProviders = "[{name: a, kind: openai, url: \"http://a\", ";

class SecretFilesTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text, mode_t mode) {
    std::filesystem::create_directories(directory_.File("data"));
    const std::string path = directory_.Write(name, text);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  LoadedSettings Load(const std::string& llm, Environment environment = {},
                      const std::string& file = "b.yaml", mode_t mode = 0644) {
    return LoadSettings(
        Write(file, "server: {data_dir: " + directory_.File("data") + "}\n" + llm, mode),
        environment);
  }
  LoadedSettings LoadKeyFile(const std::string& path) {
    return Load("llm: {models: [], providers: " + std::string(kProviders) + "key_file: " + path +
                "}]}\n");
  }

  test::TempDir directory_;
};

void ExpectRefused(const LoadedSettings& loaded, const std::string& path) {
  ASSERT_EQ(loaded.errors.size(), 1u);
  EXPECT_NE(loaded.errors[0].find("\"" + path + "\" holds a secret, lies in server.data_dir"),
            std::string::npos)
      << loaded.errors[0];
  EXPECT_EQ(loaded.errors[0].find("sk-"), std::string::npos);
}

void ExpectWarned(const LoadedSettings& loaded, const std::string& path) {
  EXPECT_TRUE(loaded.errors.empty()) << loaded.errors[0];
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_NE(loaded.warnings[0].find("\"" + path + "\" holds a secret and may be read by everybody"),
            std::string::npos)
      << loaded.warnings[0];
}

void ExpectQuiet(const LoadedSettings& loaded) {
  EXPECT_TRUE(loaded.errors.empty()) << loaded.errors[0];
  EXPECT_TRUE(loaded.warnings.empty()) << loaded.warnings[0];
}

TEST(IsInside, FollowsWhatIsThere) {
  test::TempDir directory;
  std::filesystem::create_directories(directory.File("data/keys"));
  const std::string data = directory.File("data");
  EXPECT_TRUE(IsInside(data, data + "/key"));
  EXPECT_TRUE(IsInside(data + "/", data + "/keys/none"));
  EXPECT_TRUE(IsInside(data, directory.File("other/../data/key")));
  EXPECT_FALSE(IsInside(data, directory.File("data-of-others/key")));
  EXPECT_FALSE(IsInside(data, directory.File("key")));
  EXPECT_FALSE(IsInside(data, data + "/../key"));
  std::filesystem::create_directory_symlink(data + "/keys", directory.File("link"));
  EXPECT_TRUE(IsInside(data, directory.File("link/key")));
}

TEST_F(SecretFilesTest, AKeyFileOfOursIsForNobodyElse) {
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U}) {
    const std::string path = Write("data/key", "sk-1\n", mode);
    ExpectRefused(LoadKeyFile(path), path);
  }
  const LoadedSettings good = LoadKeyFile(Write("data/key", "sk-1\n", 0600));
  ExpectQuiet(good);
  EXPECT_EQ(good.settings.providers.at(0).key, "sk-1");
}

TEST_F(SecretFilesTest, AMountedKeyFileIsWarnedOf) {
  const std::string path = Write("mounted", "sk-1\n", 0444);
  const LoadedSettings warned = LoadKeyFile(path);
  ExpectWarned(warned, path);
  EXPECT_EQ(warned.settings.providers.at(0).key, "sk-1");
  // As Kubernetes mounts them for a group.
  ExpectQuiet(LoadKeyFile(Write("mounted", "sk-1\n", 0440)));
}

TEST_F(SecretFilesTest, SoIsTheFileOfAVariable) {
  const std::string list = std::string(kProviders) + "key: sk-1}]";
  const auto load = [&](const std::string& path) {
    return Load("llm: {models: []}\n", {{"FRAMEWALL_BACKEND_LLM_PROVIDERS_FILE", path}});
  };
  const std::string mounted = Write("mounted", list, 0644);
  ExpectWarned(load(mounted), mounted);
  ExpectQuiet(load(Write("mounted", list, 0640)));
  const std::string ours = Write("data/providers", list, 0640);
  ExpectRefused(load(ours), ours);
  ExpectQuiet(load(Write("data/providers", list, 0600)));
  // And what it names in turn.
  const std::string key = Write("data/key", "sk-1", 0644);
  ExpectRefused(load(Write("mounted", std::string(kProviders) + "key_file: " + key + "}]", 0600)),
                key);
  // What is no secret may be read.
  ExpectQuiet(Load("", {{"FRAMEWALL_BACKEND_LOG_LEVEL_FILE", Write("level", "info", 0644)}}));
}

TEST_F(SecretFilesTest, SoAreThoseOfRedis) {
  const test::Certificate ours = test::Certificate::SelfSigned("client");
  const std::string certificate = Write("client.crt", ours.CertificatePem(), 0644);
  const auto with_key = [&](const std::string& name, mode_t mode) {
    return Load("redis: {servers: ['a:1'], tls: true, ca_file: " + certificate + ", certificate: " +
                certificate + ", certificate_key: " + Write(name, ours.KeyPem(), mode) + "}\n");
  };
  ExpectRefused(with_key("data/client.key", 0640), directory_.File("data/client.key"));
  ExpectQuiet(with_key("data/client.key", 0600));
  ExpectWarned(with_key("client.key", 0644), directory_.File("client.key"));
  const auto with_password = [&](const std::string& name, mode_t mode) {
    return Load("redis: {servers: ['a:1'], password_file: " + Write(name, "sk-1", mode) + "}\n");
  };
  ExpectRefused(with_password("data/password", 0640), directory_.File("data/password"));
  ExpectWarned(with_password("password", 0644), directory_.File("password"));
  EXPECT_EQ(with_password("data/password", 0600).settings.redis_password, "sk-1");
}

TEST_F(SecretFilesTest, AndTheSettingsWhereAKeyIsInThem) {
  const std::string llm =
      "llm: {models: [], providers: " + std::string(kProviders) + "key: sk-1}]}\n";
  ExpectWarned(Load(llm), directory_.File("b.yaml"));
  ExpectQuiet(Load(llm, {}, "b.yaml", 0640));
  ExpectRefused(Load(llm, {}, "data/b.yaml"), directory_.File("data/b.yaml"));
  ExpectQuiet(Load("llm: {providers: [{name: echo, kind: echo}]}\n", {}, "data/b.yaml"));
}

}  // namespace
}  // namespace framewall::backend
