#include "run.hpp"

#include "mpbench/device/device.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

struct Run {
  const SharedOptions& shared;

  // Those that compute load CUDA, which takes seconds where its libraries were not read lately.
  ExitCode operator()(const InfoOptions& options) const {
    device::load_cuda();
    return run_info(options);
  }
  ExitCode operator()(const SynthOptions& options) const { return run_synth(options, shared); }
  ExitCode operator()(const DecodeOptions& options) const { return run_decode(options); }
  ExitCode operator()(const PreprocessOptions& options) const {
    return run_preprocess(options, shared);
  }
  ExitCode operator()(const TrainOptions& options) const {
    device::load_cuda();
    return run_train(options, shared);
  }
  ExitCode operator()(const CompareOptions& options) const {
    device::load_cuda();
    return run_compare(options, shared);
  }
  ExitCode operator()(const PredictionOptions& options) const {
    device::load_cuda();
    return run_predict(options, shared);
  }
};

}  // namespace

ExitCode run(const Request& request) { return std::visit(Run{request.shared}, request.command); }

}  // namespace mpbench::commands
