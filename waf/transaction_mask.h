// Secrets out of a transaction: of what its rules say while it runs, and of all that its audit
// record shows once it is over. For the .cc files of this room alone.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "waf/library.h"
#include "waf/secret_fields.h"

namespace framewall::waf {

class TransactionMask {
 public:
  explicit TransactionMask(lib::Transaction& transaction) : transaction_(transaction) {}

  void set_fields(const SecretFields& fields) { fields_ = fields; }
  bool masks_anything() const { return fields_.masks_anything(); }

  // A message of a rule, for a log line. Values of fields that are no secrets stay readable.
  void MaskMessage(lib::RuleMessage* message);

  // All that a record is made of: URI, header fields, bodies, messages. Only the record may follow.
  void MaskForRecord();

 private:
  const SecretValues& Values();
  void CollectValues();
  void MaskQuote(std::string_view variable, std::string* text);
  void MaskWhole(std::string* text);
  void KeepUser();
  void MaskHeaders(lib::AnchoredSetVariable* headers);

  lib::Transaction& transaction_;
  SecretFields fields_;
  SecretValues values_;
  // What there was of the transaction when `values_` were collected.
  std::array<std::size_t, 4> seen_{};
};

}  // namespace framewall::waf
