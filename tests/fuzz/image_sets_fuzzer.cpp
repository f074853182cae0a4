// The files of an idx or CIFAR folder. The first byte says which it is; each file but the last has
// its length in front (four bytes, little-endian), as far as there are that many.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../src/data/formats/cifar.hpp"
#include "../../src/data/formats/idx.hpp"
#include "memory_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/logging.hpp"
#include "stated.hpp"

namespace {

using mpbench::fuzz::MemoryFolder;
using mpbench::fuzz::stated;
namespace data = mpbench::data;
using Bytes = std::span<const std::byte>;

/// Takes the next file off the input's front.
Bytes take_file(Bytes& input) {
  std::size_t length = input.size();
  if (input.size() >= 4) {
    std::uint32_t stated_length = 0;
    for (std::size_t i = 4; i > 0; --i) {
      stated_length = stated_length << 8 | std::to_integer<std::uint32_t>(input[i - 1]);
    }
    input = input.subspan(4);
    length = std::min<std::size_t>(stated_length, input.size());
  }
  const Bytes file = input.first(length);
  input = input.subspan(length);
  return file;
}

void check(const data::ImageDataset& set) {
  stated(set.size() > 0 && set.height > 0 && set.width > 0);
  stated(set.pixels.size() == static_cast<std::size_t>(set.size()) * set.image_bytes());
  for (const auto& sample : set.samples) {
    stated(sample.label >= 0 && static_cast<std::size_t>(sample.label) < set.classes.size());
    stated(!sample.id.empty());
  }
  if (!set.given_split) return;
  std::vector<int> named(set.samples.size(), 0);
  for (const auto* side : {&set.given_split->train, &set.given_split->validation}) {
    for (const auto i : *side) ++named.at(static_cast<std::size_t>(i));
  }
  stated(std::all_of(named.begin(), named.end(), [](int count) { return count == 1; }));
}

/// As the files are, and smaller.
template <class Options, class Read>
void read(Read&& read_with) {
  try {
    check(read_with(Options{}));
    const auto small = read_with(Options{.height = 6, .width = 4, .limit = 3});
    check(small);
    stated(small.height == 6 && small.width == 4);
  } catch (const mpbench::Error&) {
    return;  // the one way to refuse a folder
  }
}

void read_idx(Bytes input, bool with_test) {
  static MemoryFolder alone;
  static MemoryFolder both;
  MemoryFolder& folder = with_test ? both : alone;
  folder.write("train-images-idx3-ubyte", take_file(input));
  folder.write("train-labels-idx1-ubyte", take_file(input));
  if (with_test) {
    folder.write("t10k-images-idx3-ubyte", take_file(input));
    folder.write("t10k-labels-idx1-ubyte", take_file(input));
  }
  read<data::IdxOptions>(
      [&](const data::IdxOptions& options) { return data::read_idx(folder.path(), options); });
}

constexpr std::size_t cifar_image_bytes = 3072;

void read_cifar10(Bytes input) {
  static MemoryFolder folder;
  static const bool filled = [] {
    const std::vector<std::byte> record(1 + cifar_image_bytes);
    for (const char* name : {"data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                             "data_batch_5.bin", "test_batch.bin"}) {
      folder.write(name, record);
    }
    return true;
  }();
  static_cast<void>(filled);
  folder.write("batches.meta.txt", take_file(input));
  folder.write("data_batch_1.bin", take_file(input));
  read<data::CifarOptions>([&](const data::CifarOptions& options) {
    return data::read_cifar(folder.path(), data::Cifar::cifar10, options);
  });
}

void read_cifar100(Bytes input) {
  static MemoryFolder folder;
  folder.write("fine_label_names.txt", take_file(input));
  folder.write("train.bin", take_file(input));
  folder.write("test.bin", take_file(input));
  read<data::CifarOptions>([&](const data::CifarOptions& options) {
    return data::read_cifar(folder.path(), data::Cifar::cifar100, options);
  });
}

/// Warnings, one an input, would be most of the log.
[[maybe_unused]] const bool is_quiet = [] {
  mpbench::start_logging("error", true);
  return true;
}();

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto input = std::as_bytes(std::span(bytes, size)).subspan(1);
  switch (bytes[0]) {
    case '0':
      read_cifar10(input);
      break;
    case '1':
      read_cifar100(input);
      break;
    case '2':
      read_idx(input, /*with_test=*/true);
      break;
    default:
      read_idx(input, /*with_test=*/false);
  }
  return 0;
}
