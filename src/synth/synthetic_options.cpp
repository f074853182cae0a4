#include "mpbench/synth/synthetic_options.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "mpbench/core/error.hpp"
#include "mpbench/core/require.hpp"

namespace mpbench::synth {
namespace {

constexpr std::array<std::string_view, 5> syntax_names{"mixed", "explicit-le", "rle",
                                                       "jpeg-lossless", "jpeg2000"};

}  // namespace

SyntheticSyntax parse_synthetic_syntax(std::string_view text) {
  for (std::size_t i = 0; i < syntax_names.size(); ++i)
    if (text == syntax_names[i]) return static_cast<SyntheticSyntax>(i);
  throw UsageError(fmt::format(
      "unknown syntax '{}': choose mixed, explicit-le, rle, jpeg-lossless or jpeg2000", text));
}

std::string_view to_string(SyntheticSyntax syntax) {
  return syntax_names[static_cast<std::size_t>(syntax)];
}

void validate(const SyntheticSetOptions& options) {
  if (options.out.empty()) throw UsageError("a synthetic set needs a folder to write to");
  require(options.patients >= 1 && options.patients <= 100000, "--patients", options.patients,
          "1 to 100000");
  for (const auto& [name, side] :
       {std::pair{"--height", options.height}, std::pair{"--width", options.width}}) {
    require(side >= 64 && side <= 8192, name, side, "64 to 8192 pixels");
  }
  require(options.positive_fraction > 0 && options.positive_fraction <= 0.9, "--positive-fraction",
          options.positive_fraction, "above 0 and at most 0.9");
  require(options.threads >= 0 && options.threads <= 4096, "--threads", options.threads,
          "0 to 4096");
}

}  // namespace mpbench::synth
