// A safetensors file, read as each of the three that the program takes: weights, a checkpoint of a
// run, a cache of images.
#include <ATen/core/TensorBody.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "../../src/data/cache/cache.hpp"
#include "attempt.hpp"
#include "memory_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/json_text.hpp"
#include "mpbench/io/safetensors.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "mpbench/predict/loaded_model.hpp"
#include "mpbench/train/checkpoint.hpp"
#include "stated.hpp"

namespace {

using mpbench::fuzz::attempt;
using mpbench::fuzz::stated;
namespace data = mpbench::data;
namespace fs = std::filesystem;
namespace nn = mpbench::nn;
namespace st = mpbench::safetensors;
namespace train = mpbench::train;

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// What is written of a file says the same.
void write_again(const st::File& file, const fs::path& path) {
  st::Writer writer(path, file.tensors(), file.metadata());
  for (const auto& info : file.tensors()) writer.write(info.name, 0, file.bytes(info.name));
  writer.commit();
  const st::File again(path);
  stated(again.metadata() == file.metadata());
  stated(again.tensors().size() == file.tensors().size());
  for (const auto& info : file.tensors()) {
    const auto& other = again.info(info.name);
    stated(other.dtype == info.dtype && other.shape == info.shape);
    stated(same_bytes(file.bytes(info.name), again.bytes(info.name)));
  }
}

void read_file(const fs::path& path, std::size_t size) {
  const st::File file(path);
  std::size_t end = 0;
  for (const auto& info : file.tensors()) {
    stated(info.begin == end && info.end >= info.begin);
    stated(st::tensor_bytes(info.dtype, info.shape) == info.end - info.begin);
    stated(file.bytes(info.name).size() == info.end - info.begin);
    end = info.end;
  }
  stated(end < size);
  write_again(file, path.parent_path() / "again.safetensors");
}

std::span<const std::byte> bytes_of(const at::Tensor& contiguous) {
  stated(contiguous.is_contiguous());
  return {static_cast<const std::byte*>(contiguous.const_data_ptr()), contiguous.nbytes()};
}

void read_weights(const fs::path& path) {
  const auto state = nn::read_state_dict(path);
  for (const auto& [name, tensor] : state.tensors) {
    // Each byte is there to be read.
    stated(same_bytes(bytes_of(tensor), bytes_of(tensor.clone())));
  }
}

void read_checkpoint(const fs::path& path) {
  const auto checkpoint = train::read_checkpoint(path);
  const auto written = path.parent_path() / "again.safetensors";
  train::write_checkpoint(written, checkpoint);
  const auto again = train::read_checkpoint(written);
  stated(again.state == checkpoint.state && again.tensors.size() == checkpoint.tensors.size());
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const auto& other = again.tensors.at(name);
    stated(other.sizes() == tensor.sizes() && other.scalar_type() == tensor.scalar_type());
    stated(same_bytes(bytes_of(tensor), bytes_of(other)));
  }
}

/// The network in a checkpoint whose digest is passed over: few changes would leave it right.
void read_network(const fs::path& path) {
  const st::File file(path);
  const auto text = file.metadata().find("mpbench_state");
  if (text == file.metadata().end()) return;
  const train::Checkpoint checkpoint{.tensors = nn::read_state_dict(path).tensors,
                                     .state = mpbench::parse_json(text->second)};
  const auto network = mpbench::predict::load_model(checkpoint, path);
  stated(network.model != nullptr && network.height > 0 && network.width > 0);
  stated(network.class_count() == static_cast<int>(network.classes.size()));
}

void read_cache(const fs::path& path) {
  const auto info = data::read_cache_info(path);
  stated(info.version == data::cache_version && info.left_out >= 0);
  const auto set = data::open_cache(path);
  stated(set.size() > 0 && set.height > 0 && set.width > 0 && set.channels > 0);
  stated(set.pixels.size() == static_cast<std::size_t>(set.size()) * set.image_bytes());
  for (const auto& sample : set.samples) {
    stated(sample.label >= 0 && static_cast<std::size_t>(sample.label) < set.classes.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static mpbench::fuzz::MemoryFolder folder;
  const auto path = folder.write("input.safetensors", std::as_bytes(std::span(bytes, size)));
  attempt([&] { read_file(path, size); });
  attempt([&] { read_weights(path); });
  attempt([&] { read_checkpoint(path); });
  attempt([&] { read_network(path); });
  attempt([&] { read_cache(path); });
  attempt([&] { data::read_preparations(path); });
  return 0;
}
