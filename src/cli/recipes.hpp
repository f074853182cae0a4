#pragma once

#include <string>

namespace mpbench::cli {

/// The file that `--config` names: "recipe:NAME" is NAME.toml of the configs/ that came with
/// mpbench, anything else is a path already. Throws UsageError for an unknown name, listing those
/// there are.
std::string config_path(const std::string& config);

}  // namespace mpbench::cli
