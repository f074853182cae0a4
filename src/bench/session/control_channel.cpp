#include "control_channel.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "mpbench/core/error.hpp"
#include "mpbench/io/json_text.hpp"

namespace mpbench::bench {
namespace {

constexpr std::size_t longest_message = 64 * 1024;

}  // namespace

ControlChannel::ControlChannel(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

void ControlChannel::send(const nlohmann::json& message) {
  const std::string text = message.dump() + '\n';
  std::string_view left = text;
  while (!left.empty()) {
    // Without a signal where the other side is gone.
    const ssize_t sent = ::send(descriptor_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) throw Error(fmt::format("a message to another process: {}", strerror(errno)));
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<nlohmann::json> ControlChannel::take_line() {
  const std::size_t end = received_.find('\n');
  if (end == std::string::npos) {
    if (received_.size() > longest_message) throw Error("a message is too long");
    return std::nullopt;
  }
  nlohmann::json message = parse_json(std::string_view(received_).substr(0, end));
  received_.erase(0, end + 1);
  if (message.is_discarded()) throw Error("a message is not JSON");
  return message;
}

std::optional<nlohmann::json> ControlChannel::receive(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (auto message = take_line()) return message;
    if (closed_) return std::nullopt;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wait{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) <= 0) {
      return std::nullopt;
    }
    std::array<char, 4096> buffer{};
    const ssize_t size = recv(descriptor_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) return std::nullopt;
    if (size <= 0) {
      closed_ = true;  // also where the connection was reset
    } else {
      received_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
}

}  // namespace mpbench::bench
