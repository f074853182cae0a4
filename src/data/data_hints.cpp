#include "data_hints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "cache/cache_format.hpp"
#include "formats/cifar.hpp"
#include "formats/idx.hpp"
#include "formats/image_folder.hpp"
#include "formats/rsna.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/file_type.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_looked_at = 20'000;
constexpr std::size_t most_folders = 256;

/// What a folder holds but clutter, sorted; nothing of one that may not be listed.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator() && entries.size() < most_looked_at;
       at.increment(error)) {
    if (!is_clutter(at->path())) entries.push_back(*at);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  for (const auto& entry : entries_of(folder)) {
    std::error_code ignored;
    if (entry.is_directory(ignored) && folders.size() < most_folders) {
      folders.push_back(entry.path());
    }
  }
  return folders;
}

/// The file by which a folder is told to be a dataset; empty for other folders.
std::string mark_of(const fs::path& folder) {
  if (has_rsna_table(folder)) return "train.csv";
  if (is_idx_folder(folder)) return "idx files";
  if (is_cifar_folder(folder, Cifar::cifar10) || is_cifar_folder(folder, Cifar::cifar100)) {
    return "CIFAR's files";
  }
  return {};
}

std::string unpack(const fs::path& archive, FileType type) {
  const auto name = archive.filename().string();
  const bool is_tar = type == FileType::tar || name.find(".tar") != std::string::npos ||
                      name.ends_with(".tgz") || name.ends_with(".tbz2");
  if (type == FileType::zip) return fmt::format("unpack it (unzip {})", name);
  if (is_tar) return fmt::format("unpack it (tar -xf {})", name);
  if (type == FileType::gzip) return fmt::format("unpack it (gunzip {})", name);
  return "unpack it";
}

bool is_cifar_name(const std::string& name) {
  return name == "train.bin" || name == "test.bin" || name == "test_batch.bin" ||
         (name.starts_with("data_batch_") && name.ends_with(".bin"));
}

std::string folder_of(const fs::path& file) {
  const auto folder = file.parent_path().string();
  return folder.empty() ? "." : folder;
}

/// Files below a folder, counted by their extension.
struct Census {
  std::map<std::string, std::size_t> counts;
  std::map<std::string, fs::path> firsts;
  std::size_t looked_at = 0;

  void count(const fs::path& folder, int depth) {
    for (const auto& entry : entries_of(folder)) {
      if (++looked_at > most_looked_at) return;
      std::error_code ignored;
      if (entry.is_directory(ignored)) {
        if (depth > 0) count(entry.path(), depth - 1);
        continue;
      }
      const auto extension = ascii_lower(entry.path().extension().string());
      ++counts[extension];
      firsts.emplace(extension, entry.path());
    }
  }
};

/// Down to what a folder for each of two splits, with one for each class, has.
Census take_census(const fs::path& folder) {
  constexpr int depth = 3;
  Census census;
  census.count(folder, depth);
  return census;
}

std::string explain_archives(const fs::path& folder) {
  for (const auto& entry : entries_of(folder)) {
    const auto type = file_type(entry.path());
    if (!is_archive(type)) continue;
    return fmt::format("it holds {}: {} and name the folder that comes out of it",
                       entry.path().filename().string(), unpack(entry.path(), type));
  }
  return {};
}

/// A table of another name than the one that is looked for.
std::string explain_table(const fs::path& folder) {
  for (const auto& entry : entries_of(folder)) {
    const auto name = entry.path().filename().string();
    const auto lower = ascii_lower(name);
    const bool is_near = lower == "train.csv" || lower == "train.tsv" || lower == "train.txt" ||
                         lower.starts_with("train.csv") || lower.starts_with("train.xls");
    if (is_near) {
      return fmt::format("it holds {}: an RSNA folder's table is called train.csv", name);
    }
  }
  return {};
}

}  // namespace

