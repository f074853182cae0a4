#include "../../src/bench/session/control_channel.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include "../../src/bench/child_process.hpp"
#include "../../src/bench/session/turn_messages.hpp"
#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::bench {
namespace {

using std::chrono::milliseconds;

struct Channels {
  DescriptorPair sockets = make_socket_pair();
  int other_end = sockets.second.get();
  ControlChannel one{std::move(sockets.first)};
};

void send_text(int descriptor, const std::string& text) {
  ASSERT_EQ(send(descriptor, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
}

TEST(ControlChannelTest, ExchangesMessages) {
  DescriptorPair sockets = make_socket_pair();
  ControlChannel one(std::move(sockets.first));
  ControlChannel other(std::move(sockets.second));
  one.send({{"a", 1}});
  one.send({{"b", "two\nlines"}});
  EXPECT_EQ(other.receive(milliseconds(100)), (nlohmann::json{{"a", 1}}));
  EXPECT_EQ(other.receive(milliseconds(100)), (nlohmann::json{{"b", "two\nlines"}}));
  EXPECT_EQ(other.receive(milliseconds(1)), std::nullopt);
  EXPECT_FALSE(other.closed());
}

TEST(ControlChannelTest, SeesThatTheOtherSideIsGone) {
  DescriptorPair sockets = make_socket_pair();
  ControlChannel one(std::move(sockets.first));
  {
    ControlChannel other(std::move(sockets.second));
    other.send({{"last", true}});
  }
  EXPECT_TRUE(one.receive(milliseconds(100)));
  EXPECT_EQ(one.receive(milliseconds(100)), std::nullopt);
  EXPECT_TRUE(one.closed());
  EXPECT_THROW(one.send({{"a", 1}}), Error) << "and no signal";
}

TEST(ControlChannelTest, RefusesWhatIsNoMessage) {
  Channels text;
  send_text(text.other_end, "not JSON\n");
  EXPECT_THAT([&] { text.one.receive(milliseconds(100)); }, ThrowsWith<Error>("not JSON"));
  Channels lengthy;
  send_text(lengthy.other_end, std::string(70'000, 'x'));
  EXPECT_THAT([&] { lengthy.one.receive(milliseconds(100)); }, ThrowsWith<Error>("too long"));
}

TEST(TurnMessagesTest, ReadBackWhatTheySay) {
  const TurnRequest request =
      turn_request_from(to_json(TurnRequest{.kind = TurnRequest::Kind::train_steps, .steps = 7}));
  EXPECT_EQ(request.kind, TurnRequest::Kind::train_steps);
  EXPECT_EQ(request.steps, 7);
  for (const auto kind :
       {TurnRequest::Kind::stop, TurnRequest::Kind::train_to_end, TurnRequest::Kind::warm_up}) {
    EXPECT_EQ(turn_request_from(to_json(TurnRequest{.kind = kind})).kind, kind);
  }
  EXPECT_EQ(steps_when_ready(ready_message(40)), 40);
  EXPECT_NO_THROW(require_loaded(loaded_message()));
  const BlockStats block{.steps = 2,
                         .images = 8,
                         .skipped_steps = 1,
                         .time_s = 0.5,
                         .data_wait_s = 0.25,
                         .cpu_time_s = 1,
                         .page_faults = 3,
                         .major_page_faults = 4,
                         .preemptions = 5,
                         .voluntary_switches = 6,
                         .run_finished = true};
  const BlockStats read = block_stats_from(to_json(block));
  EXPECT_EQ(read.steps, 2);
  EXPECT_EQ(read.images, 8);
  EXPECT_EQ(read.skipped_steps, 1);
  EXPECT_EQ(read.time_s, 0.5);
  EXPECT_EQ(read.data_wait_s, 0.25);
  EXPECT_EQ(read.cpu_time_s, 1);
  EXPECT_EQ(read.page_faults, 3);
  EXPECT_EQ(read.major_page_faults, 4);
  EXPECT_EQ(read.preemptions, 5);
  EXPECT_EQ(read.voluntary_switches, 6);
  EXPECT_TRUE(read.run_finished);
}

TEST(TurnMessagesTest, RefuseOtherOnes) {
  EXPECT_THROW(turn_request_from({{"train_steps", 0}}), Error);
  EXPECT_THROW(turn_request_from({{"train_steps", -1}}), Error);
  EXPECT_THROW(turn_request_from({{"train_steps", 1.5}}), Error);
  EXPECT_THROW(turn_request_from({{"dance", true}}), Error);
  EXPECT_THROW(turn_request_from(nlohmann::json::array()), Error);
  EXPECT_THAT([] { require_loaded({{"loaded", 99}}); }, ThrowsWith<Error>("protocol 99"));
  nlohmann::json block = to_json(BlockStats{.steps = 1});
  block["block"]["time_s"] = -1;
  EXPECT_THROW(block_stats_from(block), Error);
  block["block"].erase("time_s");
  EXPECT_THROW(block_stats_from(block), Error);
  EXPECT_THROW(block_stats_from(ready_message(1)), Error);
  EXPECT_THROW(steps_when_ready(loaded_message()), Error);
}

}  // namespace
}  // namespace mpbench::bench
