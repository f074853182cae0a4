#pragma once

#include <filesystem>
#include <string>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/joined_comparison.hpp"

namespace mpbench::commands {

/// bench::compare_runs() with the predictions that lie in the comparison's folder.
bench::ComparisonTables compare_measurements(const std::filesystem::path& folder,
                                             const bench::Measurements& measured,
                                             const bench::ComparisonOptions& options);

/// What `mpbench compare` has left in a folder, finished or not, judged by the options that it was
/// given. Texts are made printable. Throws InputError or Error naming the file or the folder for
/// what is damaged, is of something else, or has no results yet.
bench::ComparisonFolder read_comparison(const std::filesystem::path& path, std::string name);

}  // namespace mpbench::commands
