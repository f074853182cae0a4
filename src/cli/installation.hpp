#pragma once

#include <filesystem>
#include <optional>
#include <string>

/// Where the files lie that come with the program: beside it in a build folder, in ../lib and
/// ../share where it was installed or is part of a Python package.
namespace mpbench::cli {

/// The folder of the running program.
std::filesystem::path program_folder();

/// The file of a recipe (`configs/NAME.toml`). Throws UsageError naming those that there are.
std::filesystem::path recipe_file(const std::string& name);

/// The folder of a LibTorch, with lib/libtorch_cpu.so in it: MPBENCH_LIBTORCH where it is set, the
/// one that this build was made with, or the `torch` package beside the `mpbench` package. Nothing
/// where the program was installed in another way: then the engine's run path tells.
std::optional<std::filesystem::path> libtorch_folder();

/// Tells DCMTK where its data dictionary is, where it comes along and the user named none.
void set_dicom_dictionary();

}  // namespace mpbench::cli
