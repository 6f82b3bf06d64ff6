#include "proxy/json/equality.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "proxy/json/number.h"

namespace framewall::json {
namespace {

constexpr uint64_t kPrime = 0x100000001b3;  // FNV-1a

uint64_t Mix(uint64_t hash, uint64_t with) {
  hash = (hash ^ with) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 29);
}

uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return hash;
}

uint64_t CostOfText(std::string_view text) { return 1 + text.size() / 64; }

bool EqualObjects(Value a, Value b, Budget& budget) {
  if (a.size() != b.size()) return false;
  for (MemberCursor at(a); const auto member = at.Next();) {
    if (!budget.Take(CostOfText(member->name))) return false;
    const auto other = b.Find(member->name);
    if (!other || !Equal(member->value, *other, budget)) return false;
  }
  return true;
}

bool EqualArrays(Value a, Value b, Budget& budget) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!Equal(a.At(i), b.At(i), budget)) return false;
  }
  return true;
}

}  // namespace

bool Equal(Value a, Value b, Budget& budget) {
  if (!budget.Take()) return false;
  if (a.is_number() && b.is_number()) return Compare(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBoolean:
      return a.AsBoolean() == b.AsBoolean();
    case Kind::kString:
      if (a.AsString().size() != b.AsString().size()) return false;
      return budget.Take(CostOfText(a.AsString())) && a.AsString() == b.AsString();
    case Kind::kArray:
      return EqualArrays(a, b, budget);
    case Kind::kObject:
      return EqualObjects(a, b, budget);
    case Kind::kInteger:
    case Kind::kReal:
      break;
  }
  return false;
}

uint64_t Hash(Value value, Budget& budget) {
  if (!budget.Take()) return 0;
  switch (value.kind()) {
    case Kind::kNull:
      return 1;
    case Kind::kBoolean:
      return value.AsBoolean() ? 2 : 3;
    case Kind::kInteger:
    case Kind::kReal:
      // Equal numbers round to the same double; 0 and -0 are equal.
      return Mix(4, value.AsReal() == 0 ? 0 : std::bit_cast<uint64_t>(value.AsReal()));
    case Kind::kString:
      if (!budget.Take(CostOfText(value.AsString()))) return 0;
      return Mix(5, HashText(value.AsString()));
    case Kind::kArray: {
      uint64_t hash = 6;
      for (size_t i = 0; i < value.size(); ++i) hash = Mix(hash, Hash(value.At(i), budget));
      return hash;
    }
    case Kind::kObject: {
      uint64_t sum = 7;  // in any order
      for (MemberCursor at(value); const auto member = at.Next();) {
        if (!budget.Take(CostOfText(member->name))) return 0;
        sum += Mix(HashText(member->name), Hash(member->value, budget));
      }
      return sum;
    }
  }
  return 0;
}

bool AllDifferent(Value array, Budget& budget) {
  if (!budget.Take(array.size())) return false;
  std::vector<std::pair<uint64_t, size_t>> hashes;
  hashes.reserve(array.size());
  for (size_t i = 0; i < array.size(); ++i) hashes.emplace_back(Hash(array.At(i), budget), i);
  if (budget.spent()) return false;
  std::sort(hashes.begin(), hashes.end());
  for (size_t i = 0; i < hashes.size(); ++i) {
    for (size_t j = i + 1; j < hashes.size() && hashes[j].first == hashes[i].first; ++j) {
      if (Equal(array.At(hashes[i].second), array.At(hashes[j].second), budget)) return false;
      if (budget.spent()) return false;
    }
  }
  return true;
}

}  // namespace framewall::json
