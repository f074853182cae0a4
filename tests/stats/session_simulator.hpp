#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "mpbench/core/random.hpp"
#include "mpbench/stats/session_statistics.hpp"
#include "mpbench/stats/speed_verdict.hpp"

/// A machine with noise, and a comparison of speeds on it, as docs/method.md describes one.
namespace mpbench::stats::simulation {

inline constexpr double block_s = 2;  ///< a process trains for so long before the next one does
inline constexpr int blocks_a_run = 30;
inline constexpr int blocks_to_start = 8;  ///< starting the processes, warm-up, a dropped round
inline constexpr int sessions_a_look = 6;
inline constexpr int looks = 3;
inline constexpr int first_rounds = 8;
inline constexpr double alpha = 0.05;
inline constexpr double equivalence = 0.02;
inline constexpr double precision_target = 0.01;

struct Noise {
  std::string name;
  double run_sd = 0;      ///< of the mean log time over a run of 60 s, without bursts and processes
  double process_sd = 0;  ///< of the offset that a process keeps as long as it runs
  bool drifts = false;    ///< else the noise of each block is independent
  bool bursts = false;    ///< 1 % of the blocks start a burst of 3 on average, 1.5 times as slow
  double arm_sensitivity = 1;  ///< the share of the machine's noise that reaches the arm
  int pause_blocks = 0;        ///< between two sessions
};

/// Standard normal numbers, the same on every platform: Marsaglia's polar method.
class NormalNumbers {
 public:
  explicit NormalNumbers(std::uint64_t seed) : random_(seed) {}

  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  double operator()() {
    if (std::exchange(has_spare_, false)) return spare_;
    double x = 0;
    double y = 0;
    double square = 0;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    const double scale = std::sqrt(-2 * std::log(square) / square);
    spare_ = y * scale;
    has_spare_ = true;
    return x * scale;
  }

  SplitMix64& bits() { return random_; }

 private:
  SplitMix64 random_;
  double spare_ = 0;
  bool has_spare_ = false;
};

/// An autoregression of first order over blocks, given by the time after which its correlation is
/// 1/e, so scaled that the mean of a run has the standard deviation `run_sd`.
class Drift {
 public:
  Drift(double time_s, double run_sd, NormalNumbers& normal)
      : correlation_(std::exp(-block_s / time_s)) {
    double variance_of_mean = blocks_a_run;
    for (int lag = 1; lag < blocks_a_run; ++lag) {
      variance_of_mean += 2 * (blocks_a_run - lag) * std::pow(correlation_, lag);
    }
    sd_ = run_sd * blocks_a_run / std::sqrt(variance_of_mean);
    step_sd_ = sd_ * std::sqrt(1 - correlation_ * correlation_);
    value_ = sd_ * normal();
  }

  double next(NormalNumbers& normal) {
    value_ = correlation_ * value_ + step_sd_ * normal();
    return value_;
  }

  void pass(int blocks, NormalNumbers& normal) {
    const double kept = std::pow(correlation_, blocks);
    value_ = kept * value_ + sd_ * std::sqrt(1 - kept * kept) * normal();
  }

 private:
  double correlation_;
  double sd_ = 0;       ///< of a block
  double step_sd_ = 0;  ///< of what is new in a block
  double value_ = 0;
};

class Machine {
 public:
  Machine(const Noise& noise, NormalNumbers& normal)
      : noise_(noise),
        normal_(normal),
        white_sd_(noise.run_sd * std::sqrt(noise.drifts ? 1 : blocks_a_run)),
        slow_(300, noise.run_sd * drift_share(), normal),
        fast_(20, noise.run_sd * drift_share(), normal) {}

  /// The logarithm of what the next block takes beyond what it would on a quiet machine.
  double next_block() {
    double value = white_sd_ * normal_();
    if (noise_.drifts) value += slow_.next(normal_) + fast_.next(normal_);
    if (noise_.bursts) {
      if (burst_blocks_ == 0 && normal_.uniform() < 0.01) {
        do ++burst_blocks_;
        while (normal_.uniform() >= 1.0 / 3);
      }
      if (burst_blocks_ > 0) {
        --burst_blocks_;
        value += std::log(1.5);
      }
    }
    return value;
  }

  void pass(int blocks) {
    if (noise_.drifts) {
      slow_.pass(blocks, normal_);
      fast_.pass(blocks, normal_);
    }
    burst_blocks_ = std::max(0, burst_blocks_ - blocks);
  }

 private:
  /// Where the machine drifts, white noise has in each block the spread of a run's mean, and the
  /// two drifts share equally in what that leaves of the variance of the mean.
  static double drift_share() { return std::sqrt((1 - 1.0 / blocks_a_run) / 2); }

  const Noise& noise_;
  NormalNumbers& normal_;
  double white_sd_;
  Drift slow_;
  Drift fast_;
  int burst_blocks_ = 0;
};

struct RoundContrasts {
  std::vector<double> arm;
  std::vector<double> null;
};

/// New processes of the baseline, its copy and the arm, which take turns in mirrored random order.
inline RoundContrasts run_session(Machine& machine, const Noise& noise, NormalNumbers& normal,
                                  double log_speed_up, int rounds) {
  constexpr std::size_t baseline = 0, copy = 1, arm = 2;
  machine.pass(noise.pause_blocks + blocks_to_start);
  std::array<double, 3> offset{};
  for (double& value : offset) value = noise.process_sd * normal();
  offset[arm] -= log_speed_up;
  RoundContrasts contrasts;
  std::vector<std::size_t> order{baseline, copy, arm};
  for (int round = 0; round < rounds; ++round) {
    shuffle(order, normal.bits());
    std::array<double, 3> time{};
    const auto run_block = [&](std::size_t process) {
      const double felt = process == arm ? noise.arm_sensitivity : 1;
      time[process] += std::exp(offset[process] + felt * machine.next_block()) / 2;
    };
    for (std::size_t i = 0; i < order.size(); ++i) run_block(order[i]);
    for (std::size_t i = order.size(); i-- > 0;) run_block(order[i]);
    const double first = std::log(time[baseline]);
    const double second = std::log(time[copy]);
    contrasts.arm.push_back((first + second) / 2 - std::log(time[arm]));
    contrasts.null.push_back(first - second);
  }
  return contrasts;
}

}  // namespace mpbench::stats::simulation
