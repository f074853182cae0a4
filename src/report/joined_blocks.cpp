#include "joined_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "summary_cells.hpp"

namespace mpbench::report {
namespace {

using bench::ComparisonFolder;
using bench::JoinedRow;

const std::string folder_column = "folder";

/// Where a table's column of folders is: after the arm's name.
constexpr std::ptrdiff_t folder_place = 1;

/// What two comparisons at different times cannot tell, whatever their intervals say.
const std::string caution =
    "The two were measured at different times, so a change is also of what else the machine did at "
    "either: 'mpbench compare --with PROGRAM' has two builds take turns, and leaves that out.";

std::string or_nothing(const std::string& text) { return text.empty() ? nothing : text; }

SummaryBlock folders_block(std::span<const ComparisonFolder> folders) {
  SummaryBlock block;
  block.title = {fmt::format("{} comparisons", folders.size())};
  block.speed.header = {folder_column, "machine", "commit", "LibTorch", "threads"};
  block.speed.spare = {"threads"};
  for (const ComparisonFolder& folder : folders) {
    const bench::FolderFacts facts = bench::facts_of(folder);
    block.speed.rows.push_back({{folder.name, Colour::bold},
                                {or_nothing(facts.device_name)},
                                {or_nothing(facts.git_commit)},
                                {or_nothing(facts.torch_version)},
                                {or_nothing(facts.threads)}});
  }
  for (const bench::FolderDifference& each : bench::folder_differences(folders)) {
    std::string values;
    for (std::size_t i = 0; i < folders.size(); ++i) {
      values += fmt::format("{}{} {}", i == 0 ? "" : "; ", folders[i].name,
                            each.values[i].empty() ? "unknown" : each.values[i]);
    }
    block.notes.push_back(fmt::format("differs: {}: {}", each.what, values));
  }
  if (block.notes.empty()) {
    block.notes.emplace_back("Neither what is known of the machines nor any option differs.");
  }
  return block;
}

/// Adds the folder's name to each row.
void name_folder(SummaryTable& table, const std::string& folder) {
  if (table.rows.empty()) return;
  table.header.insert(table.header.begin() + folder_place, folder_column);
  for (std::vector<TextCell>& row : table.rows) {
    row.insert(row.begin() + folder_place, TextCell{folder});
  }
}

/// Whether the tables have the same columns, as far as there are any.
bool may_join(const SummaryTable& a, const SummaryTable& b) {
  return a.rows.empty() || b.rows.empty() || a.header == b.header;
}

/// Rows of one arm one below the other, in the order in which the arms first appear.
void join_tables(SummaryTable more, SummaryTable& table) {
  if (more.rows.empty()) return;
  if (table.rows.empty()) {
    table = std::move(more);
    return;
  }
  for (std::vector<TextCell>& row : more.rows) {
    const auto same_arm = std::find_if(
        table.rows.rbegin(), table.rows.rend(),
        [&](const std::vector<TextCell>& known) { return known.front().text == row.front().text; });
    table.rows.insert(same_arm.base() == table.rows.begin() ? table.rows.end() : same_arm.base(),
                      std::move(row));
  }
}

/// A configuration's block, and the notes of each folder that has it.
struct JoinedBlock {
  SummaryBlock block;
  std::vector<std::pair<std::string, std::vector<std::string>>> notes;
};

/// Those of all folders once, the others with the folder's name.
std::vector<std::string> join_notes(const JoinedBlock& joined) {
  std::vector<std::string> notes;
  for (const auto& [folder, own] : joined.notes) {
    for (const std::string& note : own) {
      const bool is_shared =
          joined.notes.size() > 1 &&
          std::all_of(joined.notes.begin(), joined.notes.end(), [&](const auto& other) {
            return std::find(other.second.begin(), other.second.end(), note) != other.second.end();
          });
      std::string text = is_shared ? note : fmt::format("{}: {}", folder, note);
      if (std::find(notes.begin(), notes.end(), text) == notes.end()) {
        notes.push_back(std::move(text));
      }
    }
  }
  return notes;
}

std::vector<JoinedBlock> configuration_blocks(std::span<const ComparisonFolder> folders) {
  std::vector<JoinedBlock> all;
  for (const ComparisonFolder& folder : folders) {
    for (SummaryBlock& block : summarize(folder.comparisons, folder.measured.runs)) {
      block.title.resize(1);  // the machines are in the block of folders
      name_folder(block.speed, folder.name);
      name_folder(block.accuracy, folder.name);
      const auto same = std::find_if(all.begin(), all.end(), [&](const JoinedBlock& known) {
        return known.block.configuration == block.configuration &&
               known.block.title == block.title && may_join(known.block.speed, block.speed) &&
               may_join(known.block.accuracy, block.accuracy);
      });
      if (same == all.end()) {
        all.push_back({.block = block, .notes = {{folder.name, block.notes}}});
        continue;
      }
      join_tables(std::move(block.speed), same->block.speed);
      join_tables(std::move(block.accuracy), same->block.accuracy);
      same->notes.emplace_back(folder.name, block.notes);
    }
  }
  return all;
}

/// One arm in two folders.
void add_change(const JoinedRow& change, SummaryBlock& block) {
  const bench::Comparison& row = change.row;
  block.speed.rows.push_back(
      {{row.arm},
       {figure(change.where.compared_images_per_s)},
       {figure(change.where.images_per_s)},
       {estimate_text(row.speedup, row.speedup_ci_low, row.speedup_ci_high, ratio_text)},
       {fmt::format("{}, {}", change.where.compared_sessions.value_or(0), row.sessions)},
       speed_verdict_cell(row)});
  for (const std::string& remark : bench::remarks_of(row.note)) {
    block.notes.push_back(fmt::format("{}: {}", row.arm, remark));
  }
}

std::vector<SummaryBlock> change_blocks(std::span<const JoinedRow> rows) {
  std::vector<SummaryBlock> blocks;
  const JoinedRow* first = nullptr;
  for (const JoinedRow& each : rows) {
    if (each.where.compared_folder.empty()) continue;
    const bool is_of_last = first != nullptr && first->where.folder == each.where.folder &&
                            first->row.configuration == each.row.configuration;
    if (!is_of_last) {
      first = &each;
      SummaryBlock& block = blocks.emplace_back();
      block.configuration = each.row.configuration;
      block.title = {fmt::format("{} beside {}: {}", each.where.folder, each.where.compared_folder,
                                 each.row.configuration)};
      block.speed.header = {"arm",      "before", "after", "ratio" + confidence_label(each.row),
                            "sessions", "verdict"};
      block.speed.spare = {"sessions"};
      block.notes.push_back(
          fmt::format("Useful images/s of {} (after) over those of {} (before), whose sessions are "
                      "independent of one another.",
                      each.where.folder, each.where.compared_folder));
      if (blocks.size() == 1) block.notes.push_back(caution);
    }
    add_change(each, blocks.back());
  }
  return blocks;
}

}  // namespace

std::vector<SummaryBlock> joined_blocks(std::span<const ComparisonFolder> folders,
                                        std::span<const JoinedRow> rows) {
  std::vector<SummaryBlock> blocks{folders_block(folders)};
  for (JoinedBlock& joined : configuration_blocks(folders)) {
    joined.block.notes = join_notes(joined);
    blocks.push_back(std::move(joined.block));
  }
  std::vector<SummaryBlock> changes = change_blocks(rows);
  std::move(changes.begin(), changes.end(), std::back_inserter(blocks));
  return blocks;
}

}  // namespace mpbench::report
