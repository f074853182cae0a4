#include "../../src/synth/synthetic_patients.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace mpbench::synth {
namespace {

std::vector<SyntheticPatient> patients_of(int count, std::uint64_t seed = 1,
                                          double positive_fraction = 0.25) {
  SyntheticSetOptions options;
  options.patients = count;
  options.seed = seed;
  options.positive_fraction = positive_fraction;
  return draw_patients(options);
}

TEST(SyntheticPatientsTest, MachinesKeepRsnasSharesAndLabels) {
  const auto patients = patients_of(20000);
  std::map<int, int> images, positives;
  int total = 0, sigmoid = 0;
  for (const auto& patient : patients) {
    for (const auto& breast : patient.breasts) {
      const int n = static_cast<int>(breast.images.size());
      total += n;
      images[patient.machine->id] += n;
      if (breast.cancer) positives[patient.machine->id] += n;
      if (patient.machine->voi_function == std::string_view("SIGMOID")) sigmoid += n;
    }
  }
  EXPECT_EQ(images.size(), 10U);
  EXPECT_EQ(positives.count(210), 0U);
  EXPECT_EQ(positives.count(197), 0U);
  EXPECT_EQ(positives.size(), 8U);
  EXPECT_NEAR(images[49] / static_cast<double>(total), 23529.0 / 54706, 0.02);
  EXPECT_NEAR(sigmoid / static_cast<double>(total), 12139.0 / 54706, 0.02);
  EXPECT_NEAR(total / 40000.0, 54706.0 / 23826, 0.03);
}

TEST(SyntheticPatientsTest, LabelsHangTogether) {
  int implants = 0, missing_age = 0, missing_birads = 0;
  const auto patients = patients_of(3000, 2);
  for (const auto& patient : patients) {
    implants += patient.implant ? 1 : 0;
    missing_age += patient.age < 0 ? 1 : 0;
    ASSERT_EQ(patient.breasts.size(), 2U);
    if (patient.machine->site == 2) {
      EXPECT_FALSE(patient.density_known);
    }
    for (const auto& breast : patient.breasts) {
      if (breast.invasive) {
        EXPECT_TRUE(breast.cancer);
      }
      if (breast.cancer) {
        EXPECT_TRUE(breast.biopsy);
      }
      if (breast.difficult_negative) {
        EXPECT_FALSE(breast.cancer);
      }
      missing_birads += breast.birads < 0 ? 1 : 0;
      ASSERT_GE(breast.images.size(), 2U);
      ASSERT_LE(breast.images.size(), 4U);
      std::set<View> views;
      for (const auto& image : breast.images) {
        views.insert(image.phantom.view);
        EXPECT_EQ(image.phantom.finding != Finding::none, breast.cancer);
        EXPECT_EQ(image.phantom.laterality, breast.laterality);
      }
      EXPECT_TRUE(views.count(View::cc) == 1 && views.count(View::mlo) == 1);
    }
  }
  EXPECT_NEAR(implants / 3000.0, 0.027, 0.012);
  EXPECT_NEAR(missing_age / 3000.0, 0.02, 0.01);
  EXPECT_NEAR(missing_birads / 6000.0, 28420.0 / 54706, 0.03);
}

TEST(SyntheticPatientsTest, PositiveBreastsAreAsManyAsAskedFor) {
  for (const double fraction : {0.021, 0.25, 0.5, 0.8}) {
    int positive = 0, patients_with_one = 0;
    for (const auto& patient : patients_of(1000, 3, fraction)) {
      const int here = (patient.breasts[0].cancer ? 1 : 0) + (patient.breasts[1].cancer ? 1 : 0);
      positive += here;
      patients_with_one += here > 0 ? 1 : 0;
    }
    EXPECT_EQ(positive, static_cast<int>(fraction * 2000 + 0.5));
    // Cancer in both breasts is rare while there are patients enough.
    if (fraction < 0.4) {
      EXPECT_GT(patients_with_one, positive * 0.96);
    }
  }
}

TEST(SyntheticPatientsTest, FourPatientsHaveBothLabelsWhateverTheSeed) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const double fraction : {0.01, 0.25, 0.9}) {
      int positive = 0;
      for (const auto& patient : patients_of(4, seed, fraction)) {
        for (const auto& breast : patient.breasts) positive += breast.cancer ? 1 : 0;
      }
      EXPECT_GE(positive, 2);
      EXPECT_LE(positive, 6 + 1);
    }
  }
}

TEST(SyntheticPatientsTest, SmallMixedSetsShowEveryKind) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::set<std::string> functions;
    std::set<bool> monochrome1;
    std::set<int> sites;
    std::set<Encoding> encodings;
    for (const auto& patient : patients_of(8, seed)) {
      functions.insert(patient.machine->voi_function);
      monochrome1.insert(patient.machine->monochrome1);
      sites.insert(patient.machine->site);
      for (const auto& breast : patient.breasts) {
        for (const auto& image : breast.images) encodings.insert(image.encoding);
      }
    }
    EXPECT_EQ(functions.count("SIGMOID"), 1U) << "seed " << seed;
    EXPECT_EQ(functions.count("LINEAR"), 1U) << "seed " << seed;
    EXPECT_EQ(monochrome1.size(), 2U) << "seed " << seed;
    EXPECT_EQ(sites.size(), 2U) << "seed " << seed;
    EXPECT_EQ(encodings.size(), 5U) << "seed " << seed;
  }
}

TEST(SyntheticPatientsTest, IdsAreDistinctAndPatientsInOrder) {
  std::set<std::int64_t> images;
  std::size_t count = 0;
  std::int64_t before = 0;
  for (const auto& patient : patients_of(2000, 4)) {
    EXPECT_GT(patient.patient_id, before);
    before = patient.patient_id;
    for (const auto& breast : patient.breasts) {
      for (const auto& image : breast.images) {
        images.insert(image.image_id);
        ++count;
      }
    }
  }
  EXPECT_EQ(images.size(), count);
}

}  // namespace
}  // namespace mpbench::synth
