#pragma once

namespace mpbench::cli {

/// Has DCMTK read the data dictionary that came with a wheel, unless DCMDICTPATH names another:
/// Debian's DCMTK looks for it in /usr/share. Call it before DCMTK is loaded.
void set_dicom_dictionary();

}  // namespace mpbench::cli
