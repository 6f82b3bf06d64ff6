// What stands behind a Statement; one for each kind of database.
#pragma once

#include "backend/store/database.h"

namespace framewall::backend::store {

class Statement::Driver {
 public:
  virtual ~Driver() = default;
  virtual void Bind(int parameter, std::string_view text) = 0;
  virtual void Bind(int parameter, int64_t number) = 0;
  virtual void BindBlob(int parameter, std::string_view octets) = 0;
  virtual void BindNull(int parameter) = 0;
  virtual Result<bool> Step() = 0;
  virtual Result<int64_t> Run() = 0;
  virtual std::string Text(int column) const = 0;
  virtual int64_t Integer(int column) const = 0;
  virtual bool IsNull(int column) const = 0;
  // The Statement is gone: may be used again.
  virtual void Release() = 0;
};

}  // namespace framewall::backend::store
