#include "proxy/metrics/exposition.h"

#include <fmt/format.h>

#include <iterator>

#include "proxy/base/check.h"

namespace framewall::metrics {
namespace {

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
  }
  FW_UNREACHABLE();
}

void AppendEscaped(std::string& out, std::string_view text, bool quotes_too) {
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quotes_too && c == '"')) out += '\\';
    out += c;
  }
}

// `a="1",b="2"`, without braces: a histogram adds its own label.
std::string LabelText(const Registry& registry, const Family& family, size_t set) {
  std::string text;
  const auto values = registry.SetLabels(family, set);
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ',';
    text.append(family.labels[i]).append("=\"");
    AppendEscaped(text, values[i], /*quotes_too=*/true);
    text += '"';
  }
  return text;
}

template <class Value>
void AppendSample(std::string& out, std::string_view name, std::string_view suffix,
                  std::string_view labels, Value value) {
  out.append(name).append(suffix);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

// The count is the sum of the buckets as read here, so that both always agree.
void AppendHistogram(std::string& out, const Registry& registry, const Family& family, size_t set,
                     const std::string& labels) {
  const Buckets& buckets = *family.buckets;
  const auto units = static_cast<double>(buckets.units_per_one());
  const std::string before = labels.empty() ? labels : labels + ",";
  uint64_t count = 0;
  for (size_t i = 0; i < buckets.bounds().size(); ++i) {
    count += registry.Sum(family, set, i);
    const double bound = static_cast<double>(buckets.bounds()[i]) / units;
    AppendSample(out, family.name, "_bucket", fmt::format("{}le=\"{}\"", before, bound), count);
  }
  count += registry.Sum(family, set, buckets.bounds().size());
  AppendSample(out, family.name, "_bucket", before + "le=\"+Inf\"", count);
  const uint64_t sum = registry.Sum(family, set, buckets.bounds().size() + 1);
  AppendSample(out, family.name, "_sum", labels, static_cast<double>(sum) / units);
  AppendSample(out, family.name, "_count", labels, count);
}

bool IsUntouched(const Registry& registry, const Family& family, size_t set) {
  for (size_t cell = 0; cell < family.cells_per_set; ++cell) {
    if (registry.Sum(family, set, cell) != 0) return false;
  }
  return true;
}

}  // namespace

void AppendExposition(std::string& out, const Registry& registry) {
  for (const Family& family : registry.families()) {
    out.append("# HELP ").append(family.name).append(" ");
    AppendEscaped(out, family.help, /*quotes_too=*/false);
    out.append("\n# TYPE ").append(family.name).append(" ").append(KindName(family.kind));
    out += '\n';
    const size_t sets = registry.SetCount(family);
    for (size_t set = 0; set < sets; ++set) {
      const bool is_other = set == 0 && !family.labels.empty();
      if (is_other && IsUntouched(registry, family, set)) continue;
      const std::string labels = LabelText(registry, family, set);
      switch (family.kind) {
        case Kind::kCounter:
          AppendSample(out, family.name, "", labels, registry.Sum(family, set));
          break;
        case Kind::kGauge:
          AppendSample(out, family.name, "", labels,
                       static_cast<int64_t>(registry.Sum(family, set)));
          break;
        case Kind::kHistogram:
          AppendHistogram(out, registry, family, set, labels);
          break;
      }
    }
  }
}

std::string Exposition(const Registry& registry) {
  std::string out;
  AppendExposition(out, registry);
  return out;
}

}  // namespace framewall::metrics
