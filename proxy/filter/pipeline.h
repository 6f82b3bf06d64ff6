// The checks of an exchange, in order: one list, with a reason for each row's place.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "proxy/filter/filter.h"

namespace framewall::filter {

// When a row runs. Ascending in the list; the driver walks them in this order.
enum class Phase : uint8_t {
  kPostRead,       // the head is complete, the server known
  kServerRewrite,  // before the server's rewrite program
  kBeforeRewrite,  // the location is known, its rewrite program has not run
  kPreAccess,      // after rewriting; the place of limits
  kAccess,         // satisfy: all must pass, or any
  kPreContent,     // after every cheap refusal
};

// What rows may need of the worker beside the exchange.
class FilterServices;

struct PipelineRow {
  Phase phase;
  std::string_view name;
  // A check without state of its own, or…
  Verdict (*check)(Exchange&);
  // …one with: made once for an exchange, when its row is first reached; null where it is off. In
  // the access phase made anew after an internal redirect, as another location may ask for more.
  std::unique_ptr<Filter> (*make)(Exchange&, FilterServices&);
  std::string_view why;
  // Does it run over subrequests too? Not in the access phase, whatever it says.
  bool in_subrequests = false;
};

std::span<const PipelineRow> Pipeline();

}  // namespace framewall::filter
