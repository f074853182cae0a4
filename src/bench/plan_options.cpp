#include "mpbench/bench/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

/// More than a machine does in a year: a slip in a list, not a plan.
constexpr std::size_t max_runs = 10000;

template <class Value>
void check_axis(const char* name, const std::vector<Value>& values) {
  if (values.empty()) throw UsageError(fmt::format("{}: the list is empty", name));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
        values.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw UsageError(fmt::format("{}: {} is listed twice", name, static_cast<Value>(values[i])));
    }
  }
}

/// Names become part of file names.
void check_names(const char* name, const std::vector<std::string>& values) {
  check_axis(name, values);
  for (const std::string& value : values) {
    if (!is_file_name(value)) throw UsageError(fmt::format("{}: '{}' is no name", name, value));
  }
}

void check_smallest(const char* name, const std::vector<int>& values, int smallest) {
  check_axis(name, values);
  for (const int value : values) {
    if (value < smallest) {
      throw UsageError(fmt::format("{}: it is at least {}, not {}", name, smallest, value));
    }
  }
}

std::vector<RunSpec> configurations(const Axes& axes) {
  std::vector<RunSpec> specs;
  for (const std::string& model : axes.model) {
    for (const int batch_size : axes.batch_size) {
      for (const int image_size : axes.image_size) {
        for (const bool channels_last : axes.channels_last) {
          for (const std::uint64_t seed : axes.seed) {
            specs.push_back({.precision = {},
                             .model = model,
                             .batch_size = batch_size,
                             .image_size = image_size,
                             .channels_last = channels_last,
                             .seed = seed,
                             .repeat = 1,
                             .run_id = {}});
          }
        }
      }
    }
  }
  return specs;
}

}  // namespace

bool is_file_name(const std::string& name) {
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789._-") == std::string::npos;
}

std::string make_run_id(const RunSpec& spec) {
  const std::string size = spec.image_size == 0 ? "native" : std::to_string(spec.image_size);
  return fmt::format("{}-b{}-i{}-{}s{}-{}-r{}", spec.model, spec.batch_size, size,
                     spec.channels_last ? "cl-" : "", spec.seed, spec.precision, spec.repeat);
}

std::vector<RunSpec> make_plan(const Axes& axes) {
  check_names("--precision", axes.precision);
  check_names("--model", axes.model);
  check_smallest("--batch-size", axes.batch_size, 1);
  check_smallest("--image-size", axes.image_size, 0);
  check_axis("--channels-last", axes.channels_last);
  check_axis("--seed", axes.seed);
  if (axes.repeats < 1) {
    throw UsageError(fmt::format("--repeats: at least 1, not {}", axes.repeats));
  }
  std::size_t runs = 1;
  for (const std::size_t factor :
       {axes.precision.size(), axes.model.size(), axes.batch_size.size(), axes.image_size.size(),
        axes.channels_last.size(), axes.seed.size(), static_cast<std::size_t>(axes.repeats)}) {
    if (factor > max_runs / runs) {
      throw UsageError(fmt::format("the lists make more than {} runs", max_runs));
    }
    runs *= factor;
  }

  const std::vector<RunSpec> specs = configurations(axes);
  std::vector<RunSpec> plan;
  for (int repeat = 1; repeat <= axes.repeats; ++repeat) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      for (std::size_t arm = 0; arm < axes.precision.size(); ++arm) {
        const std::size_t first = static_cast<std::size_t>(repeat - 1) + i;
        RunSpec spec = specs[i];
        spec.precision = axes.precision[(first + arm) % axes.precision.size()];
        spec.repeat = repeat;
        spec.run_id = make_run_id(spec);
        plan.push_back(std::move(spec));
      }
    }
  }
  return plan;
}

}  // namespace mpbench::bench
