// framewall-backend: accounts, API, chat and models behind the gateway.
#include <cstdio>

int main() {
  std::fputs("framewall-backend: nothing is wired yet\n", stderr);
  return 1;
}
