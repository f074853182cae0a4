#include "idx.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <opencv2/core.hpp>
#include <string_view>

#include "../subset.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/image/letterbox.hpp"
#include "mpbench/io/endian.hpp"
#include "mpbench/io/sha256.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t images_magic = 0x00000803;  // unsigned bytes, three dimensions
constexpr std::uint32_t labels_magic = 0x00000801;
// Deflate's limit is 1032 to 1: a header that promises more than that lies.
constexpr std::uint64_t max_inflation = 1040;
constexpr std::size_t chunk_bytes = std::size_t{1} << 22;
// Infinite MNIST has 8.1 million. A gzipped file of some kilobytes could hold any number of images
// of one pixel, and here each takes a hundred bytes beside its pixels.
constexpr std::uint32_t most_images = 10'000'000;

/// Which of a set's files one is.
struct Part {
  const char* title;  // "train", "t10k"
  const char* what;   // "images", "labels"
  int dimensions;

  /// The published name; with a dot in place of the hyphen it comes out of some archives.
  std::string name(char separator = '-') const {
    return fmt::format("{}-{}{}idx{}-ubyte", title, what, separator, dimensions);
  }
};
constexpr Part train_images{"train", "images", 3};
constexpr Part train_labels{"train", "labels", 1};
constexpr Part test_images{"t10k", "images", 3};
constexpr Part test_labels{"t10k", "labels", 1};

std::optional<fs::path> find_file(const fs::path& folder, const Part& part) {
  for (const char separator : {'-', '.'}) {
    for (const char* suffix : {"", ".gz"}) {
      const fs::path path = folder / (part.name(separator) + suffix);
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored)) return path;
    }
  }
  return std::nullopt;
}

fs::path require_file(const fs::path& folder, const Part& part) {
  if (auto path = find_file(folder, part)) return *path;
  throw InputError(folder, part.name(),
                   "there is no such file, nor one with .gz; an idx folder holds "
                   "train-images-idx3-ubyte and train-labels-idx1-ubyte, and the same of t10k");
}

/// A plain or gzipped file read from front to back; zlib tells which it is.
class GzipReader {
 public:
  explicit GzipReader(const fs::path& path)
      : path_(path), file_(gzopen(path.c_str(), "rb"), &gzclose) {
    if (!file_) throw InputError(path_, "file", "it cannot be opened");
    gzbuffer(file_.get(), 1U << 17);
  }

  std::uint32_t read_word(const char* field) {
    std::array<std::byte, 4> bytes{};
    if (read(bytes.data(), bytes.size()) != bytes.size()) {
      throw InputError(path_, field, "the file ends in its header");
    }
    return big_endian(bytes, 0);
  }

  /// Exactly `count` bytes and then the file's end. Memory grows with what is really there.
  std::vector<std::byte> read_rest(std::uint64_t count) {
    const auto wrong_length = [&](std::string_view what) {
      throw InputError(
          path_, "length",
          fmt::format("the header promises {} bytes of data, the file has {}", count, what));
    };
    if (count / max_inflation > fs::file_size(path_)) wrong_length("far fewer");
    std::vector<std::byte> bytes;
    while (bytes.size() < count) {
      const std::size_t before = bytes.size();
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_bytes, count - before));
      if (bytes.capacity() < before + wanted) {
        bytes.reserve(
            static_cast<std::size_t>(std::min<std::uint64_t>(count, 2 * before + wanted)));
      }
      bytes.resize(before + wanted);
      const std::size_t got = read(bytes.data() + before, wanted);
      if (got != wanted) wrong_length(fmt::format("{}", before + got));
    }
    std::byte extra{};
    if (read(&extra, 1) != 0) wrong_length("more");
    return bytes;
  }

 private:
  std::size_t read(void* to, std::size_t count) {
    const int got = gzread(file_.get(), to, static_cast<unsigned>(count));
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    // A stream that ends too early is no error to gzread, which returns what it has: gzerror tells.
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      throw InputError(path_, "gzip", message);
    }
    return static_cast<std::size_t>(got);
  }

  fs::path path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
};

struct IdxPart {
  std::uint32_t count = 0;
  int height = 0;
  int width = 0;
  std::vector<std::byte> pixels;
  std::vector<std::byte> labels;
};

void require_magic(const fs::path& path, std::uint32_t magic, std::uint32_t wanted) {
  if (magic != wanted) {
    throw InputError(path, "magic number", fmt::format("{:#010x} is not {:#010x}", magic, wanted));
  }
}

