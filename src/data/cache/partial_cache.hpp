#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace mpbench::data {

/// The images of a cache while it is made, in files that outlive a killed process:
///   CACHE.part          one slot an image, at its place, with holes where an image is not done
///   CACHE.part.journal  a line with the key, then one JSON line an image that is in its slot:
///                       place, digest, the input's time stamp, and a record of the caller's
/// A slot is written before its line, and believed only if its digest fits: neither a kill nor a
/// crash of the machine can leave half an image that counts as done. Holds an exclusive lock on the
/// journal as long as it lives.
class PartialCache {
 public:
  /// Takes the lock; throws Error when another process has it, or with `wait` waits for it
  /// (Interrupted on Ctrl-C).
  PartialCache(std::filesystem::path cache, bool wait);
  ~PartialCache();
  PartialCache(const PartialCache&) = delete;
  PartialCache& operator=(const PartialCache&) = delete;

  /// Takes up what an earlier run with the same key left, for inputs whose time stamps did not
  /// change since, and starts anew otherwise. Returns how many images are done.
  std::int64_t resume(const std::string& key, std::span<const std::int64_t> input_times,
                      std::size_t slot_bytes);
  bool is_done(std::size_t place) const { return !digests_[place].empty(); }
  /// SHA-256 as hexadecimal digits; empty when the image is not done.
  const std::string& digest(std::size_t place) const { return digests_[place]; }
  /// What the caller stored beside the image.
  const std::string& record(std::size_t place) const { return records_[place]; }
  /// Stores an image; from any thread.
  void put(std::size_t place, std::span<const std::byte> image, std::int64_t input_time,
           const std::string& record);
  void get(std::size_t place, std::span<std::byte> image) const;
  /// Deletes both files, when the cache is whole or what is in them is of no use.
  void remove();

 private:
  void lock(bool wait);
  void append(const std::string& line);
  void start_anew(const std::string& key);

  std::filesystem::path cache_;
  std::filesystem::path part_path_;
  std::filesystem::path journal_path_;
  int part_ = -1;
  int journal_ = -1;
  std::size_t slot_bytes_ = 0;
  std::vector<std::string> digests_;
  std::vector<std::string> records_;
  std::mutex mutex_;
};

}  // namespace mpbench::data
