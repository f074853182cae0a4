#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "mpbench/profile/operator_kind.hpp"

namespace mpbench::profile {

/// One row of operators.csv: what one operator took on inputs of one shape and dtype, on average
/// over the profiled steps. The rows' `ms` add up to `profiled_step_ms`.
struct OperatorRecord {
  OperatorKind kind = OperatorKind::other;
  std::string name{};    ///< "aten::convolution"; empty for `host` and `data_wait`
  std::string shapes{};  ///< of the tensors it takes: "[32,1,64,64] [16,1,3,3]"
  std::string dtype{};   ///< of the first of them, in which it computes: "float32", "bfloat16"
  double calls = 0;      ///< a step
  double ms = 0;         ///< a step, of the operator and of what it calls that has no row
  std::optional<double> gflop{};   ///< a step; convolutions and matrix products only
  std::optional<double> mbytes{};  ///< a step, read and written; where the shapes are known
  std::int64_t profiled_steps = 0;
  double profiled_step_ms = 0;  ///< a step while the profiler looks on
};

template <class Record, class Visitor>
requires std::same_as<std::remove_const_t<Record>, OperatorRecord>
void visit_columns(Record& r, Visitor&& visit) {
  visit("kind", r.kind);
  visit("name", r.name);
  visit("shapes", r.shapes);
  visit("dtype", r.dtype);
  visit("calls", r.calls);
  visit("ms", r.ms);
  visit("gflop", r.gflop);
  visit("mbytes", r.mbytes);
  visit("profiled_steps", r.profiled_steps);
  visit("profiled_step_ms", r.profiled_step_ms);
}

/// One row of convolutions.csv: what one of the convolutions that take longest takes by itself,
/// measured after the steps: medians of a few calls, in milliseconds.
struct ConvolutionRecord {
  std::string shapes{};  ///< as in operators.csv
  std::string dtype{};
  double calls = 0;  ///< a step
  double forward_ms = 0;
  double data_gradient_ms = 0;
  double weight_gradient_ms = 0;
  double float32_ms = 0;       ///< all three in float32
  double other_format_ms = 0;  ///< all three in NCHW where it ran in channels_last, and vice versa
  /// Channels, in and out: "20 to 27", and those of the next multiples of 8 or 16; empty where they
  /// are such multiples already.
  std::string channels{};
  std::string padded_channels{};
  std::optional<double> padded_ms{};    ///< all three with the padded channels
  std::optional<double> padded_work{};  ///< multiplications with those over those without; above 1
};

template <class Record, class Visitor>
requires std::same_as<std::remove_const_t<Record>, ConvolutionRecord>
void visit_columns(Record& r, Visitor&& visit) {
  visit("shapes", r.shapes);
  visit("dtype", r.dtype);
  visit("calls", r.calls);
  visit("forward_ms", r.forward_ms);
  visit("data_gradient_ms", r.data_gradient_ms);
  visit("weight_gradient_ms", r.weight_gradient_ms);
  visit("float32_ms", r.float32_ms);
  visit("other_format_ms", r.other_format_ms);
  visit("channels", r.channels);
  visit("padded_channels", r.padded_channels);
  visit("padded_ms", r.padded_ms);
  visit("padded_work", r.padded_work);
}

}  // namespace mpbench::profile
