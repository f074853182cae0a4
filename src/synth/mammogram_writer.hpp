#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "synthetic_patients.hpp"

namespace mpbench::synth {

/// One image with what the writer needs of those above it.
struct MammogramSource {
  const SyntheticPatient& patient;
  const SyntheticBreast& breast;
  const SyntheticImage& image;
  int instance_number = 1;
  /// Sets apart the UIDs of different sets.
  std::uint64_t set_key = 0;
};

/// Draws the image and returns it as a DICOM file (Digital Mammography X-Ray Image Storage - For
/// Presentation, PS3.3 A.27), encoded as `image.encoding` says. The same source gives the same
/// bytes. Throws Error with DCMTK's reason when it cannot.
std::vector<std::byte> make_mammogram(const MammogramSource& source);

/// A UID under 2.25 (PS3.5 B.2): a 128-bit number in decimal, from two halves of which six bits
/// mark a UUID.
std::string make_uid(std::uint64_t high, std::uint64_t low);

}  // namespace mpbench::synth
