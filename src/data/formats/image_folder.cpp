#include "image_folder.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <optional>

#include "../data_hints.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/image/image_file.hpp"
#include "mpbench/io/file_type.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

bool has_image_name(const fs::path& path) {
  const auto extension = ascii_lower(path.extension().string());
  constexpr std::array names{".png", ".jpg", ".jpeg", ".bmp"};
  return std::find(names.begin(), names.end(), extension) != names.end();
}

/// What a folder holds, sorted by name. Throws InputError where it may not be listed.
std::vector<fs::directory_entry> list(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) entries.push_back(*at);
  if (error) throw InputError(folder, "folder", "it cannot be listed: " + error.message());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.path().native() < b.path().native(); });
  return entries;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_directory(ignored);
}

bool is_file(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_regular_file(ignored);
}

/// Entries that are no images.
struct LeftOut {
  std::int64_t clutter = 0;  // hidden, or an operating system's
  std::int64_t links = 0;    // to folders below a class
  std::int64_t others = 0;   // other extensions, or outside of the classes

  std::int64_t count() const { return clutter + links + others; }
};

void report(const LeftOut& left_out, const fs::path& folder, const char* where) {
  if (left_out.count() == 0) return;
  spdlog::info(
      "{}: left out {} hidden or system entries, {} links to folders, {} other files (images are "
      ".png, "
      ".jpg, .jpeg and .bmp{})",
      printable_text(folder.native()), left_out.clutter, left_out.links, left_out.others, where);
}

/// Folders that images are kept in, at the place where classes are expected.
std::vector<fs::path> class_folders(const fs::path& folder, LeftOut& left_out) {
  std::vector<fs::path> classes;
  for (const auto& entry : list(folder)) {
    if (is_clutter(entry.path())) {
      ++left_out.clutter;
    } else if (is_folder(entry)) {
      classes.push_back(entry.path());
    } else {
      ++left_out.others;
    }
  }
  return classes;
}

bool is_image_file(const fs::directory_entry& entry) {
  return has_image_name(entry.path()) && is_file(entry);
}

/// The images below a folder, those of the folder itself before those of its subfolders.
struct Walk {
  std::vector<fs::path> pictures;
  LeftOut left_out;

  void folder(const fs::path& path) {
    throw_if_interrupted();
    std::vector<fs::path> subfolders;
    for (const auto& entry : list(path)) {
      if (is_clutter(entry.path())) {
        ++left_out.clutter;
      } else if (is_folder(entry)) {
        if (entry.is_symlink()) {
          ++left_out.links;
        } else {
          subfolders.push_back(entry.path());
        }
      } else if (is_image_file(entry)) {
        pictures.push_back(entry.path());
      } else {
        ++left_out.others;
      }
    }
    for (const auto& subfolder : subfolders) folder(subfolder);
  }
};

bool has_image_below(const fs::path& folder) {
  throw_if_interrupted();
  for (const auto& entry : list(folder)) {
    if (is_clutter(entry.path())) continue;
    if (is_folder(entry)) {
      if (!entry.is_symlink() && has_image_below(entry.path())) return true;
    } else if (is_image_file(entry)) {
      return true;
    }
  }
  return false;
}

/// A class that is a link to a folder around it would have every other class's images.
void require_no_way_round(const fs::path& root, const fs::path& class_folder) {
  std::error_code error;
  const auto inner = fs::canonical(root, error);
  const auto outer = fs::canonical(class_folder, error);
  if (error) return;
  if (std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end()) {
    throw InputError(class_folder, "class", "it is a link to a folder that the dataset is in");
  }
}

/// Folder by folder, in the order of their whole names.
void add_images(ImageManifest& table, std::vector<fs::path> pictures, int label, bool validation) {
  std::stable_sort(pictures.begin(), pictures.end(), [](const auto& a, const auto& b) {
    return a.parent_path().native() < b.parent_path().native();
  });
  for (const auto& picture : pictures) {
    const auto relative = picture.lexically_relative(table.folder);
    const auto id = utf8_text(relative.native());
    table.files.push_back({.path = relative,
                           .sample = {.id = id, .group = id, .case_id = id, .label = label},
                           .validation = validation});
  }
}

struct Layout {
  fs::path train;
  std::optional<fs::path> validation;
};

Layout find_layout(const fs::path& root) {
  const auto has = [&](const char* name) {
    std::error_code ignored_error;
    return fs::is_directory(root / name, ignored_error);
  };
  LeftOut ignored;
  if (!has("train") || class_folders(root / "train", ignored).empty()) return {root, {}};
  std::vector<std::string> names;
  for (const char* name : {"val", "valid", "validation"}) {
    if (has(name)) names.emplace_back(name);
  }
  if (names.size() > 1) {
    throw InputError(root, "layout",
                     fmt::format("both {}/ and {}/ could be for validation", names[0], names[1]));
  }
  if (names.empty() && has("test")) names.emplace_back("test");
  std::vector<std::string> others;
  for (const auto& path : class_folders(root, ignored)) {
    const auto name = path.filename().string();
    if (name != "train" && (names.empty() || name != names[0])) others.push_back(name);
  }
  // Without validation beside it, "train" may as well be a class, of vehicles say.
  if (names.empty()) return others.empty() ? Layout{root / "train", {}} : Layout{root, {}};
  if (!others.empty()) {
    spdlog::info("{}: train/ is for training, {}/ for validation; left out: {}",
                 printable_text(root.native()), names[0],
                 printable_text(fmt::format("{}/", fmt::join(others, "/, "))));
  }
  return {root / "train", root / names[0]};
}

