#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "mpbench/train/config.hpp"

namespace mpbench::train {

/// The options as a JSON object, under the names of the flags: how a checkpoint keeps them.
nlohmann::json options_to_json(const TrainConfig& config);

/// Reads what options_to_json wrote, also the form of versions before 0.2, in which each value was
/// the text of config.toml. An option that it lacks has its default, as there was none yet; what
/// it has beyond that is passed over. Throws InputError naming the file and the option for a value
/// that is not of the option's type.
TrainConfig options_from_json(const nlohmann::json& saved, const std::filesystem::path& path);

}  // namespace mpbench::train
