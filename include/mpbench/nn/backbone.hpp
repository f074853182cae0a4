#pragma once

#include <vector>

#include "mpbench/nn/model.hpp"

/// Training the last layer of a network alone, on features that were learnt elsewhere.
///
/// Taking the gradients away from a backbone does not freeze it: in training mode its batch norms
/// still normalise by each batch, and still move their running statistics, so that the network that
/// is validated is not the one whose head was trained. They are to be kept in evaluation mode:
/// train_mode does.
namespace mpbench::nn {

/// The parameters of all but the head (ImageClassifier::head), in the model's order.
std::vector<torch::Tensor> backbone_parameters(const ImageClassifier& model);

/// Whether the backbone's parameters take gradients. Gradients that a backbone had when it is
/// frozen are dropped: an optimizer would go on applying them.
void set_backbone_trainable(ImageClassifier& model, bool trainable);

/// Puts the model into training mode. With `backbone_frozen`, the backbone's modules that keep
/// running statistics stay in evaluation mode; dropout and stochastic depth act as ever.
void train_mode(ImageClassifier& model, bool backbone_frozen);

}  // namespace mpbench::nn
