#include "proxy/json/schema.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "proxy/json/pointer.h"
#include "proxy/json/schema_compiler.h"
#include "proxy/json/schema_tree.h"
#include "proxy/json/schema_validator.h"

namespace framewall::json {
namespace {

constexpr size_t kMaxFile = size_t{4} * 1024 * 1024;
constexpr Limits kFileLimits{.octets = kMaxFile, .depth = 200, .values = 1'000'000};

}  // namespace

Schema::Schema(std::string name, std::unique_ptr<const SchemaTree> tree)
    : name_(std::move(name)), tree_(std::move(tree)) {}

Schema::~Schema() = default;

std::shared_ptr<const Schema> Schema::Compile(std::string_view text, std::string_view name,
                                              SchemaReport& report) {
  const std::string file(name);
  auto document = Document::Parse(text, kFileLimits);
  if (!document.ok()) {
    report.errors.push_back(file + ":" + document.error().message);
    return nullptr;
  }
  const size_t before = report.errors.size();
  SchemaCompiler compiler([&](bool is_error, const std::string& pointer, const std::string& what) {
    std::string line = file + ":" + std::to_string(LineOf(text, pointer)) + ": ";
    line.append(pointer.empty() ? "(root)" : pointer).append(": ").append(what);
    (is_error ? report.errors : report.warnings).push_back(std::move(line));
  });
  auto tree = compiler.Compile(std::move(document).value());
  if (report.errors.size() != before) return nullptr;
  return std::shared_ptr<const Schema>(new Schema(file, std::move(tree)));
}

std::shared_ptr<const Schema> Schema::Load(const std::string& path, SchemaReport& report) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file && !file.eof()) {
    report.errors.push_back("open() \"" + path + "\" failed (" + std::to_string(errno) + ": " +
                            std::strerror(errno) + ")");
    return nullptr;
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return Compile(text, path, report);
}

std::optional<Mismatch> Schema::Validate(Value document, uint64_t steps) const {
  return SchemaValidator(*tree_, steps).Validate(document);
}

}  // namespace framewall::json
