// libmodsecurity leaks its scanner's buffer whenever rules do not parse.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libmodsecurity.so"; }
