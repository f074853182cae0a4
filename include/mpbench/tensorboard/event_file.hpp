#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mpbench/core/file_descriptor.hpp"
#include "mpbench/tensorboard/histogram.hpp"

namespace mpbench::tensorboard {

/// A number that TensorBoard draws over the steps. What comes before a slash in the tag is the
/// group in which it is shown; this holds for all tags.
struct Scalar {
  std::string tag;
  double value = 0;
};

/// An image as a PNG file.
struct Image {
  int height = 0;
  int width = 0;
  int channels = 0;  ///< 1: grey, 3: RGB
  std::span<const std::byte> png;
};

/// An option of the run, which TensorBoard lists beside those of other runs.
struct Hyperparameter {
  std::string name;
  std::variant<bool, double, std::string> value;
};

enum class SessionEnd { success, failure };

/// A file of events, which TensorBoard shows while it grows. An event is one record, and a record
/// is written by one call: of a process that is killed at most the last record is cut short, which
/// readers pass over. Texts that are no UTF-8 are written as utf8_text() has them.
///
/// All that adds an event throws Error naming the path and the cause where writing fails. What was
/// written of that event is then cut off again.
class EventFile {
 public:
  /// Makes a new file in the folder, and the folder, and says in it that the events of steps from
  /// `first_step` on are its own: TensorBoard forgets such events of earlier files.
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Whether there was none in the folder.
  bool is_first() const { return number_ == 1; }

  /// The steps of a tag must ascend. A value that is not finite, or beyond float32, is left out.
  void add_scalars(std::int64_t step, std::span<const Scalar> scalars);
  /// A histogram of no values is left out.
  void add_histogram(std::int64_t step, std::string_view tag, const Histogram& histogram);
  void add_image(std::int64_t step, std::string_view tag, const Image& image);
  void add_text(std::int64_t step, std::string_view tag, std::string_view markdown);

  /// For the table of hyperparameters: the run's own, without those that are not finite, and the
  /// tags of the scalars that it is judged by.
  void add_session_start(std::span<const Hyperparameter> hyperparameters,
                         std::span<const std::string> metrics);
  /// TensorBoard goes by the first that a folder holds.
  void add_session_end(SessionEnd end);

 private:
  void append(const std::string& event);

  std::filesystem::path path_;
  std::int64_t number_ = 0;
  std::optional<FileDescriptor> file_;
  std::int64_t bytes_ = 0;  ///< in whole records
};

/// Removes the event files that this program made in a folder, and the folder where nothing else is
/// in it. Does nothing where there is no such folder.
void remove_event_files(const std::filesystem::path& folder);

}  // namespace mpbench::tensorboard
