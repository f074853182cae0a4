#include "mpbench/io/foreign_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "mpbench/core/utf8_text.hpp"
#include "mpbench/io/file_type.hpp"

namespace mpbench {
namespace {

using namespace std::string_view_literals;

/// What there is to say of a binary file where its type tells that it holds no tensors.
std::optional<std::string_view> problem_of(FileType type) {
  switch (type) {
    case FileType::gzip:
      return "it is compressed by gzip: unpack it first (gunzip, tar -xzf)";
    case FileType::bzip2:
      return "it is compressed by bzip2: unpack it first (bunzip2)";
    case FileType::xz:
      return "it is compressed by xz: unpack it first (unxz)";
    case FileType::zstandard:
      return "it is compressed by Zstandard: unpack it first (unzstd)";
    case FileType::seven_zip:
      return "it is a 7z archive: unpack it first";
    case FileType::rar:
      return "it is a RAR archive: unpack it first";
    case FileType::hdf5:
      return "it is HDF5, as Keras writes weights; only PyTorch's can be read";
    case FileType::numpy:
      return "it is a NumPy array, not a state_dict of torch.save";
    case FileType::pdf:
      return "it is a PDF document";
    default:
      return {};
  }
}

struct Kind {
  std::string_view start;
  std::string_view problem;
};

// Lower case: texts are compared so.
constexpr std::array text_kinds{
    Kind{"version https://git-lfs"sv,
         "it is a Git LFS pointer, a few lines that stand for the file: fetch the file itself with "
         "'git lfs pull' in its repository, or download it from its web page"},
    Kind{"version https://hawser"sv,
         "it is a Git LFS pointer, a few lines that stand for the file: fetch the file itself with "
         "'git lfs pull' in its repository"},
    Kind{"<"sv,
         "it is a web page (HTML or XML) that was saved in place of the file: download it again, "
         "by the address of the file itself"},
    Kind{"{"sv,
         "it is JSON, such as a configuration or the index of a model in several parts, and has no "
         "tensors"}};

/// The first characters after a byte-order mark and white space; nothing where they are no text.
std::string start_of_text(std::string_view bytes) {
  constexpr std::size_t looked_at = 512;
  std::string_view start = bytes.substr(0, looked_at);
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  const bool has_controls = std::any_of(start.begin(), start.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n';
  });
  return has_controls ? std::string() : ascii_lower(start);
}

/// A length of less than 4 GiB and the header's brace: its first bytes may be those of any kind.
bool begins_like_safetensors(std::string_view start) {
  return start.size() > 8 && start[8] == '{' && start.substr(4, 4) == "\0\0\0\0"sv;
}

}  // namespace

std::optional<std::string> describe_foreign_file(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "it is empty: a download or a copy may have failed";
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (begins_like_safetensors(start)) return {};
  if (start.starts_with("GGUF")) {
    return "it is GGUF, a format of language models; only PyTorch's weights can be read";
  }
  const FileType type = file_type(bytes);
  if (const auto problem = problem_of(type)) return std::string(*problem);
  if (type == FileType::tar) {
    // The names that torch.save gave before version 0.2.
    constexpr std::array first_names{"sys_info"sv, "pickle"sv, "storages"sv, "tensors"sv};
    const bool is_torchs =
        std::any_of(first_names.begin(), first_names.end(),
                    [&](std::string_view name) { return start.starts_with(name); });
    if (!is_torchs) return "it is a tar archive: unpack it first (tar -xf)";
    return "it is in torch.save's oldest format, a tar archive; of a file you trust, in Python, "
           "torch.save(torch.load(path, weights_only=False), path) writes it anew";
  }
  const std::string text = start_of_text(start);
  for (const Kind& kind : text_kinds) {
    if (text.starts_with(kind.start)) return std::string(kind.problem);
  }
  constexpr std::size_t shortest_text = 16;
  const bool is_ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0 && c < 0x7f; });
  if (text.size() >= shortest_text && is_ascii) {
    return "it is text, such as a message that was saved in place of the file: look at it, and "
           "download it again";
  }
  constexpr std::size_t zeros = 512;
  if (start.size() >= zeros && start.substr(0, zeros).find_first_not_of('\0') == start.npos) {
    return "it begins with zeros alone: a download or a copy may have failed";
  }
  return {};
}

}  // namespace mpbench
