#include "proxy/json/number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/base/check.h"

namespace framewall::json {
namespace {

__extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using)

// |number| as digits · 10^exponent.
struct Decimal {
  uint64_t digits = 0;
  int exponent = 0;
};

Decimal DecimalOf(Value number) {
  Decimal result;
  if (number.kind() == Kind::kInteger) {
    const int64_t value = number.AsInteger();
    result.digits =
        value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    return result;
  }
  // Shortest form that reads back as the same double: "d.ddde+XX", at most 17 digits.
  std::array<char, 64> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(),
                                     std::fabs(number.AsReal()), std::chars_format::scientific);
  FW_CHECK(written.ec == std::errc());
  const std::string_view form(text.data(), static_cast<size_t>(written.ptr - text.data()));
  const size_t e = form.find('e');
  for (const char c : form.substr(0, e)) {
    if (c == '.') continue;
    result.digits = result.digits * 10 + static_cast<uint64_t>(c - '0');
  }
  result.exponent = std::atoi(form.data() + e + 1);
  if (e > 1) result.exponent -= static_cast<int>(e) - 2;  // digits behind the point
  return result;
}

// base^power modulo `modulus`, not 0.
uint64_t PowerModulo(uint64_t base, int power, uint64_t modulus) {
  Wide result = 1 % modulus;
  Wide square = base % modulus;
  for (; power > 0; power >>= 1) {
    if ((power & 1) != 0) result = result * square % modulus;
    square = square * square % modulus;
  }
  return static_cast<uint64_t>(result);
}

int Sign(bool below, bool above) { return below ? -1 : (above ? 1 : 0); }

int CompareMixed(int64_t integer, double real) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (real >= kTwo63) return -1;
  if (real < -kTwo63) return 1;
  const double whole = std::trunc(real);
  const auto truncated = static_cast<int64_t>(whole);
  if (integer != truncated) return Sign(integer < truncated, true);
  return Sign(real > whole, real < whole);
}

}  // namespace

int Compare(Value a, Value b) {
  const bool a_is_integer = a.kind() == Kind::kInteger;
  const bool b_is_integer = b.kind() == Kind::kInteger;
  if (a_is_integer && b_is_integer) {
    return Sign(a.AsInteger() < b.AsInteger(), a.AsInteger() > b.AsInteger());
  }
  if (a_is_integer) return CompareMixed(a.AsInteger(), b.AsReal());
  if (b_is_integer) return -CompareMixed(b.AsInteger(), a.AsReal());
  return Sign(a.AsReal() < b.AsReal(), a.AsReal() > b.AsReal());
}

bool IsInteger(Value number) {
  return number.kind() == Kind::kInteger || std::trunc(number.AsReal()) == number.AsReal();
}

bool IsMultipleOf(Value number, Value of) {
  const Decimal a = DecimalOf(number);
  const Decimal b = DecimalOf(of);
  if (b.digits == 0) return false;
  if (a.digits == 0) return true;
  const int shift = a.exponent - b.exponent;
  if (shift >= 0) {
    const Wide scaled = Wide{a.digits % b.digits} * PowerModulo(10, shift, b.digits);
    return scaled % b.digits == 0;
  }
  // a = k · b · 10^-shift; a has at most 20 digits.
  if (shift < -19) return false;
  Wide divisor = b.digits;
  for (int i = 0; i < -shift; ++i) divisor *= 10;
  return Wide{a.digits} % divisor == 0;
}

}  // namespace framewall::json
