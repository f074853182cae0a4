#pragma once

#include <string>

namespace mpbench::dicom {

/// The libraries that turn files into pixels.
struct LibraryVersions {
  std::string opencv;
  std::string dcmtk;
  std::string openjpeg;
};

LibraryVersions library_versions();

}  // namespace mpbench::dicom
