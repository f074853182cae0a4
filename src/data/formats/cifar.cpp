#include "cifar.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <opencv2/core.hpp>

#include "../subset.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/image/letterbox.hpp"
#include "mpbench/io/mapped_file.hpp"
#include "mpbench/io/sha256.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr int image_side = 32;
constexpr int image_channels = 3;
constexpr std::size_t plane_bytes = std::size_t{image_side} * image_side;
constexpr std::size_t image_bytes = image_channels * plane_bytes;
constexpr std::int64_t interrupt_every = 256;
constexpr std::size_t worth_saying = std::size_t{1} << 30;

struct Format {
  const char* dataset;
  const char* title;
  const char* subfolder;
  const char* mark;  // a file that the other set has not
  std::vector<const char*> train;
  const char* test;
  const char* names;
  int classes;
  int coarse_classes;  // 0: there is no coarse label
  std::int64_t train_images;
  std::int64_t test_images;

  std::size_t label_bytes() const { return coarse_classes > 0 ? 2 : 1; }
  std::size_t record_bytes() const { return label_bytes() + image_bytes; }
};

const Format& format_of(Cifar which) {
  static const Format cifar10{.dataset = "cifar10",
                              .title = "CIFAR-10",
                              .subfolder = "cifar-10-batches-bin",
                              .mark = "data_batch_1.bin",
                              .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin"},
                              .test = "test_batch.bin",
                              .names = "batches.meta.txt",
                              .classes = 10,
                              .coarse_classes = 0,
                              .train_images = 50000,
                              .test_images = 10000};
  static const Format cifar100{.dataset = "cifar100",
                               .title = "CIFAR-100",
                               .subfolder = "cifar-100-binary",
                               .mark = "fine_label_names.txt",
                               .train = {"train.bin"},
                               .test = "test.bin",
                               .names = "fine_label_names.txt",
                               .classes = 100,
                               .coarse_classes = 20,
                               .train_images = 50000,
                               .test_images = 10000};
  return which == Cifar::cifar10 ? cifar10 : cifar100;
}

bool has_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool holds(const fs::path& folder, const Format& format) {
  return has_file(folder / format.mark) && has_file(folder / format.train.front());
}

fs::path files_folder(const fs::path& folder, const Format& format) {
  return holds(folder / format.subfolder, format) ? folder / format.subfolder : folder;
}

void require_file(const fs::path& path, const Format& format) {
  if (has_file(path)) return;
  throw InputError(
      path.parent_path(), path.filename().string(),
      fmt::format("there is no such file; the binary version of {} has it", format.title));
}

std::vector<std::string> read_names(const fs::path& path, const Format& format) {
  require_file(path, format);
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> names;
  std::string name;
  const auto end_line = [&] {
    if (name.ends_with('\r')) name.pop_back();
    if (!name.empty()) names.push_back(name);
    name.clear();
  };
  for (const char c : text) {
    if (c == '\n') {
      end_line();
    } else {
      name += c;
    }
  }
  end_line();
  if (names.size() != static_cast<std::size_t>(format.classes)) {
    throw InputError(
        path, "names",
        fmt::format("there are {}, {} has {} classes", names.size(), format.title, format.classes));
  }
  return names;
}

/// One file of records, and the samples that they are.
struct Records {
  Records(const fs::path& path_in, const Format& format) : path(path_in), file(path_in) {
    const auto bytes = file.bytes().size();
    if (bytes == 0 || bytes % format.record_bytes() != 0) {
      throw InputError(path, "length",
                       fmt::format("{} bytes are not a number of whole records of {}", bytes,
                                   format.record_bytes()));
    }
    count = bytes / format.record_bytes();
  }

  void append_samples(const Format& format, const char* part, std::vector<Sample>& samples,
                      std::size_t number) const {
    const auto label_in_range = [&](std::size_t record, std::size_t place, int classes) {
      const auto label = std::to_integer<int>(file.bytes()[record * format.record_bytes() + place]);
      if (label >= classes) {
        throw InputError(
            path, "label",
            fmt::format("record {}: {} is not in 0 to {}", record, label, classes - 1));
      }
      return label;
    };
    for (std::size_t i = 0; i < count; ++i, ++number) {
      if (format.coarse_classes > 0) label_in_range(i, 0, format.coarse_classes);
      const int label = label_in_range(i, format.label_bytes() - 1, format.classes);
      const auto id = fmt::format("{}-{}", part, number);
      samples.push_back({id, id, id, label});
    }
  }

