#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::stats {

/// How the scores of a unit's images become one.
enum class CaseAggregation { mean, max };

/// What the network says of one image of a two-class set. The texts are the caller's.
struct ImageScore {
  std::string_view case_id;  ///< the breast; empty: the image is a case of its own
  std::string_view group;    ///< the patient
  int label = 0;
  double score = 0;               ///< probability of the positive class
  std::optional<double> logit{};  ///< its log-odds; those of `score` where it is not known
};

/// One breast, or an image that has no unit.
struct CaseScore {
  std::size_t first = 0;   ///< the place of its first image
  std::size_t images = 1;  ///< how many it has
  int label = 0;           ///< the largest of its images' labels
  double score = 0;        ///< NaN if any of theirs is
  /// The log-odds of `score`, which rank units whose scores round to the same number.
  double logit = 0;
};

/// One element a unit, in the order of their first images: RSNA asks for a probability a breast, of
/// which there are two or more views. Throws Error for a unit that is in two groups: the same name
/// for two patients' breasts would mix them.
std::vector<CaseScore> aggregate_cases(std::span<const ImageScore> images,
                                       CaseAggregation scoring = CaseAggregation::mean);

}  // namespace mpbench::stats

template <>
inline constexpr auto mpbench::enum_names<mpbench::stats::CaseAggregation> =
    std::to_array<mpbench::EnumName<mpbench::stats::CaseAggregation>>(
        {{mpbench::stats::CaseAggregation::mean, "mean"},
         {mpbench::stats::CaseAggregation::max, "max"}});
