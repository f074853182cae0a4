#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "mpbench/synth/synthetic_set.hpp"
#include "phantom.hpp"

namespace mpbench::synth {

/// One of RSNA's ten machines: what it writes in every header.
struct Machine {
  int id;
  int site;
  int rsna_images;  ///< in RSNA's train.csv; machines are drawn in this proportion
  bool has_positives;
  int bits_stored;
  bool monochrome1;
  const char* voi_function;  ///< "" leaves the attribute out, which means LINEAR
  int windows;
  double detector_height_mm;
};

/// How one file's frame is encoded.
struct Encoding {
  SyntheticSyntax syntax = SyntheticSyntax::explicit_le;  ///< not `mixed`
  bool wrapped_in_jp2 = false;

  auto operator<=>(const Encoding&) const = default;
};

struct SyntheticImage {
  std::int64_t image_id = 0;
  Encoding encoding;
  PhantomSpec phantom;
};

/// The columns that all images of a breast share; -1 is a missing value.
struct SyntheticBreast {
  Laterality laterality = Laterality::left;
  bool cancer = false;
  bool biopsy = false;
  bool invasive = false;
  int birads = -1;
  bool difficult_negative = false;
  std::vector<SyntheticImage> images;
};

struct SyntheticPatient {
  std::int64_t patient_id = 0;
  const Machine* machine = nullptr;
  int age = -1;
  bool implant = false;
  int density = 0;  ///< of the tissue, 0 (A) to 3 (D)
  bool density_known = false;
  std::uint64_t seed = 0;
  std::vector<SyntheticBreast> breasts;  ///< left, right
};

/// Everything about a set but its pixels, by rising patient_id.
std::vector<SyntheticPatient> draw_patients(const SyntheticSetOptions& options);

/// train.csv's text: RSNA's fourteen columns, one line an image.
std::string train_csv(const std::vector<SyntheticPatient>& patients);

}  // namespace mpbench::synth
