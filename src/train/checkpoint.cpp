#include "mpbench/train/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include <cstring>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/json_text.hpp"
#include "mpbench/io/mapped_file.hpp"
#include "mpbench/io/safetensors.hpp"
#include "mpbench/io/sha256.hpp"
#include "mpbench/nn/safetensors_dtype.hpp"

namespace mpbench::train {
namespace {

namespace fs = std::filesystem;

constexpr int format_version = 1;
constexpr const char* state_key = "mpbench_state";
constexpr const char* digest_name = "digest/sha256";

std::span<const std::byte> bytes_of(const torch::Tensor& contiguous) {
  return {static_cast<const std::byte*>(contiguous.const_data_ptr()),
          static_cast<std::size_t>(contiguous.nbytes())};
}

/// What the digest is made over: the metadata, and of each tensor all that the file says of it.
class Digest {
 public:
  explicit Digest(const safetensors::Metadata& metadata) {
    for (const auto& [key, value] : metadata) {
      text_ += fmt::format("{} {}\n", sha256_hex(key), sha256_hex(value));
    }
  }
  void add(const safetensors::TensorInfo& info, std::span<const std::byte> bytes) {
    text_ += fmt::format("\n{} {} {} {}", info.name, info.dtype, fmt::join(info.shape, ","),
                         sha256_hex(bytes));
  }
  std::string hex() const { return sha256_hex(text_); }

 private:
  std::string text_;
};

/// Gives an existing file another name too, in place of what had that name.
void link_as(const fs::path& file, const fs::path& name) {
  const fs::path temporary = name.string() + ".link";
  fs::remove(temporary);
  std::error_code refused;
  fs::create_hard_link(file, temporary, refused);
  if (refused) {  // exFAT, some network file systems, or another file system than the file's
    AtomicFile copy(name);
    copy.write(MappedFile(file).bytes());
    copy.commit();
    return;
  }
  fs::rename(temporary, name);
  fs::remove(temporary);  // Renaming does nothing where both are names of one file.
}

/// Whether a file holds the whole state after such an epoch.
bool is_state_after(int epoch, const fs::path& file) {
  if (!fs::exists(file)) return false;
  try {
    const nlohmann::json state = read_checkpoint(file).state;
    return state.at("epochs_done") == epoch && state.at("epoch").at("steps") == 0;
  } catch (const InputError&) {
    return false;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace

void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint) {
  nlohmann::json state = checkpoint.state;
  state["format"] = format_version;
  const std::string text = state.dump();
  std::vector<safetensors::TensorInfo> infos;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    infos.push_back({.name = name,
                     .dtype = nn::safetensors_dtype(tensor.scalar_type()),
                     .shape = tensor.sizes().vec()});
  }
  const std::size_t count = infos.size();
  infos.push_back({.name = digest_name, .dtype = "U8", .shape = {64}});
  const safetensors::Metadata metadata{{"format", "pt"}, {state_key, text}};
  safetensors::Writer writer(path, infos, metadata);
  Digest digest(metadata);
  for (std::size_t i = 0; i < count; ++i) {
    const torch::Tensor values =
        checkpoint.tensors.at(infos[i].name).detach().to(torch::kCPU).contiguous();
    writer.write(infos[i].name, 0, bytes_of(values));
    digest.add(infos[i], bytes_of(values));
  }
  const std::string hex = digest.hex();
  writer.write(digest_name, 0, std::as_bytes(std::span(hex)));
  writer.commit();
}

Checkpoint read_checkpoint(const fs::path& path) {
  if (!fs::exists(path)) throw InputError(path, "file", "there is no such checkpoint");
  const safetensors::File file(path);
  const auto text = file.metadata().find(state_key);
  if (text == file.metadata().end()) {
    throw InputError(path, state_key, "is missing: not a checkpoint of this program");
  }
  Checkpoint checkpoint;
  checkpoint.state = parse_json(text->second);
  if (!checkpoint.state.is_object() || !checkpoint.state.contains("format")) {
    throw InputError(path, state_key, "cannot be read: the checkpoint is damaged");
  }
  if (checkpoint.state["format"] != format_version) {
    throw InputError(path, "format",
                     fmt::format("is {}, this program reads {}", checkpoint.state["format"].dump(),
                                 format_version));
  }
  std::map<std::string, const safetensors::TensorInfo*> by_name;
  for (const auto& info : file.tensors()) by_name[info.name] = &info;
  Digest digest(file.metadata());
  for (const auto& [name, info] : by_name) {
    if (name == digest_name) continue;
    const auto bytes = file.bytes(name);
    digest.add(*info, bytes);
    auto tensor = torch::empty(info->shape, nn::torch_dtype(info->dtype));
    if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
    checkpoint.tensors.emplace(name, std::move(tensor));
  }
  const std::string expected = digest.hex();
  const auto stored = file.bytes(digest_name);
  if (stored.size() != expected.size() ||
      std::memcmp(stored.data(), expected.data(), expected.size()) != 0) {
    throw InputError(path, digest_name, "differs from the content: the checkpoint is damaged");
  }
  return checkpoint;
}

bool CheckpointFolder::holds_any() const { return fs::exists(last()) || fs::exists(previous()); }

void CheckpointFolder::save(const Checkpoint& checkpoint) const {
  make_writable_folder(folder_);
  if (fs::exists(last())) link_as(last(), previous());
  write_checkpoint(last(), checkpoint);
}

void CheckpointFolder::mark_best() const {
  link_as(last(), best());
  fs::remove(best_of_complete_epochs());
}

void CheckpointFolder::mark_best_within_epoch() const {
  if (fs::exists(best())) link_as(best(), best_of_complete_epochs());
  link_as(last(), best());
}

bool CheckpointFolder::restore_best(int epoch, const fs::path& state) const {
  if (is_state_after(epoch, best())) return true;
  for (const fs::path& candidate : {best_of_complete_epochs(), last(), previous(), state,
                                    CheckpointFolder(containing_folder(state)).best()}) {
    if (!is_state_after(epoch, candidate)) continue;
    make_writable_folder(folder_);
    link_as(candidate, best());
    fs::remove(best_of_complete_epochs());
    return true;
  }
  return false;
}

std::optional<Checkpoint> CheckpointFolder::load_last() const {
  if (!holds_any()) return std::nullopt;
  try {
    return read_checkpoint(last());
  } catch (const InputError& error) {
    if (!fs::exists(previous())) throw;
    throw InputError(error.path(), error.field(),
                     fmt::format("{}; to go on from the state before it: --resume-from {}",
                                 error.problem(), previous().string()));
  }
}

}  // namespace mpbench::train
