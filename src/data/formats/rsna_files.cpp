#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/file_type.hpp"
#include "rsna.hpp"

// Where the images of an RSNA table lie.
namespace mpbench::data {
namespace {

namespace fs = std::filesystem;
using Extensions = std::span<const std::string_view>;

constexpr std::array<std::string_view, 6> dicom_extensions{".dcm",   ".DCM", ".dicom",
                                                           ".DICOM", ".Dcm", ""};
constexpr std::array<std::string_view, 8> image_extensions{".png", ".jpg", ".jpeg", ".bmp",
                                                           ".PNG", ".JPG", ".JPEG", ".BMP"};
// Between the patient's and the image's id in a file's name.
constexpr std::string_view joints = "_@-";
constexpr int deepest = 4;
constexpr std::size_t most_entries = 400'000;

bool is_one_of(std::string_view extension, Extensions extensions) {
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

bool is_regular(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// How files are named after the images of a table.
struct RsnaLayout {
  fs::path base;  // below the table's folder
  bool patient_folder = false;
  char joint = '\0';  // none: the image's id alone
  std::string extension;

  fs::path path(const std::string& patient, const std::string& image) const {
    const auto name = joint == '\0' ? image : fmt::format("{}{}{}", patient, joint, image);
    return (patient_folder ? base / patient : base) / (name + extension);
  }
  std::string described() const { return path("<patient_id>", "<image_id>").string(); }
};

/// Looks for files that are named after images of a table, whatever folder they lie in.
class ImageSearch {
 public:
  explicit ImageSearch(const RsnaTable& table) : table_(table) {
    for (const auto& image : table.images) by_id_.emplace(image.image_id, &image);
    look_below(table.images_folder, 1);
    if (pictures.empty()) look_below("", 0);
  }

  std::vector<RsnaLayout> pictures;  // one a folder; not more than two
  std::optional<RsnaLayout> dicom;   // the first
  std::vector<fs::path> archives;
  std::map<std::string, std::size_t> others;  // files that are no image of the table, by extension
  std::string first_other;
  std::string list_error;

 private:
  struct Waiting {
    fs::path path;
    int depth = 0;
  };

  void look_below(const fs::path& start, int depth) {
    std::deque<Waiting> waiting{{start, depth}};
    while (!waiting.empty() && entries_ < most_entries && pictures.size() < 2) {
      throw_if_interrupted();
      const auto [folder, level] = waiting.front();
      waiting.pop_front();
      if (is_in_found(folder)) continue;
      std::vector<fs::path> files;
      std::vector<fs::path> folders;
      list(folder, files, folders);
      for (const auto& file : files) look_at(file);
      if (level == deepest) continue;
      for (auto& one : folders) {
        if (!start.empty() || one != table_.images_folder) waiting.push_back({one, level + 1});
      }
    }
  }

  /// Sorted, so that what is found does not depend on the file system's order.
  void list(const fs::path& folder, std::vector<fs::path>& files, std::vector<fs::path>& folders) {
    std::error_code error;
    fs::directory_iterator at(table_.folder / folder, error);
    for (; !error && at != fs::directory_iterator() && entries_ < most_entries;
         at.increment(error)) {
      ++entries_;
      if (is_clutter(at->path())) continue;
      std::error_code ignored;
      const auto name = folder / at->path().filename();
      (at->is_directory(ignored) ? folders : files).push_back(name);
    }
    if (error && error != std::errc::no_such_file_or_directory && list_error.empty()) {
      list_error = fmt::format("{} cannot be listed: {}", (table_.folder / folder).string(),
                               error.message());
    }
    std::sort(files.begin(), files.end());
    std::sort(folders.begin(), folders.end());
  }

  bool is_in_found(const fs::path& folder) const {
    return std::any_of(pictures.begin(), pictures.end(), [&](const RsnaLayout& one) {
      const auto [rest, in_folder] =
          std::mismatch(one.base.begin(), one.base.end(), folder.begin(), folder.end());
      return rest == one.base.end();
    });
  }

  void look_at(const fs::path& file) {
    const auto extension = file.extension().string();
    if (is_one_of(extension, image_extensions)) {
      auto layout = match(file, file.stem().string());
      if (!layout) return add_other(file);
      layout->extension = extension;
      const bool is_new =
          std::none_of(pictures.begin(), pictures.end(),
                       [&](const RsnaLayout& one) { return one.base == layout->base; });
      if (is_new) pictures.push_back(std::move(*layout));
      return;
    }
    const bool has_dicom_name = is_one_of(extension, dicom_extensions);
    auto layout = match(file, has_dicom_name ? file.stem().string() : file.filename().string());
    if (!layout) return add_other(file);
    layout->extension = has_dicom_name ? extension : "";
    if (!dicom) dicom = std::move(layout);
  }

  void add_other(const fs::path& file) {
    if (file.parent_path().empty() && is_archive(file_type(table_.folder / file))) {
      archives.push_back(file);
    }
    const auto extension = file.extension().string();
    if (extension == ".csv" || extension == ".json" || extension == ".txt") return;
    if (others.empty()) first_other = file.string();
    if (others.size() < 8 || others.contains(extension)) ++others[extension];
  }

  std::optional<RsnaLayout> match(const fs::path& file, std::string_view name) const {
    const auto parent = file.parent_path();
    const auto layout_of = [&](const RsnaImage& image, char joint) {
      const bool patient_folder = parent.filename() == image.patient_id;
      return RsnaLayout{.base = patient_folder ? parent.parent_path() : parent,
                        .patient_folder = patient_folder,
                        .joint = joint,
                        .extension = {}};
    };
    if (const auto found = by_id_.find(name); found != by_id_.end()) {
      return layout_of(*found->second, '\0');
    }
    for (auto at = name.find_first_of(joints); at != std::string_view::npos;
         at = name.find_first_of(joints, at + 1)) {
      const auto found = by_id_.find(name.substr(at + 1));
      if (found != by_id_.end() && found->second->patient_id == name.substr(0, at)) {
        return layout_of(*found->second, name[at]);
      }
    }
    return std::nullopt;
  }

  const RsnaTable& table_;
  std::unordered_map<std::string_view, const RsnaImage*> by_id_;
  std::size_t entries_ = 0;
};

/// Gives each image the path of a layout, or of the same with another extension where that is
/// there. Returns how many have another one, or nothing where no image is there at all.
std::optional<std::size_t> take_paths(RsnaTable& table, const RsnaLayout& layout,
                                      Extensions extensions) {
  std::size_t found = 0;
  std::size_t others = 0;
  std::unordered_map<std::string, bool>
      folders;  // is it there? where a patient's is not, no file is
  for (auto& image : table.images) {
    image.path = layout.path(image.patient_id, image.image_id);
    if (is_regular(table.folder / image.path)) {
      ++found;
      continue;
    }
    const auto parent = table.folder / image.path.parent_path();
    const auto [folder, is_new] = folders.try_emplace(parent.native(), false);
    std::error_code ignored;
    if (is_new) folder->second = fs::is_directory(parent, ignored);
    if (!folder->second) continue;
    auto other = layout;
    for (const auto extension : extensions) {
      other.extension = extension;
      const auto path = other.path(image.patient_id, image.image_id);
      if (!is_regular(table.folder / path)) continue;
      image.path = path;
      ++found;
      ++others;
      break;
    }
  }
  return found > 0 ? std::optional(others) : std::nullopt;
}

/// What lies in a folder that has none of a table's images, and what to do.
std::string what_else_is_there(const ImageSearch& search) {
  if (!search.list_error.empty()) return search.list_error;
  if (!search.archives.empty()) {
    return fmt::format("there is {}: unpack it", search.archives.front().string());
  }
  if (search.others.empty()) return "there are no other files either";
  const auto most =
      std::max_element(search.others.begin(), search.others.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return fmt::format("there are {} files {}, as {}", most->second,
                     most->first.empty() ? "without an extension" : "*" + most->first,
                     search.first_other);
}

[[noreturn]] void refuse_images(const RsnaTable& table, const ImageSearch& search) {
  const auto wanted = RsnaLayout{table.images_folder, true, '\0', ".dcm"}.described();
  if (search.dicom) {
    throw InputError(table.folder, "images",
                     fmt::format("the DICOM files lie in {}, not in {}: move them there",
                                 search.dicom->described(), wanted));
  }
  throw InputError(
      table.folder, "images",
      fmt::format("not one of the table's {} is there as {}, nor as a .png, .jpg or .bmp with "
                  "these ids in its name; {}",
                  table.images.size(), wanted, what_else_is_there(search)));
}

}  // namespace

void locate_images(RsnaTable& table) {
  const RsnaLayout challenge{table.images_folder, true, '\0', ".dcm"};
  if (const auto others = take_paths(table, challenge, dicom_extensions)) {
    table.format = RsnaFormat::dicom;
    if (*others > 0) {
      const auto other =
          std::find_if(table.images.begin(), table.images.end(),
                       [](const auto& one) { return one.path.extension() != ".dcm"; });
      spdlog::info("{}: {} images are named otherwise than <image_id>.dcm, as {}",
                   printable_text(table.folder.native()), *others, other->path.string());
    }
    return;
  }
  const ImageSearch search(table);
  if (search.pictures.empty()) refuse_images(table, search);
  const auto& layout = search.pictures.front();
  if (search.pictures.size() > 1) {
    throw InputError(table.folder, "images",
                     fmt::format("both {} and {} are there: leave one of them beside the table",
                                 layout.described(), search.pictures[1].described()));
  }
  table.format = RsnaFormat::image;
  take_paths(table, layout, image_extensions);
  spdlog::info("{}: the images are PNG, JPEG or BMP files, {}",
               printable_text(table.folder.native()), printable_text(layout.described()));
}

}  // namespace mpbench::data
