#pragma once

#include <string_view>

/// What this program was built from; recorded with every result.
namespace mpbench::build_info {

std::string_view version();
/// The commit, with "-dirty" when tracked files differed from it; empty outside a git checkout.
std::string_view git_commit();
/// CMake's build type, with "+sanitizers" where they are in. Timings of anything but "Release" mean
/// little.
std::string_view build_type();

}  // namespace mpbench::build_info
