#include "proxy/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>

namespace framewall {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return OperatorError("odd");
  return number / 2;
}

Result<int> Quarter(int number) {
  FW_ASSIGN(const int half, Half(number));
  return Half(half);
}

Status Even(int number) {
  FW_TRY(Half(number));
  return OkStatus();
}

TEST(Result, PassesValuesAndErrorsOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "odd");
  EXPECT_EQ(Quarter(7).error().source, ErrorSource::kOperator);
  EXPECT_TRUE(Even(2).ok());
  EXPECT_EQ(Even(3).error().message, "odd");
}

TEST(Result, HoldsWhatOnlyMoves) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(ResultDeathTest, ValueOfAnErrorAborts) {
  const Result<int> result = Half(1);
  EXPECT_DEATH(result.value(), "check failed");
  EXPECT_DEATH(static_cast<void>(OkStatus().error()), "check failed");
}

TEST(Error, SystemErrorTellsNumberAndText) {
  const Error error = SystemError("open() failed", ENOENT);
  EXPECT_EQ(error.message, "open() failed (2: No such file or directory)");
  EXPECT_EQ(error.system_errno, ENOENT);
  EXPECT_EQ(error.kind, ErrorKind::kSystem);
}

TEST(Error, NamesForMetrics) {
  EXPECT_EQ(ErrorKindName(ErrorKind::kNotFound), "not_found");
  EXPECT_EQ(ErrorSourceName(ErrorSource::kUpstream), "upstream");
}

}  // namespace
}  // namespace framewall