  /// [3, 32, 32]
  std::span<const std::byte> image(std::size_t record, const Format& format) const {
    return file.bytes().subspan(record * format.record_bytes() + format.label_bytes(), image_bytes);
  }

  fs::path path;
  MappedFile file;
  std::size_t count = 0;
};

/// An image [3, 32, 32] as [3, height, width].
void append_resized(std::vector<std::byte>& pixels, std::span<const std::byte> image, int height,
                    int width) {
  std::vector<cv::Mat> planes;
  for (std::size_t c = 0; c < image_channels; ++c) {
    const auto* plane = image.data() + c * plane_bytes;
    // OpenCV has no read-only view.
    planes.push_back(
        image::letterbox(cv::Mat(image_side, image_side, CV_8UC1, const_cast<std::byte*>(plane)),
                         height, width, image::HorizontalPlace::centre));
  }
  for (const auto& plane : planes) {
    const auto* data = reinterpret_cast<const std::byte*>(plane.data);
    pixels.insert(pixels.end(), data, data + plane.total());
  }
}

}  // namespace

bool is_cifar_folder(const fs::path& folder, Cifar which) {
  const auto& format = format_of(which);
  return holds(files_folder(folder, format), format);
}

ImageDataset read_cifar(const fs::path& folder, Cifar which, const CifarOptions& options) {
  const auto& format = format_of(which);
  const auto place = files_folder(folder, format);
  ImageDataset set;
  set.dataset = format.dataset;
  set.channels = image_channels;
  set.height = options.height > 0 ? options.height : image_side;
  set.width = options.width > 0 ? options.width : image_side;
  set.classes = read_names(place / format.names, format);

  std::vector<std::unique_ptr<Records>> parts;
  std::vector<std::pair<const Records*, std::size_t>> records;  // of each sample
  std::vector<Sample> samples;
  std::string identity = fmt::format("{} {} {}\n", format.dataset, set.height, set.width);
  const auto add = [&](const char* name, const char* part, std::size_t number) {
    require_file(place / name, format);
    const auto& added = *parts.emplace_back(std::make_unique<Records>(place / name, format));
    added.append_samples(format, part, samples, number);
    for (std::size_t i = 0; i < added.count; ++i) records.emplace_back(&added, i);
    identity += sha256_hex(added.file.bytes()) + '\n';
  };
  for (const char* name : format.train) add(name, "train", samples.size());
  const std::size_t train_count = samples.size();
  add(format.test, "test", 0);
  const auto test_count = samples.size() - train_count;
  if (train_count != static_cast<std::size_t>(format.train_images) ||
      test_count != static_cast<std::size_t>(format.test_images)) {
    spdlog::warn("{}: {} images for training and {} for validation, where {} has {} and {}",
                 place.string(), train_count, test_count, format.title, format.train_images,
                 format.test_images);
  }

  std::vector<bool> validation(samples.size(), false);
  std::fill(validation.begin() + static_cast<std::ptrdiff_t>(train_count), validation.end(), true);
  const auto chosen = limit_classes(samples, validation, options.limit);
  const std::size_t bytes = chosen.size() * set.image_bytes();
  if (bytes > worth_saying) {
    spdlog::info("resized to {} x {}, the images take {:.1f} GB of memory", set.height, set.width,
                 static_cast<double>(bytes) / 1e9);
  }
  auto pixels = std::make_shared<std::vector<std::byte>>();
  pixels->reserve(bytes);
  set.given_split.emplace();
  for (const auto index : chosen) {
    if (set.size() % interrupt_every == 0) throw_if_interrupted();
    const auto& [part, record] = records[static_cast<std::size_t>(index)];
    const auto image = part->image(record, format);
    if (set.height == image_side && set.width == image_side) {
      pixels->insert(pixels->end(), image.begin(), image.end());
    } else {
      append_resized(*pixels, image, set.height, set.width);
    }
    (validation[static_cast<std::size_t>(index)] ? set.given_split->validation
                                                 : set.given_split->train)
        .push_back(set.size());
    set.samples.push_back(std::move(samples[static_cast<std::size_t>(index)]));
    identity += set.samples.back().id + '\n';
  }
  set.key = sha256_hex(identity);
  set.pixels = *pixels;
  set.storage = std::move(pixels);
  return set;
}

}  // namespace mpbench::data
