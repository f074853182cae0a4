#include "mpbench/tensorboard/event_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <limits>

#include "support/event_records.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::tensorboard {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class EventFileTest : public testing::Test {
 protected:
  fs::path events() const { return folder_ / "events"; }

  /// The events of the folder's first file, without the two that begin it.
  std::vector<ReadEvent> written() const {
    std::vector<ReadEvent> all = read_events(events() / "events.out.tfevents.0000000001.mpbench");
    all.erase(all.begin(), all.begin() + 2);
    return all;
  }
  ReadValue only_value() const { return written().at(0).values.at(0); }

  TemporaryFolder folder_;
};

TEST_F(EventFileTest, BeginsAsTensorBoardExpects) {
  const EventFile file(events(), 17);
  EXPECT_TRUE(file.is_first());
  const std::vector<ReadEvent> all = read_events(file.path());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].file_version, "brain.Event:2");
  EXPECT_GT(all[0].wall_time, 1.7e9);
  EXPECT_EQ(all[1].step, 17);
  EXPECT_EQ(all[1].session_log, "\x08\x01") << "SessionLog.status is START";
}

TEST_F(EventFileTest, IsNumberedAfterThoseInTheFolder) {
  const fs::path first = EventFile(events(), 0).path();
  std::ofstream(events() / "events.out.tfevents.1764262973.host.7.0") << "another program's";
  std::ofstream(events() / "events.out.tfevents.0000000007.mpbench") << "";
  const EventFile next(events(), 0);
  EXPECT_FALSE(next.is_first());
  EXPECT_EQ(next.path().filename(), "events.out.tfevents.0000000008.mpbench");
  EXPECT_EQ(first.filename(), "events.out.tfevents.0000000001.mpbench");
}

TEST_F(EventFileTest, RemovesWhatItMadeAndNothingElse) {
  remove_event_files(events());
  EventFile(events(), 0);
  std::ofstream(events() / "events.out.tfevents.1764262973.host.7.0") << "another program's";
  remove_event_files(events());
  EXPECT_FALSE(fs::exists(events() / "events.out.tfevents.0000000001.mpbench"));
  EXPECT_TRUE(fs::exists(events() / "events.out.tfevents.1764262973.host.7.0"));
  fs::remove(events() / "events.out.tfevents.1764262973.host.7.0");
  EventFile(events(), 0);
  remove_event_files(events());
  EXPECT_FALSE(fs::exists(events()));
  std::ofstream(events()) << "a file";
  remove_event_files(events());
  EXPECT_TRUE(fs::exists(events()));
}

