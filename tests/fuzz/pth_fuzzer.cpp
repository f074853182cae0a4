// A file of torch.save. An input that begins like none, neither as a zip archive nor as PyTorch
// wrote before 1.6, is taken for the pickle in an archive, beside eight storages of 64 bytes: an
// archive's checksums and lengths let few changes of the pickle pass.
#include <ATen/core/TensorBody.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../../src/nn/torch_file/pth_file.hpp"
#include "memory_folder.hpp"
#include "mpbench/core/error.hpp"
#include "stated.hpp"
#include "support/pth_bytes.hpp"

namespace {

using mpbench::fuzz::stated;
namespace nn = mpbench::nn;

constexpr std::string_view old_start = "\x80\x02\x8a\x0a";
constexpr std::size_t storages = 8;
constexpr std::size_t storage_bytes = 64;
constexpr std::int64_t most_elements = std::int64_t{1} << 20;

std::string archive_of(const std::string& pickled) {
  std::vector<nn::ZipEntry> entries{{"net/data.pkl", pickled}, {"net/byteorder", "little"}};
  for (std::size_t i = 0; i < storages; ++i) {
    entries.push_back({"net/data/" + std::to_string(i), std::string(storage_bytes, '\1')});
  }
  return nn::zip_archive(entries);
}

/// That every element lies in the storage, which the file's bytes fill.
void check(const at::Tensor& tensor, std::size_t file_bytes) {
  std::int64_t last = tensor.storage_offset();
  stated(tensor.device().is_cpu() && last >= 0);
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    stated(tensor.size(i) >= 0 && tensor.stride(i) >= 0);
    last += (tensor.size(i) - 1) * tensor.stride(i);
  }
  const std::size_t bytes = tensor.storage().nbytes();
  stated(bytes <= file_bytes);
  if (tensor.numel() == 0) return;
  const auto element = static_cast<std::int64_t>(tensor.element_size());
  stated((last + 1) * element <= static_cast<std::int64_t>(bytes));
  // Each byte of the storage is there to be read.
  const auto* values = static_cast<const volatile std::uint8_t*>(tensor.storage().data());
  unsigned sum = 0;
  for (std::size_t i = 0; i < bytes; ++i) sum += values[i];
  static_cast<void>(sum);
  if (tensor.numel() <= most_elements) stated(tensor.contiguous().numel() == tensor.numel());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static mpbench::fuzz::MemoryFolder folder;
  std::string file(reinterpret_cast<const char*>(bytes), size);
  if (!file.starts_with("PK") && !file.starts_with(old_start)) file = archive_of(file);
  try {
    const auto state = nn::read_pth_file(folder.write("net.pth", file));
    for (const auto& [name, tensor] : state.tensors) check(tensor, file.size());
  } catch (const mpbench::Error&) {
    return 0;  // the one way to refuse a file
  }
  return 0;
}
