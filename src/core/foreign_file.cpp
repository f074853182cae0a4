#include "mpbench/core/foreign_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace mpbench {
namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view start;
  std::string_view problem;
};

constexpr std::array binary_kinds{
    Kind{"\x1f\x8b"sv, "it is compressed by gzip: unpack it first (gunzip, tar -xzf)"},
    Kind{"BZh"sv, "it is compressed by bzip2: unpack it first (bunzip2)"},
    Kind{"\xfd"
         "7zXZ"sv,
         "it is compressed by xz: unpack it first (unxz)"},
    Kind{"\x28\xb5\x2f\xfd"sv, "it is compressed by Zstandard: unpack it first (unzstd)"},
    Kind{"7z\xbc\xaf"sv, "it is a 7z archive: unpack it first"},
    Kind{"Rar!"sv, "it is a RAR archive: unpack it first"},
    Kind{"\x89HDF"sv, "it is HDF5, as Keras writes weights; only PyTorch's can be read"},
    Kind{"\x93NUMPY"sv, "it is a NumPy array, not a state_dict of torch.save"},
    Kind{"GGUF"sv, "it is GGUF, a format of language models; only PyTorch's weights can be read"},
    Kind{"%PDF"sv, "it is a PDF document"}};

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

constexpr std::size_t tar_magic = 257;

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// The first characters after a byte-order mark and white space; nothing where they are no text.
std::string start_of_text(std::string_view bytes) {
  constexpr std::size_t looked_at = 512;
  std::string_view start = bytes.substr(0, looked_at);
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  const bool has_controls = std::any_of(start.begin(), start.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n';
  });
  return has_controls ? std::string() : lower_case(start);
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
  for (const Kind& kind : binary_kinds) {
    if (start.starts_with(kind.start)) return std::string(kind.problem);
  }
  if (start.size() > tar_magic && start.substr(tar_magic).starts_with("ustar")) {
    return "it is a tar archive: unpack it first (tar -xf)";
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
