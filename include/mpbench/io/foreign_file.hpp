#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace mpbench {

/// What lies in a file in place of tensors, with what to do about it, by the file's first bytes:
/// nothing at all, a Git LFS pointer, a web page, JSON, an archive, another program's weights.
/// Nothing where they are none of these.
std::optional<std::string> describe_foreign_file(std::span<const std::byte> bytes);

}  // namespace mpbench
