#include "run.hpp"

#include <string_view>

#include "mpbench/device/device.hpp"
#include "mpbench/device/device_options.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

// Only where it may be computed with: the others would pay for it in time and memory. The first
// thing, as ATen asks only once whether its CUDA side is there.
void load_cuda_for(std::string_view device) {
  if (device::parse_device_choice(device).kind != device::DeviceChoice::Kind::cpu) {
    device::load_cuda();
  }
}

struct Run {
  const SharedOptions& shared;

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
    load_cuda_for(options.config.device);
    return run_train(options, shared);
  }
  ExitCode operator()(const CompareOptions& options) const { return run_compare(options, shared); }
  ExitCode operator()(const ExplainOptions& options) const {
    load_cuda_for(options.config.device);
    return run_explain(options, shared);
  }
  ExitCode operator()(const ReportOptions& options) const { return run_report(options); }
  ExitCode operator()(const PredictionOptions& options) const {
    load_cuda_for(options.device);
    return run_predict(options, shared);
  }
};

}  // namespace

ExitCode run(const Request& request) { return std::visit(Run{request.shared}, request.command); }

}  // namespace mpbench::commands
