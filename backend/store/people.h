// A user as others see him.
#pragma once

#include <string>

namespace framewall::backend::store {

struct Person {
  std::string id;
  std::string name;  // lower case, unique
  std::string display_name;
};

}  // namespace framewall::backend::store