std::optional<std::string> explain_file(const fs::path& file) {
  const auto name = file.filename().string();
  const auto extension = ascii_lower(file.extension().string());
  const auto type = file_type(file);
  std::error_code error;
  if (fs::file_size(file, error) == 0 && !error) return "it is an empty file";
  if (begins_like_cache(file)) return std::nullopt;
  if (extension == ".pth" || extension == ".pt") {
    return "it is a file of weights: --weights takes it, and --data a dataset's folder";
  }
  const bool has_idx_name =
      name.find("idx1-ubyte") != std::string::npos || name.find("idx3-ubyte") != std::string::npos;
  if (type == FileType::idx || has_idx_name) {
    return fmt::format("it is one file of an idx dataset: name its folder, --data {}",
                       folder_of(file));
  }
  if (is_cifar_name(name)) {
    return fmt::format("it is one file of CIFAR: name its folder, --data {}", folder_of(file));
  }
  if (is_archive(type)) {
    return fmt::format("it is {}: {} and name the folder that comes out of it", describe(type),
                       unpack(file, type));
  }
  if (extension == ".csv" || extension == ".tsv") {
    return fmt::format("it is a table: name the folder with the table and its images, --data {}",
                       folder_of(file));
  }
  if (type == FileType::dicom || extension == ".dcm" || extension == ".dicom") {
    return "it is a single DICOM file: name the folder with train.csv and train_images/ (mpbench "
           "decode shows one file)";
  }
  if (type == FileType::png || type == FileType::jpeg || type == FileType::bmp) {
    return fmt::format("it is {}: name the folder that has a folder of images for each class",
                       describe(type));
  }
  if (type == FileType::git_lfs_pointer) return fmt::format("it is {}", describe(type));
  if (type != FileType::unknown) {
    return fmt::format(
        "it is {}, which is not read: images are PNG, JPEG and BMP, mammograms "
        "DICOM, and --data names their folder",
        describe(type));
  }
  return std::nullopt;
}

std::optional<std::string> dataset_elsewhere(const fs::path& folder) {
  const auto at = [&](const fs::path& inner) -> std::optional<std::string> {
    const auto mark = mark_of(inner);
    if (mark.empty()) return std::nullopt;
    return fmt::format("it holds a folder '{}' with {} in it: use --data {}",
                       inner.lexically_relative(folder).string(), mark, inner.string());
  };
  const auto inner = folders_in(folder);
  for (const auto& one : inner) {
    if (auto hint = at(one)) return hint;
  }
  for (const auto& one : inner) {
    if (inner.size() > 16) break;  // a folder for each class, or each patient
    for (const auto& deeper : folders_in(one)) {
      if (auto hint = at(deeper)) return hint;
    }
  }
  std::error_code error;
  auto around = fs::absolute(folder, error).lexically_normal();
  if (!around.has_filename()) around = around.parent_path();  // a slash at the end
  around = around.parent_path();
  if (!error && has_rsna_table(around)) {
    return fmt::format("the table of its images is in the folder around it: use --data {}",
                       around.string());
  }
  return std::nullopt;
}

std::string explain_folder(const fs::path& folder) {
  for (const auto& explain : {explain_archives, explain_table}) {
    if (auto hint = explain(folder); !hint.empty()) return hint;
  }
  if (holds_images(folder)) {
    return "its images lie in no class's folder: training needs a folder for each class (mpbench "
           "predict takes them as they are)";
  }
  auto census = take_census(folder);
  if (census.counts.empty()) return "there is no file in it";
  for (const char* extension : {".dcm", ".dicom"}) {
    if (!census.counts.contains(extension)) continue;
    return fmt::format(
        "it holds DICOM files, as {}, but no train.csv with the columns patient_id, image_id, "
        "laterality, view and cancer",
        census.firsts[extension].lexically_relative(folder).string());
  }
  return fmt::format("it holds {}; images that are read are .png, .jpg, .jpeg and .bmp",
                     other_files(folder));
}

std::string other_files(const fs::path& folder) {
  const auto census = take_census(folder);
  if (census.counts.empty()) return {};
  const auto& [extension, count] =
      *std::max_element(census.counts.begin(), census.counts.end(),
                        [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto& first = census.firsts.at(extension);
  const auto type = file_type(first);
  return fmt::format("{} {}, as {}{}", count,
                     extension.empty() ? "files without an extension" : extension + " files",
                     first.lexically_relative(folder).string(),
                     type == FileType::unknown ? "" : fmt::format(" ({})", describe(type)));
}

}  // namespace mpbench::data
