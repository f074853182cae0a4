#include "mpbench/core/build_info.hpp"

namespace mpbench::build_info {
namespace {
#include "build_info.inc"
}

std::string_view version() { return version_text; }
std::string_view git_commit() { return git_commit_text; }
std::string_view build_type() {
#ifdef MPBENCH_SANITIZED
  static_assert(!build_type_text.empty());
  return "RelWithDebInfo+sanitizers";
#else
  return build_type_text;
#endif
}

}  // namespace mpbench::build_info
