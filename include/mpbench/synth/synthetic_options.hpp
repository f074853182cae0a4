#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace mpbench::synth {

/// How the pixels of a synthetic set are encoded; `mixed` deals all four out over every patient's
/// images.
enum class SyntheticSyntax { mixed, explicit_le, rle, jpeg_lossless, jpeg2000 };

/// Parses "mixed", "explicit-le", "rle", "jpeg-lossless" or "jpeg2000"; throws UsageError naming
/// the choices.
SyntheticSyntax parse_synthetic_syntax(std::string_view text);
/// The name that parse_synthetic_syntax reads.
std::string_view to_string(SyntheticSyntax syntax);

struct SyntheticSetOptions {
  std::filesystem::path out;
  /// 1 to 100000; each has two breasts and four to eight images.
  int patients = 64;
  std::uint64_t seed = 0;
  SyntheticSyntax syntax = SyntheticSyntax::mixed;
  /// Pixels, 64 to 8192. RSNA's are 2776 x 2082 to 5355 x 4915.
  int height = 512;
  int width = 416;
  /// Share of positive breasts, above 0 and at most 0.9. RSNA has 0.021; in a set of 64 patients
  /// that would be two.
  double positive_fraction = 0.25;
  /// Patients drawn at once; 0 is one a processor. The files do not depend on it.
  int threads = 0;
};

/// Throws UsageError naming the option and its range.
void validate(const SyntheticSetOptions& options);

}  // namespace mpbench::synth
