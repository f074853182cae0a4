#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mpbench::cli {

/// "; did you mean 'train'?" for the known word that is nearest to a misspelt one; empty where none
/// is near: at most one edit for three letters (Damerau-Levenshtein distance).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace mpbench::cli
