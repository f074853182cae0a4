#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/bench/runner.hpp"

namespace mpbench::commands {

/// `chosen`, or a folder of this command and moment under mpbench-out/.
std::filesystem::path choose_out_folder(const std::filesystem::path& chosen,
                                        const std::string& command);

/// Writes runs.csv, epochs.csv and predictions/<run_id>.csv for these runs, each atomically.
void write_runs(const std::filesystem::path& out, const std::vector<bench::RunOutput>& runs);

/// Reads back the runs of a folder; empty when it has no runs.csv yet.
std::vector<bench::RunOutput> read_runs(const std::filesystem::path& out);

/// The predictions of one run; empty where it left none.
std::vector<bench::PredictionRow> read_predictions(const std::filesystem::path& out,
                                                   const std::string& run_id);

}  // namespace mpbench::commands
