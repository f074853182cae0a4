#include "mpbench/dicom/library_versions.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <openjpeg.h>

#include <opencv2/core/utility.hpp>

namespace mpbench::dicom {

LibraryVersions library_versions() {
  return {.opencv = cv::getVersionString(),
          .dcmtk = OFFIS_DCMTK_VERSION_STRING,
          .openjpeg = opj_version()};
}

}  // namespace mpbench::dicom
