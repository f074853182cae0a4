#pragma once

#include <torch/nn/module.h>

namespace mpbench::nn {

/// Draws each convolution's weight from N(0, 2 / (out_channels * kernel height * kernel width)) and
/// sets its bias to 0, in the order of the submodules, as torchvision's models do at the end of
/// their construction. He et al., "Delving Deep into Rectifiers", arXiv:1502.01852, with the fan
/// out.
void initialize_convolutions(torch::nn::Module& model);

}  // namespace mpbench::nn
