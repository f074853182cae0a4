#pragma once

#include <string>

namespace mpbench::data {

/// What is known about one image besides its pixels.
struct Sample {
  std::string id;     ///< the image: image_id (rsna), or its place in the set as text
  std::string group;  ///< the patient: never in two splits; equal to `id` where there is no patient
  std::string
      case_id;    ///< what a prediction is made for: the breast "10006_L" (rsna); elsewhere `id`
  int label = 0;  ///< index into ImageDataset::classes
};

}  // namespace mpbench::data
