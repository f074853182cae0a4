#include "mpbench/io/foreign_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace mpbench {
namespace {

using testing::HasSubstr;
using testing::Optional;
using namespace std::string_view_literals;

std::optional<std::string> describe(std::string_view text) {
  return describe_foreign_file(std::as_bytes(std::span(text.data(), text.size())));
}

TEST(ForeignFileTest, TellsWhatLiesInPlaceOfTensors) {
  EXPECT_THAT(describe(""), Optional(HasSubstr("empty")));
  EXPECT_THAT(describe("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n"),
              Optional(HasSubstr("git lfs pull")));
  EXPECT_THAT(describe("<!DOCTYPE html><html>404"), Optional(HasSubstr("web page")));
  EXPECT_THAT(describe("\xef\xbb\xbf\r\n  <HTML lang=en>"), Optional(HasSubstr("web page")));
  EXPECT_THAT(describe("<?xml version=\"1.0\"?><Error>AccessDenied"),
              Optional(HasSubstr("web page")));
  EXPECT_THAT(describe("{\"weight_map\": {}}"), Optional(HasSubstr("JSON")));
  EXPECT_THAT(describe("404: Not Found, sorry"), Optional(HasSubstr("it is text")));
  EXPECT_THAT(describe("\x1f\x8b\x08\x00"sv), Optional(HasSubstr("gzip")));
  EXPECT_THAT(describe("\x89HDF\r\n\x1a\n"), Optional(HasSubstr("Keras")));
  EXPECT_THAT(describe("\x93NUMPY\x01\x00"sv), Optional(HasSubstr("NumPy")));
  EXPECT_THAT(describe(std::string(257, 'a') + "ustar"), Optional(HasSubstr("tar archive")));
  EXPECT_THAT(describe("sys_info" + std::string(249, '\0') + "ustar"),
              Optional(HasSubstr("torch.save's oldest format")));
  EXPECT_THAT(describe(std::string(600, '\0')), Optional(HasSubstr("zero")));
}

TEST(ForeignFileTest, LeavesTensorsAlone) {
  EXPECT_EQ(describe("PK\x03\x04"), std::nullopt);
  EXPECT_EQ(describe("\x80\x02\x8a\x0a"), std::nullopt);
  EXPECT_EQ(describe("{\x00\x00\x00\x00\x00\x00\x00{\"a\":"sv), std::nullopt);  // safetensors
  EXPECT_EQ(describe("<\x00\x00\x00\x00\x00\x00\x00{\"a\":"sv), std::nullopt);
  EXPECT_EQ(describe("\x1f\x8b\x00\x00\x00\x00\x00\x00{\"a\":"sv), std::nullopt);  // not gzip
  EXPECT_EQ(describe("anything"), std::nullopt);
}

}  // namespace
}  // namespace mpbench
