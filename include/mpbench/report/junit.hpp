#pragma once

#include <span>
#include <string>

#include "mpbench/bench/requirement.hpp"

namespace mpbench::report {

/// The results as JUnit XML, which CI services read: a test suite for each configuration and a test
/// case for each condition, which fails with what was found where the condition does not hold.
/// There is no standard of the format; this is what Jenkins, GitLab and GitHub's actions agree on.
std::string junit_xml(std::span<const bench::RequirementResult> results);

}  // namespace mpbench::report
