#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mpbench::bench {

/// What a comparison varies; the first precision is by custom the baseline.
struct Axes {
  std::vector<std::string> precision;
  std::vector<std::string> model;
  std::vector<int> batch_size;
  std::vector<int> image_size;  ///< side in pixels; 0: as the data set has it
  std::vector<bool> channels_last;
  std::vector<std::uint64_t> seed;
  int repeats = 1;
};

/// One run to do.
struct RunSpec {
  std::string precision;
  std::string model;
  int batch_size = 0;
  int image_size = 0;
  bool channels_last = false;
  std::uint64_t seed = 0;
  int repeat = 1;      ///< from 1
  std::string run_id;  ///< "cnn-b32-i124-cl-s0-bf16-r2": the values above, fit for a file name
};

/// Every run in the order to do them. Repeats are outermost and the precisions innermost, so that
/// the runs that are compared follow one another; the precisions are rotated by repeat and
/// configuration, so that none is always first. Throws UsageError for an empty axis, a value listed
/// twice, a value that makes no sense, or over 10,000 runs.
std::vector<RunSpec> make_plan(const Axes& axes);

/// Whether a name can be part of a file's name: letters, digits, '.', '_' and '-', and no '.' at
/// its beginning.
bool is_file_name(const std::string& name);

/// The id make_plan gives.
std::string make_run_id(const RunSpec& spec);

}  // namespace mpbench::bench
