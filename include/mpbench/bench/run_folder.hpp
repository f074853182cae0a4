#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/bench/runner.hpp"

namespace mpbench::bench {

/// Writes runs.csv, epochs.csv and predictions/<run_id>.csv for these runs, each atomically.
void write_runs(const std::filesystem::path& out, const std::vector<RunOutput>& runs);

/// Reads back the runs of a folder; empty when it has no runs.csv yet.
std::vector<RunOutput> read_runs(const std::filesystem::path& out);

/// The predictions of one run; empty where it left none.
std::vector<PredictionRow> read_predictions(const std::filesystem::path& out,
                                            const std::string& run_id);

}  // namespace mpbench::bench
