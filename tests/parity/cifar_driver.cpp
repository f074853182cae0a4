// Reads CIFAR: {"which", "path"} on stdin, {"classes", "ids", "labels", "train", "shape", "pixels"}
// on stdout. cifar_parity_test.py compares it with torchvision.
#include "../../src/data/formats/cifar.hpp"

#include <spdlog/spdlog.h>

#include "driver.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::cifar_driver {
namespace {

json read_images(const json& spec) {
  using data::Cifar;
  const auto which = spec.at("which") == "cifar10" ? Cifar::cifar10 : Cifar::cifar100;
  const auto set = data::read_cifar(spec.at("path").get<std::string>(), which, {});
  json answer{{"classes", set.classes},
              {"train", set.given_split->train.size()},
              {"shape", {set.size(), set.channels, set.height, set.width}}};
  for (const auto& sample : set.samples) {
    answer["ids"].push_back(sample.id);
    answer["labels"].push_back(sample.label);
  }
  for (const auto value : set.pixels) answer["pixels"].push_back(std::to_integer<int>(value));
  return answer;
}

}  // namespace

const Driver driver("cifar", read_images);

}  // namespace mpbench::parity::cifar_driver
