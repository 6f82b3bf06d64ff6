#include "proxy/process/command_line.h"

#include <gtest/gtest.h>

#include <vector>

#include "proxy/process/version.h"

namespace framewall::process {
namespace {

Result<CommandLine> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "framewall");
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

std::string Complaint(std::vector<const char*> words) {
  const auto line = Parse(std::move(words));
  return line.ok() ? "" : line.error().message;
}

TEST(CommandLine, TakesCombinedFlags) {
  const auto line = Parse({"-tq", "-V"});
  ASSERT_TRUE(line.ok());
  EXPECT_TRUE(line->test);
  EXPECT_TRUE(line->quiet);
  EXPECT_TRUE(line->show_version);
  EXPECT_TRUE(line->show_configure);
  EXPECT_FALSE(line->dump);
}

TEST(CommandLine, TakesValuesAttachedOrAsTheNextWord) {
  const auto line = Parse({"-p/run/", "-c", "a.conf", "-Tce.conf", "-g", "daemon off;", "-eelog"});
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->prefix, "/run/");
  EXPECT_EQ(line->conf_path, "e.conf");
  EXPECT_EQ(line->global_directives, "daemon off;");
  EXPECT_EQ(line->error_log, "elog");
  EXPECT_TRUE(line->test);
  EXPECT_TRUE(line->dump);
}

TEST(CommandLine, KnowsFourSignals) {
  for (const char* command : {"stop", "quit", "reopen", "reload"}) {
    EXPECT_EQ(Parse({"-s", command})->signal, command);
  }
  EXPECT_EQ(Complaint({"-s", "kill"}), "invalid option: \"-s kill\"");
  EXPECT_EQ(Complaint({"-s", ""}), "invalid option: \"-s \"");
}

TEST(CommandLine, ComplainsAsNginxDoes) {
  EXPECT_EQ(Complaint({"start"}), "invalid option: \"start\"");
  EXPECT_EQ(Complaint({"-tz"}), "invalid option: \"z\"");
  EXPECT_EQ(Complaint({"-p"}), "option \"-p\" requires directory name");
  EXPECT_EQ(Complaint({"-c"}), "option \"-c\" requires file name");
  EXPECT_EQ(Complaint({"-e"}), "option \"-e\" requires file name");
  EXPECT_EQ(Complaint({"-g"}), "option \"-g\" requires parameter");
  EXPECT_EQ(Complaint({"-s"}), "option \"-s\" requires parameter");
}

TEST(Version, BeginsWithTheVersionWeMatch) {
  CommandLine line;
  const std::string text = VersionText(line);
  EXPECT_TRUE(text.starts_with("nginx version: nginx/1.22.1 (framewall "));
  EXPECT_EQ(text.find("configure arguments"), std::string::npos);
}

}  // namespace
}  // namespace framewall::process
