#pragma once

#include <array>
#include <string>

namespace mpbench::data {

/// What the dataset's table says of an image and its patient, as text: RSNA's site_id, view,
/// machine_id, density and age. Empty where it does not say.
struct SampleAttributes {
  std::string site{};
  std::string view{};     ///< "CC", "MLO", ...
  std::string machine{};  ///< the mammography unit
  std::string density{};  ///< of the breast: "A" to "D"
  std::string age{};      ///< in years
};

/// One of them, by the name that it has in files.
struct AttributeField {
  const char* name;
  std::string SampleAttributes::*value;
};

inline constexpr std::array<AttributeField, 5> attribute_fields{{
    {"site", &SampleAttributes::site},
    {"view", &SampleAttributes::view},
    {"machine", &SampleAttributes::machine},
    {"density", &SampleAttributes::density},
    {"age", &SampleAttributes::age},
}};

/// What is known about one image besides its pixels.
struct Sample {
  std::string id;     ///< the image: image_id (rsna), or its place in the set as text
  std::string group;  ///< the patient: never in two splits; equal to `id` where there is no patient
  std::string
      case_id;    ///< what a prediction is made for: the breast "10006_L" (rsna); elsewhere `id`
  int label = 0;  ///< index into ImageDataset::classes
  SampleAttributes attributes{};
};

}  // namespace mpbench::data
