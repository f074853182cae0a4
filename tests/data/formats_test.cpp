#include <gmock/gmock.h>

#include "../../src/data/formats/dataset_format.hpp"
#include "mpbench/data/dataset_options.hpp"

namespace mpbench::data {
namespace {

TEST(Formats, EachNameOfTheCommandLineHasItsFormat) {
  for (const DatasetName& dataset : dataset_names) {
    const DatasetFormat* format = find_format(dataset.name);
    ASSERT_NE(format, nullptr) << dataset.name;
    EXPECT_TRUE(format->is_labelled) << dataset.name;
    EXPECT_TRUE(format->source != nullptr || format->read != nullptr) << dataset.name;
  }
}

TEST(Formats, EachFormatThatCanBeTrainedOnHasItsNameOnTheCommandLine) {
  for (const DatasetFormat* format : all_formats()) {
    const bool named = std::any_of(dataset_names.begin(), dataset_names.end(),
                                   [&](const auto& one) { return one.name == format->name; });
    EXPECT_EQ(named, format->is_labelled) << format->name;
  }
}

}  // namespace
}  // namespace mpbench::data
