// Small MaxMind databases, made by Debian's libmaxmind-db-writer-perl (make_mmdb.pl).
//
//   if (!CanMakeMmdb()) GTEST_SKIP() << kNoMmdb;
//   ASSERT_TRUE(MakeMmdb(path, R"([["192.0.2.0/24", {"country": {"iso_code": "DE"}}]])"));
#pragma once

#include <string>

namespace framewall::test {

inline constexpr char kNoMmdb[] = "libmaxmind-db-writer-perl is not installed";

bool CanMakeMmdb();
// `networks` is a JSON array of pairs; `more` are members beside it: ", \"ip_version\": 4". The
// file is made beside `path` and renamed.
bool MakeMmdb(const std::string& path, const std::string& networks, const std::string& more = "");

}  // namespace framewall::test
