#include "mpbench/image/png_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "mpbench/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::image {
namespace {

TEST(PngWriterTest, WritesWhatOpenCvReads) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "picture.png";
  for (const int type : {CV_8UC1, CV_8UC3, CV_16UC1, CV_16UC3}) {
    cv::Mat picture(37, 53, type);
    cv::theRNG().state = 7;
    cv::randu(picture, 0, CV_MAT_DEPTH(type) == CV_8U ? 256 : 65536);
    const cv::Mat part = picture(cv::Rect(5, 3, 41, 30));  // whose rows do not follow one another
    write_png(path, part);
    cv::Mat read = cv::imread(path.string(), cv::IMREAD_UNCHANGED);
    ASSERT_EQ(read.type(), type);
    if (read.channels() == 3) cv::cvtColor(read, read, cv::COLOR_BGR2RGB);
    EXPECT_EQ(cv::norm(read, part, cv::NORM_INF), 0) << cv::typeToString(type);
  }
}

TEST(PngWriterTest, EncodesWhatItWouldWrite) {
  cv::Mat picture(11, 7, CV_8UC3);
  cv::randu(picture, 0, 256);
  const std::vector<std::byte> bytes = encode_png(picture);
  const std::vector<unsigned char> encoded(
      reinterpret_cast<const unsigned char*>(bytes.data()),
      reinterpret_cast<const unsigned char*>(bytes.data()) + bytes.size());
  cv::Mat read = cv::imdecode(encoded, cv::IMREAD_UNCHANGED);
  ASSERT_EQ(read.type(), CV_8UC3);
  cv::cvtColor(read, read, cv::COLOR_BGR2RGB);
  EXPECT_EQ(cv::norm(read, picture, cv::NORM_INF), 0);
}

TEST(PngWriterTest, RefusesWhatNoPngHolds) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "picture.png";
  for (const cv::Mat& picture : {cv::Mat(), cv::Mat(4, 4, CV_32FC1), cv::Mat(4, 4, CV_8UC2)}) {
    EXPECT_THAT([&] { write_png(path, picture); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("no PNG can be made")));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THAT([&] { write_png(folder.path() / "none" / "a.png", cv::Mat::zeros(4, 4, CV_8UC1)); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("a.png")));
}

}  // namespace
}  // namespace mpbench::image
