#pragma once

#include <string>
#include <vector>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::commands {

/// How far a frame is taken: its stored values, modality units, or display values in [0, 1].
enum class DecodeStage { stored, modality, display };

/// What `mpbench decode` is told.
struct DecodeOptions {
  std::vector<std::string> files;
  DecodeStage stage = DecodeStage::stored;
  bool digest = false;
  std::string out;  ///< empty: write nothing
  int frame = -1;   ///< -1: all
};

}  // namespace mpbench::commands

template <>
inline constexpr auto mpbench::enum_names<mpbench::commands::DecodeStage> =
    std::to_array<mpbench::EnumName<mpbench::commands::DecodeStage>>(
        {{mpbench::commands::DecodeStage::stored, "stored"},
         {mpbench::commands::DecodeStage::modality, "modality"},
         {mpbench::commands::DecodeStage::display, "display"}});
