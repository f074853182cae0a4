#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "mpbench/core/file_descriptor.hpp"

namespace mpbench::bench {

/// One end of a connection between two processes that exchange JSON values, a line each.
class ControlChannel {
 public:
  explicit ControlChannel(FileDescriptor descriptor);

  /// Throws Error where the other side is gone.
  void send(const nlohmann::json& message);
  /// The next message; nothing where none came in time, a signal came or the other side is gone.
  /// Throws Error for a line that is not JSON or is longer than 64 KiB.
  std::optional<nlohmann::json> receive(std::chrono::milliseconds timeout);
  /// Whether the other side is gone and all that it sent was received.
  bool closed() const { return closed_; }

 private:
  std::optional<nlohmann::json> take_line();

  FileDescriptor descriptor_;
  std::string received_;
  bool closed_ = false;
};

}  // namespace mpbench::bench
