#include "pth_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "mpbench/core/error.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/foreign_file.hpp"
#include "old_pth_file.hpp"
#include "pth_tensors.hpp"
#include "unpickler.hpp"
#include "zip_records.hpp"

namespace mpbench::nn {
namespace {

constexpr std::string_view zip_start = "PK\x03\x04";
constexpr std::string_view pickle_start = "\x80";

bool begins_with(std::span<const std::byte> bytes, std::string_view start) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(start);
}

/// What a file is that torch.save did not write.
[[noreturn]] void refuse_other(std::span<const std::byte> bytes,
                               const std::filesystem::path& path) {
  if (const auto foreign = describe_foreign_file(bytes)) throw InputError(path, "file", *foreign);
  if (begins_with(bytes, pickle_start)) {
    throw InputError(path, "file",
                     "it is a pickle, but not in torch.save's format; in Python, load it as it was "
                     "saved and write the weights with torch.save(state_dict, path)");
  }
  throw InputError(path, "file", "not written by torch.save, and not a safetensors file");
}

/// The archive of one file, and the tensors in it.
class PthArchive {
 public:
  PthArchive(const std::filesystem::path& path, std::shared_ptr<const FileBytes> file)
      : path_(path),
        file_(std::move(file)),
        records_(file_->bytes(), path),
        folder_(find_folder()) {}

  StateDict read() {
    const std::string record = folder_ + "data.pkl";
    const Pickle pickle(records_.bytes(record), path_, "data.pkl");
    const auto storage = [&](std::string_view key) {
      return records_.bytes(fmt::format("{}data/{}", folder_, key));
    };
    return make_state_dict(pickle.root(), {path_, file_, storage});
  }

 private:
  [[noreturn]] void fail(std::string_view field, const std::string& problem) const {
    throw InputError(path_, std::string(field), problem);
  }

  /// All records are in one folder: "resnet18/".
  std::string find_folder() const {
    std::string folder;
    for (const auto& [name, record] : records_.all()) {
      const std::size_t slash = name.find('/');
      if (name.substr(std::min(slash, name.size())) != "/data.pkl") continue;
      if (!folder.empty()) fail("data.pkl", "two records have this name");
      folder = name.substr(0, slash + 1);
    }
    if (folder.empty()) {
      fail("data.pkl",
           "the archive has no such record: it is a zip archive, but not written by torch.save; "
           "if it holds a file of weights, unpack it first");
    }
    if (records_.contains(folder + "constants.pkl")) {
      fail("constants.pkl",
           "it is a TorchScript archive, a program; save the weights alone: "
           "torch.save(module.state_dict(), path)");
    }
    const std::string byteorder = folder + "byteorder";
    if (records_.contains(byteorder)) {
      const auto bytes = records_.bytes(byteorder);
      const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (order != "little") {
        fail("byteorder",
             fmt::format("it is '{}'; only little-endian files can be read", order.substr(0, 20)));
      }
    }
    return folder;
  }

  std::filesystem::path path_;
  std::shared_ptr<const FileBytes> file_;
  ZipRecords records_;
  std::string folder_;
};

}  // namespace

StateDict read_pth_file(const std::filesystem::path& path) {
  auto file = std::make_shared<const FileBytes>(path);
  if (begins_with(file->bytes(), zip_start)) return PthArchive(path, std::move(file)).read();
  if (begins_like_old_pth(file->bytes())) return read_old_pth(path, std::move(file));
  refuse_other(file->bytes(), path);
}

bool begins_like_zip(const std::filesystem::path& path) {
  std::string start(zip_start.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return file && start == zip_start;
}

}  // namespace mpbench::nn
