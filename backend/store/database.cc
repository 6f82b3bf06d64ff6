#include "backend/store/database.h"

#include "backend/store/statement_driver.h"

namespace framewall::backend::store {

Statement::~Statement() {
  if (driver_ != nullptr) driver_->Release();
}

Statement& Statement::Bind(int parameter, std::string_view text) {
  driver_->Bind(parameter, text);
  return *this;
}

Statement& Statement::Bind(int parameter, int64_t number) {
  driver_->Bind(parameter, number);
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::string_view octets) {
  driver_->BindBlob(parameter, octets);
  return *this;
}

Statement& Statement::BindNull(int parameter) {
  driver_->BindNull(parameter);
  return *this;
}

Result<bool> Statement::Step() { return driver_->Step(); }
Result<int64_t> Statement::Run() { return driver_->Run(); }
std::string Statement::Text(int column) const { return driver_->Text(column); }
int64_t Statement::Integer(int column) const { return driver_->Integer(column); }
bool Statement::IsNull(int column) const { return driver_->IsNull(column); }

}  // namespace framewall::backend::store
