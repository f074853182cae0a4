#pragma once

#include <string>
#include <vector>

#include "mpbench/dicom/dicom_file.hpp"

class DcmItem;

namespace mpbench::dicom {

/// The values that a lookup table gets.
struct TableInput {
  double low = 0;
  double high = 0;
  bool is_signed =
      false;  ///< whether the table's first input value is (PS3.3 C.11.1.1, C.11.2.1.1)
  std::string decided_by;  ///< what says so
};

/// Reads an item of a LUT sequence. LUTDescriptor is US or SS; writers give it the wrong one, and
/// in implicit VR it has none: `input` decides, and a VR that says otherwise is told in `notes`, as
/// long as `explicit_vr`, with `name` for the sequence. Where the table would not reach any input
/// that way, and would the other way or by its VR, it is read the other way. A table that cannot be
/// used has no entries.
LookupTable read_table(DcmItem& item, const char* name, const TableInput& input, bool explicit_vr,
                       std::vector<std::string>& notes);

/// Tells of a VOI LUT whose entries leave two bits or more of their stated depth unused.
void note_unused_bits(const LookupTable& table, std::vector<std::string>& notes);

}  // namespace mpbench::dicom
