#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/comparison_options.hpp"
#include "mpbench/bench/run_record.hpp"

/// Comparisons of several folders, side by side: of two commits, two machines, two versions of
/// LibTorch.
namespace mpbench::bench {

/// What a comparison has left in a folder, and what comes of it.
struct ComparisonFolder {
  std::filesystem::path path{};
  std::string name{};  ///< what tables call it; no two of those that are joined have the same
  Measurements measured{};
  ComparisonOptions options{};                    ///< by which it is judged
  std::map<std::string, std::string> settings{};  ///< its options as config.toml has them
  std::vector<Comparison> comparisons{};
};

/// What the runs of a folder say of where they ran, by their names in runs.csv. Several values are
/// joined by ", ".
struct FolderFacts {
  std::string device_name;
  std::string threads;
  std::string git_commit;
  std::string torch_version;
  std::string cuda_version;
  std::string cudnn_version;
  std::string build_type;
};

/// The columns that a row of several comparisons has before those of comparison.csv. A row is an
/// arm of a folder beside what it is compared with there; or an arm beside itself in another
/// folder, which then is `compared_folder`.
struct FolderColumns {
  std::string folder;
  std::string compared_folder;
  std::string git_commit;                         ///< of the folder's runs, as FolderFacts has it
  std::string torch_version;                      ///< likewise
  std::string threads;                            ///< likewise
  std::optional<std::int64_t> compared_sessions;  ///< those of the arm in `compared_folder`
  /// Useful images/s of the arm: the geometric mean over its sessions.
  std::optional<double> images_per_s;
  std::optional<double> compared_images_per_s;  ///< in `compared_folder`
};

struct JoinedRow {
  FolderColumns where;
  Comparison row;
};

template <RecordOf<FolderFacts> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("device_name", r.device_name);
  visit("threads", r.threads);
  visit("git_commit", r.git_commit);
  visit("torch_version", r.torch_version);
  visit("cuda_version", r.cuda_version);
  visit("cudnn_version", r.cudnn_version);
  visit("build_type", r.build_type);
}

template <RecordOf<FolderColumns> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("folder", r.folder);
  visit("compared_folder", r.compared_folder);
  visit("git_commit", r.git_commit);
  visit("torch_version", r.torch_version);
  visit("threads", r.threads);
  visit("compared_sessions", r.compared_sessions);
  visit("images_per_s", r.images_per_s);
  visit("compared_images_per_s", r.compared_images_per_s);
}

template <RecordOf<JoinedRow> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit_columns(r.where, visit);
  visit_columns(r.row, visit);
}

FolderFacts facts_of(const ComparisonFolder& folder);

/// Something that is not the same in all folders.
struct FolderDifference {
  std::string what;                 ///< "git_commit", "--batch-size", "arms"
  std::vector<std::string> values;  ///< a folder each; empty where it is not known
};

/// In what the folders differ: facts of their runs, the arms that they have, and options that bear
/// on what is measured or how it is judged.
std::vector<FolderDifference> folder_differences(std::span<const ComparisonFolder> folders);

/// By how much each arm that both folders have, in a configuration of the same name, is faster in
/// the later one: the ratio of its useful images/s, with Welch's interval over the logarithms of
/// both folders' sessions, which are independent. The later folder's options judge. The arms of a
/// configuration are tested by Holm's procedure; the null arm has a row, and is not among them.
/// Such a ratio contains whatever the machine did otherwise at the later time.
std::vector<JoinedRow> speed_changes(const ComparisonFolder& earlier,
                                     const ComparisonFolder& later);

/// The rows of all folders, and then the changes of each beside the first.
std::vector<JoinedRow> joined_rows(std::span<const ComparisonFolder> folders);

}  // namespace mpbench::bench
