// Carries the headers that tests share in compiled form.
int main() { return 0; }
