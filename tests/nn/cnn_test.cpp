#include "../../src/nn/models/cnn.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace mpbench::nn {
namespace {

TEST(CnnTest, GivesOneRowOfLogitsAnImageAtAnySize) {
  Cnn grey(1, 1);
  Cnn colour(3, 10);
  EXPECT_EQ(grey.forward(torch::rand({2, 1, 124, 124})).sizes(), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(grey.forward(torch::rand({3, 1, 28, 28})).sizes(), (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(colour.forward(torch::rand({2, 3, 16, 40})).sizes(),
            (std::vector<std::int64_t>{2, 10}));
}

TEST(CnnTest, HasTheParametersOfItsDescription) {
  // Convolutions 9*(1*32 + 32*64 + 64*128 + 128*128), batch norms 2*(32+64+128+128), linear 128*10
  // + 10.
  EXPECT_EQ(count_parameters(Cnn(1, 10)),
            9 * (32 + 32 * 64 + 64 * 128 + 128 * 128) + 2 * 352 + 1290);
}

}  // namespace
}  // namespace mpbench::nn
