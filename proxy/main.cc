// framewall: an nginx-compatible security proxy. Where to read on: proxy/process/run.cc.
#include "proxy/process/run.h"

int main(int argc, char** argv) { return framewall::process::RunProgram(argc, argv); }