class FolderReader {
 public:
  explicit FolderReader(const fs::path& root)
      : table_{.dataset = "folder",
               .folder = root,
               .classes = {},
               .channels = 3,
               .has_split = false,
               .files = {}} {}

  void read(const fs::path& side, bool validation) {
    const auto folders = class_folders(side, left_out_);
    std::vector<Class> classes;
    for (const auto& path : folders) {
      auto one = read_class(path);
      // What an empty folder is meant to say is plain where all others have images.
      if (one.pictures.empty() && !(validation && is_class(one.name))) {
        spdlog::warn("{}: this folder is empty: it is not a class", printable_text(path.native()));
      } else {
        classes.push_back(std::move(one));
      }
    }
    if (!validation) {
      if (classes.size() < 2) too_few_classes(side, classes);
      for (const auto& one : classes) table_.classes.push_back(one.name);
    }
    std::vector<bool> found(table_.classes.size(), false);
    for (auto& one : classes) {
      const auto at = std::find(table_.classes.begin(), table_.classes.end(), one.name);
      if (at == table_.classes.end()) {
        throw InputError(side, fmt::format("class {}", one.name),
                         "it is not among those of train/");
      }
      const auto label = static_cast<std::size_t>(at - table_.classes.begin());
      found[label] = true;
      if (one.pictures.empty()) {
        spdlog::warn("{}: this folder is empty: no image of class {} is for validation",
                     printable_text(one.folder.native()), printable_text(one.name));
      }
      add_images(table_, std::move(one.pictures), static_cast<int>(label), validation);
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!found[i]) {
        throw InputError(side, fmt::format("class {}", table_.classes[i]),
                         "it is among those of train/, but has no folder here");
      }
    }
    table_.has_split = table_.has_split || validation;
  }

  ImageManifest finish() {
    report(left_out_, table_.folder, " in a class's folder");
    return std::move(table_);
  }

 private:
  struct Class {
    std::string name;
    fs::path folder;
    std::vector<fs::path> pictures;
  };

  bool is_class(const std::string& name) const {
    return std::find(table_.classes.begin(), table_.classes.end(), name) != table_.classes.end();
  }

  /// A class without images has an empty folder.
  Class read_class(const fs::path& path) {
    require_no_way_round(table_.folder, path);
    Walk walk;
    walk.folder(path);
    left_out_.clutter += walk.left_out.clutter;
    left_out_.links += walk.left_out.links;
    left_out_.others += walk.left_out.others;
    if (walk.pictures.empty() && walk.left_out.others + walk.left_out.links > 0) {
      const auto others = other_files(path);
      throw InputError(path, "class",
                       "no .png, .jpg, .jpeg or .bmp is in this folder" +
                           (others.empty() ? others : ", but " + others));
    }
    return {utf8_text(path.filename().native()), path, std::move(walk.pictures)};
  }

  [[noreturn]] static void too_few_classes(const fs::path& side,
                                           const std::vector<Class>& classes) {
    if (classes.empty()) {
      throw InputError(side, "classes",
                       "there are none: an image folder holds a folder of images for each class");
    }
    const auto& only = classes.front();
    LeftOut ignored;
    const bool is_one_too_deep =
        class_folders(only.folder, ignored).size() > 1 && !holds_images(only.folder);
    throw InputError(
        side, "classes",
        fmt::format("there is only {}: with one class there is nothing to learn{}", only.name,
                    is_one_too_deep ? fmt::format("; where the folders in it are the "
                                                  "classes, use --data {}",
                                                  only.folder.string())
                                    : ""));
  }

  ImageManifest table_;
  LeftOut left_out_;
};

}  // namespace

bool is_image_folder(const fs::path& folder) {
  LeftOut ignored;
  const auto folders = class_folders(folder, ignored);
  return std::any_of(folders.begin(), folders.end(), has_image_below);
}

ImageManifest read_image_folder(const fs::path& folder) {
  const auto layout = find_layout(folder);
  FolderReader reader(folder);
  reader.read(layout.train, false);
  if (layout.validation) reader.read(*layout.validation, true);
  return reader.finish();
}

bool holds_images(const fs::path& folder) {
  const auto entries = list(folder);
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return !is_clutter(entry.path()) && is_image_file(entry);
  });
}

ImageManifest read_unlabelled_images(const fs::path& folder) {
  Walk walk;
  walk.folder(folder);
  if (walk.pictures.empty()) {
    throw InputError(folder, "pictures", "no .png, .jpg, .jpeg or .bmp is in this folder");
  }
  ImageManifest table{.dataset = "pictures",
                      .folder = folder,
                      .classes = {"unlabelled"},
                      .channels = 3,
                      .has_split = false,
                      .files = {}};
  add_images(table, std::move(walk.pictures), 0, false);
  report(walk.left_out, folder, "");
  return table;
}

CommonFormat common_format(const ImageManifest& table, bool size_too) {
  std::optional<image::ImageShape> first;
  bool grey = true;
  bool same_size = size_too;
  for (std::size_t i = 0; i < table.files.size() && (grey || same_size); ++i) {
    throw_if_interrupted();
    image::ImageShape shape;
    try {
      shape = image::read_image_shape(table.file(i));
    } catch (const InputError&) {
      continue;  // Preparing it will say what is wrong.
    }
    if (!first) first = shape;
    grey = grey && shape.channels == 1;
    same_size = same_size && shape.height == first->height && shape.width == first->width &&
                shape.height <= largest_own_size && shape.width <= largest_own_size;
  }
  if (!first) return {.channels = 3, .height = usual_size, .width = usual_size};
  return {.channels = grey ? 1 : 3,
          .height = same_size ? first->height : usual_size,
          .width = same_size ? first->width : usual_size};
}

}  // namespace mpbench::data
