#pragma once

#include <filesystem>

#include "mpbench/data/image_manifest.hpp"

/// A folder of images in which every class has a folder of its own.
namespace mpbench::data {

/// Whether an image lies in a folder below this one.
bool is_image_folder(const std::filesystem::path& folder);

/// Lists `FOLDER/<class>/.../*.{png,jpg,jpeg,bmp}` (in any case, at any depth below a class).
/// Classes are sorted by name and a class's files by folder and name, both byte by byte, as
/// torchvision.datasets.ImageFolder has them. A sample's id, group and unit are its path from
/// `folder`, with '/'; bytes that are no UTF-8 are written as \xE9 there and in classes.
///
/// Where `folder` has train/ with classes in it, and beside it one of val/, valid/ and validation/,
/// or test/ if it has none of these, the classes are in there, and the table has that split. With
/// train/ alone the table is train's, without a split.
///
/// Hidden files and folders, what operating systems leave (is_clutter) and other files are left
/// out, and said on the log; likewise a class's folder that is empty: it is no class, or, where
/// only the one for validation is, has no image there. Links are followed to files and to the
/// folders of classes, not to folders below; so none leads round in circles.
///
/// `channels` is 3: see common_format. No file is opened. Throws InputError for a class's folder
/// with files but no image or that has no folder on one side of a split, for fewer than two
/// classes, two folders for validation, a class's link to a folder that this one is in, and what
/// may not be listed; Interrupted.
ImageManifest read_image_folder(const std::filesystem::path& folder);

/// Whether an image lies in this folder itself.
bool holds_images(const std::filesystem::path& folder);

/// Lists the images in a folder and below it, whose labels nobody knows: as read_image_folder,
/// with one class, "unlabelled", in a table of dataset "pictures". Throws InputError where there
/// are none, and for what may not be listed; Interrupted.
ImageManifest read_unlabelled_images(const std::filesystem::path& folder);

/// What all images of a folder can be brought to.
struct CommonFormat {
  int channels = 3;  ///< 1 where all are grey
  int height = 0;
  int width = 0;
};

/// Images are stored in their own size up to so many pixels a side, if it is the same for all.
inline constexpr int largest_own_size = 512;
/// Otherwise in this one: what networks for ImageNet take.
inline constexpr int usual_size = 224;

/// Decided by the images' headers, read until it cannot change any more: after the first one in
/// colour, and without `size_too` after that. An image whose header cannot be read has no say.
/// Throws Interrupted.
CommonFormat common_format(const ImageManifest& table, bool size_too);

}  // namespace mpbench::data
