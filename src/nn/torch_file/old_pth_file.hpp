#pragma once

#include <filesystem>
#include <memory>

#include "mpbench/io/file_bytes.hpp"
#include "mpbench/nn/state_dict.hpp"

namespace mpbench::nn {

/// Whether bytes begin as torch.save's format before PyTorch 1.6 does.
bool begins_like_old_pth(std::span<const std::byte> bytes);

/// Reads a file of torch.save before PyTorch 1.6, and since then with
/// _use_new_zipfile_serialization=False: five pickles (a magic number, the format's version, the
/// machine's byte order, the objects, the storages' keys), and of each storage its number of
/// elements and its bytes. The same is allowed in it, and thrown, as by read_pth_file.
StateDict read_old_pth(const std::filesystem::path& path, std::shared_ptr<const FileBytes> file);

}  // namespace mpbench::nn
