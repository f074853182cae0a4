#include "dicom_dictionary.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "program_folder.hpp"

namespace mpbench::cli {

void set_dicom_dictionary() {
  const auto folder = (program_folder() / "../share/mpbench/dcmtk").lexically_normal();
  std::error_code unreadable;
  if (!std::filesystem::exists(folder, unreadable)) return;
  // The same two that Debian's DCMTK reads.
  const std::string files = fmt::format("{0}/dicom.dic:{0}/private.dic", folder.string());
  ::setenv("DCMDICTPATH", files.c_str(), /*overwrite=*/0);
}

}  // namespace mpbench::cli
