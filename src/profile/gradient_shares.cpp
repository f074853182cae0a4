#include "gradient_shares.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace mpbench::profile {
namespace {

/// "[32,16,64,64] [32,8,64,64] [16,8,3,3]", as the backward pass has it, without the output's
/// gradient: what the forward pass has.
std::string without_first(const std::string& shapes) {
  const auto space = shapes.find(' ');
  return space == std::string::npos ? std::string() : shapes.substr(space + 1);
}

double data_share(double data_ms, double weight_ms) {
  return data_ms + weight_ms > 0 ? data_ms / (data_ms + weight_ms) : 0.5;
}

/// How many of its tensors a forward pass names: a bias is the third.
std::string first_two(const std::string& shapes) {
  const auto space = shapes.find(' ', shapes.find(' ') + 1);
  return space == std::string::npos ? shapes : shapes.substr(0, space);
}

OperatorRecord part_of(const OperatorRecord& whole, OperatorKind kind, double share) {
  OperatorRecord part = whole;
  part.kind = kind;
  part.ms *= share;
  // Both gradients multiply and move as much.
  if (part.gflop) *part.gflop /= 2;
  if (part.mbytes) *part.mbytes /= 2;
  return part;
}

}  // namespace

void share_gradients(std::vector<OperatorRecord>& operators,
                     const std::vector<ConvolutionRecord>& convolutions) {
  if (convolutions.empty()) return;
  std::map<std::pair<std::string, std::string>, double> shares;
  double data_ms = 0;
  double weight_ms = 0;
  for (const ConvolutionRecord& each : convolutions) {
    data_ms += each.calls * each.data_gradient_ms;
    weight_ms += each.calls * each.weight_gradient_ms;
    shares[{first_two(each.shapes), each.dtype}] =
        data_share(each.data_gradient_ms, each.weight_gradient_ms);
  }
  std::vector<OperatorRecord> all;
  for (const OperatorRecord& row : operators) {
    if (row.kind != OperatorKind::convolution_backward) {
      all.push_back(row);
      continue;
    }
    const auto own = shares.find({first_two(without_first(row.shapes)), row.dtype});
    const double share = own != shares.end() ? own->second : data_share(data_ms, weight_ms);
    all.push_back(part_of(row, OperatorKind::convolution_data_gradient, share));
    all.push_back(part_of(row, OperatorKind::convolution_weight_gradient, 1 - share));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.ms > b.ms; });
  operators = std::move(all);
}

}  // namespace mpbench::profile