IdxPart read_part(const fs::path& images, const fs::path& labels) {
  IdxPart part;
  GzipReader image_file(images);
  require_magic(images, image_file.read_word("magic number"), images_magic);
  part.count = image_file.read_word("count");
  const std::uint32_t height = image_file.read_word("rows");
  const std::uint32_t width = image_file.read_word("columns");
  constexpr std::uint32_t largest = std::numeric_limits<std::uint16_t>::max();
  if (part.count > most_images) {
    throw InputError(images, "count",
                     fmt::format("{} images, and {} at most can be read", part.count, most_images));
  }
  if (part.count == 0 || height == 0 || width == 0 || height > largest || width > largest) {
    throw InputError(images, "header",
                     fmt::format("{} images of {} x {} make no sense", part.count, height, width));
  }
  part.height = static_cast<int>(height);
  part.width = static_cast<int>(width);
  // Below 2^32 * 2^16 * 2^16: no overflow.
  const std::uint64_t bytes = std::uint64_t{part.count} * height * width;
  GzipReader label_file(labels);
  require_magic(labels, label_file.read_word("magic number"), labels_magic);
  const std::uint32_t label_count = label_file.read_word("count");
  if (label_count != part.count) {
    throw InputError(labels, "count",
                     fmt::format("{} labels for the {} images of {}", label_count, part.count,
                                 images.filename().string()));
  }
  part.labels = label_file.read_rest(label_count);
  part.pixels = image_file.read_rest(bytes);
  return part;
}

std::vector<Sample> samples_of(const IdxPart& part, const char* title) {
  std::vector<Sample> samples;
  samples.reserve(part.labels.size());
  for (std::size_t i = 0; i < part.labels.size(); ++i) {
    const auto id = fmt::format("{}-{}", title, i);
    samples.push_back({id, id, id, std::to_integer<int>(part.labels[i])});
  }
  return samples;
}

void append_image(const ImageDataset& set, std::vector<std::byte>& pixels, IdxPart& part,
                  std::size_t place) {
  const std::size_t bytes =
      static_cast<std::size_t>(part.height) * static_cast<std::size_t>(part.width);
  std::byte* image = part.pixels.data() + place * bytes;
  if (part.height == set.height && part.width == set.width) {
    pixels.insert(pixels.end(), image, image + bytes);
    return;
  }
  const cv::Mat fitted = image::letterbox(cv::Mat(part.height, part.width, CV_8UC1, image),
                                          set.height, set.width, image::HorizontalPlace::centre);
  const auto* data = reinterpret_cast<const std::byte*>(fitted.data);
  pixels.insert(pixels.end(), data, data + fitted.total());
}

/// "0" to the highest label of the files, whether a limit leaves images of it or not. Throws
/// InputError where all training images are of one class.
std::vector<std::string> name_classes(const fs::path& labels, const std::vector<Sample>& samples,
                                      std::size_t train_count) {
  const int first = samples.front().label;
  const auto end = samples.begin() + static_cast<std::ptrdiff_t>(train_count);
  if (std::all_of(samples.begin(), end, [&](const Sample& one) { return one.label == first; })) {
    throw InputError(labels, "labels",
                     fmt::format("all are {}: with one class there is nothing to learn", first));
  }
  int highest = 0;
  for (const auto& sample : samples) highest = std::max(highest, sample.label);
  std::vector<std::string> classes;
  for (int i = 0; i <= highest; ++i) classes.push_back(std::to_string(i));
  return classes;
}

}  // namespace

bool is_idx_folder(const fs::path& folder) { return find_file(folder, train_images).has_value(); }

ImageDataset read_idx(const fs::path& folder, const IdxOptions& options) {
  const auto labels = require_file(folder, train_labels);
  const auto images = require_file(folder, train_images);
  auto train = read_part(images, labels);
  if (images.filename().native().find(".idx") != std::string::npos) {
    spdlog::info("{}: taken for {}", images.string(), train_images.name());
  }
  ImageDataset set;
  set.dataset = "idx";
  set.height = options.height > 0 ? options.height : train.height;
  set.width = options.width > 0 ? options.width : train.width;
  auto samples = samples_of(train, train_images.title);
  const std::size_t train_count = samples.size();
  std::optional<IdxPart> test;
  if (const auto test_file = find_file(folder, test_images)) {
    test = read_part(*test_file, require_file(folder, test_labels));
    if (test->height != train.height || test->width != train.width) {
      throw InputError(*test_file, "header",
                       fmt::format("its images are {} x {}, those for training {} x {}",
                                   test->height, test->width, train.height, train.width));
    }
    for (auto& sample : samples_of(*test, test_images.title)) samples.push_back(std::move(sample));
  }
  set.classes = name_classes(labels, samples, train_count);

  std::vector<bool> validation;
  if (test) {
    validation.resize(samples.size(), false);
    std::fill(validation.begin() + static_cast<std::ptrdiff_t>(train_count), validation.end(),
              true);
    set.given_split.emplace();
  }
  auto pixels = std::make_shared<std::vector<std::byte>>();
  for (const auto chosen : limit_classes(samples, validation, options.limit)) {
    const auto place = static_cast<std::size_t>(chosen);
    const bool validates = place >= train_count;
    append_image(set, *pixels, validates ? *test : train, validates ? place - train_count : place);
    if (test) {
      (validates ? set.given_split->validation : set.given_split->train).push_back(set.size());
    }
    set.samples.push_back(std::move(samples[place]));
  }
  std::string identity = fmt::format("idx {} {} {}\n", set.height, set.width, sha256_hex(*pixels));
  for (const auto& sample : set.samples)
    identity += fmt::format("{} {}\n", sample.id, sample.label);
  set.key = sha256_hex(identity);
  set.pixels = *pixels;
  set.storage = std::move(pixels);
  return set;
}

}  // namespace mpbench::data