TEST_F(EventFileTest, ScalarsThatAreNoNumbersAreLeftOut) {
  EventFile file(events(), 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  file.add_scalars(5, std::vector<Scalar>{{"a", 0.5}, {"b", nan}, {"c", 1e39}, {"d", -2}});
  file.add_scalars(6, std::vector<Scalar>{{"a", nan}});
  const std::vector<ReadEvent> all = written();
  ASSERT_EQ(all.size(), 1U) << "an event without a value says nothing";
  EXPECT_EQ(all[0].step, 5);
  ASSERT_EQ(all[0].values.size(), 2U);
  EXPECT_EQ(all[0].values[0].tag, "a");
  EXPECT_EQ(all[0].values[0].scalar, 0.5F);
  EXPECT_EQ(all[0].values[1].tag, "d");
  EXPECT_EQ(all[0].values[1].scalar, -2.0F);
}

std::vector<double> doubles(protozero::pbf_reader& message) {
  const auto range = message.get_packed_double();
  return {range.begin(), range.end()};
}

TEST_F(EventFileTest, HistogramHasItsSumsAndBuckets) {
  EventFile file(events(), 0);
  file.add_histogram(3, "weights/fc", histogram_of(std::vector<float>{1, 1, -2}));
  file.add_histogram(3, "weights/none", histogram_of({}));
  ASSERT_EQ(written().size(), 1U) << "one of no values is left out";
  const ReadValue value = only_value();
  EXPECT_EQ(value.tag, "weights/fc");
  std::vector<double> numbers;
  std::vector<double> limits;
  std::vector<double> counts;
  protozero::pbf_reader message(value.histogram);
  while (message.next()) {
    if (message.tag() <= 5) {
      numbers.push_back(message.get_double());
    } else {
      (message.tag() == 6 ? limits : counts) = doubles(message);
    }
  }
  EXPECT_THAT(numbers, ElementsAre(-2, 1, 3, 0, 6));
  EXPECT_THAT(limits, ElementsAre(-2, 1, 1.125));
  EXPECT_THAT(counts, ElementsAre(1, 0, 2));
}

TEST_F(EventFileTest, ImageHasItsSizeAndItsBytes) {
  EventFile file(events(), 0);
  const std::vector<std::byte> png{std::byte{0x89}, std::byte{0}, std::byte{7}};
  file.add_image(0, "crops/1", {.height = 3, .width = 4, .channels = 1, .png = png});
  const std::string image = only_value().image;
  protozero::pbf_reader message(image);
  std::vector<std::int32_t> sizes;
  while (message.next()) {
    if (message.tag() <= 3) {
      sizes.push_back(message.get_int32());
    } else {
      EXPECT_EQ(message.get_string(), std::string("\x89\0\x07", 3));
    }
  }
  EXPECT_THAT(sizes, ElementsAre(3, 4, 1));
}

TEST_F(EventFileTest, TextIsUtf8WhateverItsBytesAre) {
  EventFile file(events(), 0);
  file.add_text(0, "caf\xE9", "data = \"\xE9\"");
  const ReadValue value = only_value();
  EXPECT_EQ(value.tag, "caf\\xE9");
  EXPECT_EQ(value.plugin, "text");
  EXPECT_THAT(value.tensor, HasSubstr("data = \"\\xE9\""));
}

TEST_F(EventFileTest, SessionTellsThePluginOfHyperparameters) {
  EventFile file(events(), 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  file.add_session_start(
      std::vector<Hyperparameter>{{"lr", 0.25}, {"amp", false}, {"model", "cnn"}, {"gone", nan}},
      std::vector<std::string>{"epoch/val_auc"});
  file.add_session_end(SessionEnd::failure);
  const auto values = last_values(written());
  ASSERT_EQ(values.size(), 3U);
  for (const auto& [tag, value] : values) {
    EXPECT_EQ(value.plugin, "hparams") << tag;
    EXPECT_FALSE(value.tensor.empty()) << "readers pass over a value that has none";
  }
  const std::string start = values.at("_hparams_/session_start_info").plugin_content;
  for (const char* word : {"lr", "amp", "model", "cnn"}) EXPECT_THAT(start, HasSubstr(word));
  const std::string experiment = values.at("_hparams_/experiment").plugin_content;
  for (const char* word : {"lr", "amp", "model", "epoch/val_auc"}) {
    EXPECT_THAT(experiment, HasSubstr(word));
  }
  for (const std::string& content : {start, experiment}) {
    EXPECT_THAT(content, testing::Not(HasSubstr("gone"))) << "it has no value";
  }
  const std::string end = values.at("_hparams_/session_end_info").plugin_content;
  EXPECT_EQ(end.size(), 13U);
  EXPECT_THAT(end, testing::StartsWith("\x22\x0B\x08\x02")) << "the session's end: STATUS_FAILURE";
}

/// What is written beyond a size fails, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{static_cast<rlim_t>(bytes), before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(EventFileTest, OfAFullDiskNothingIsLeftOfAnEvent) {
  EventFile file(events(), 0);
  file.add_text(1, "a", "kept");
  const std::uintmax_t size = fs::file_size(file.path());
  {
    const FileSizeLimit limit(size + 20);
    EXPECT_THAT([&] { file.add_text(2, "b", "this does not fit"); },
                ThrowsWith<Error>(file.path().string(), "cannot write"));
  }
  EXPECT_EQ(fs::file_size(file.path()), size);
  file.add_text(3, "c", "there is room again");
  EXPECT_EQ(written().size(), 2U) << "what follows can be read";
}

TEST_F(EventFileTest, AFolderThatCannotBeIsNamed) {
  std::ofstream(events()) << "a file";
  EXPECT_THAT([&] { EventFile(events(), 0); }, ThrowsWith<Error>(events().string()));
}

}  // namespace
}  // namespace mpbench::tensorboard
