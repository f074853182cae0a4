#include "mpbench/image/image_file.hpp"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace std::string_literals;

class ImageFileTest : public ::testing::Test {
 protected:
  /// An image written by OpenCV, which has blue first; every pixel differs.
  fs::path write(const std::string& name, int type, int height = 5, int width = 7) const {
    cv::Mat pixels(height, width, type);
    cv::theRNG().state = 3;
    cv::randu(pixels, 0, pixels.depth() == CV_16U ? 65536 : 256);
    const auto path = folder_.path() / name;
    if (!cv::imwrite(path.string(), pixels)) throw Error("OpenCV cannot write it");
    return path;
  }
  fs::path write_bytes(const std::string& name, const std::string& bytes) const {
    write_file(folder_.path() / name, bytes);
    return folder_.path() / name;
  }
  static std::string problem(const fs::path& path, int channels = 3) {
    const auto error = thrown_by<InputError>([&] { prepare_image(path, 5, 7, channels); });
    if (!error) return "accepted";
    EXPECT_EQ(error->path(), path);
    return error->field() + ": " + error->problem();
  }
  /// What OpenCV reads, red first, in [0, 1].
  static cv::Mat expected(const fs::path& path) {
    const cv::Mat read = cv::imread(path.string(), cv::IMREAD_ANYDEPTH | cv::IMREAD_COLOR);
    cv::Mat scaled;
    read.convertTo(scaled, CV_32F, read.depth() == CV_16U ? 1.0 / 65535 : 1.0 / 255);
    std::vector<cv::Mat> planes;
    cv::split(scaled, planes);
    std::swap(planes[0], planes[2]);
    cv::merge(planes, scaled);
    return scaled;
  }
  TemporaryFolder folder_;
};

TEST_F(ImageFileTest, ReadsWhatOpencvReads) {
  for (const auto& path :
       {write("rgb.png", CV_8UC3), write("deep.png", CV_16UC3), write("grey.png", CV_8UC1),
        write("deep_grey.png", CV_16UC1), write("rgb.bmp", CV_8UC3), write("grey.bmp", CV_8UC1)}) {
    const auto image = prepare_image(path, 5, 7, 3);
    ASSERT_EQ(image.pixels.type(), CV_32FC3) << path;
    EXPECT_LE(cv::norm(image.pixels, expected(path), cv::NORM_INF), 1e-6) << path;
    EXPECT_EQ(image.preparation.crop, cv::Rect(0, 0, 7, 5));
    EXPECT_TRUE(image.preparation.window.empty());
  }
  for (const auto& path : {write("rgb.jpg", CV_8UC3), write("grey.jpg", CV_8UC1)}) {
    const auto image = prepare_image(path, 5, 7, 3);
    EXPECT_LE(cv::norm(image.pixels, expected(path), cv::NORM_INF), 2.0 / 255) << path;
  }
}

TEST_F(ImageFileTest, ReadsTheShapeFromTheHeader) {
  for (const char* name : {"a.png", "a.jpg", "a.bmp"}) {
    const auto coloured = read_image_shape(write(name, CV_8UC3));
    EXPECT_EQ(coloured.height, 5);
    EXPECT_EQ(coloured.width, 7);
    EXPECT_EQ(coloured.channels, 3);
    EXPECT_EQ(read_image_shape(write(name, CV_8UC1)).channels, 1) << name;
  }
}

TEST_F(ImageFileTest, MakesTheChannelsThatAreWanted) {
  const auto grey = write("grey.png", CV_8UC1);
  const auto one = prepare_image(grey, 5, 7, 1).pixels;
  ASSERT_EQ(one.type(), CV_32FC1);
  std::vector<cv::Mat> planes;
  cv::split(prepare_image(grey, 5, 7, 3).pixels, planes);
  for (const auto& plane : planes) EXPECT_EQ(cv::norm(plane, one, cv::NORM_INF), 0);
  EXPECT_THAT(problem(write("rgb.png", CV_8UC3), 1), HasSubstr("in colour, and grey ones"));
}

TEST_F(ImageFileTest, FitsIntoTheMiddle) {
  const auto path = write("wide.png", CV_8UC3, 4, 12);
  const auto pixels = prepare_image(path, 10, 12, 3).pixels;
  ASSERT_EQ(pixels.size(), cv::Size(12, 10));
  EXPECT_EQ(cv::norm(pixels.rowRange(0, 3), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(pixels.rowRange(7, 10), cv::NORM_INF), 0);
  EXPECT_LE(cv::norm(pixels.rowRange(3, 7), expected(path), cv::NORM_INF), 1e-6);
}

TEST_F(ImageFileTest, NamesFileAndFieldOfWhatItRefuses) {
  EXPECT_THAT(problem(folder_.path()), HasSubstr("file: it is not a regular file"));
  EXPECT_THAT(problem(folder_.path() / "none.png"), HasSubstr("file: "));
  EXPECT_THAT(problem(write_bytes("empty.png", "")), HasSubstr("file: it is empty"));
  EXPECT_THAT(problem(write_bytes("text.png", "text")), HasSubstr("file: it begins like none"));
  EXPECT_THAT(problem(write_bytes("short.bmp", "BM")), HasSubstr("header: the file ends"));
  EXPECT_THAT(problem(write_bytes("short.jpg", "\xFF\xD8\xFF")), HasSubstr("markers: the file"));
  const std::string png =
      "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\0\0\0\0\x3A\x7E\x9B\x55"s;
  EXPECT_THAT(problem(write_bytes("chunk.png", png + "\x69\x66\0\x28"
                                                     "eXIfII*"s)),
              HasSubstr("PNG: the file is cut off"));
  EXPECT_THAT(problem(write_bytes("short.png", "\x89PNG\r\n\x1A\n")), HasSubstr("IHDR: the file"));
}

}  // namespace
}  // namespace mpbench::image
