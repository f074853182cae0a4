#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/runner.hpp"
#include "mpbench/bench/session_record.hpp"

namespace mpbench::bench {

/// Writes runs.csv, epochs.csv and predictions/<run_id>.csv for these runs, each atomically.
void write_runs(const std::filesystem::path& out, const std::vector<RunOutput>& runs);

/// Reads back the runs of a folder; empty when it has no runs.csv yet.
std::vector<RunOutput> read_runs(const std::filesystem::path& out);

/// The blocks of a comparison's sessions; empty where the folder has no blocks.csv.
std::vector<BlockRecord> read_blocks(const std::filesystem::path& out);
void write_blocks(const std::filesystem::path& out, const std::vector<BlockRecord>& blocks);

/// The sessions of a comparison; empty where the folder has no sessions.csv.
std::vector<SessionRecord> read_sessions(const std::filesystem::path& out);
void write_sessions(const std::filesystem::path& out, const std::vector<SessionRecord>& sessions);

/// The predictions of one run; empty where it left none.
std::vector<PredictionRow> read_predictions(const std::filesystem::path& out,
                                            const std::string& run_id);

/// What the run in a folder of its own profiled; without operators where it profiled nothing.
profile::StepProfile read_profile(const std::filesystem::path& folder);

}  // namespace mpbench::bench
