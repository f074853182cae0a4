#include "old_pth_file.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "mpbench/core/error.hpp"
#include "pth_tensors.hpp"
#include "unpickler.hpp"

namespace mpbench::nn {
namespace {

// A pickle of protocol 2 that is torch.save's magic number.
constexpr std::string_view old_start = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
constexpr std::int64_t format_version = 1001;

class OldPthFile {
 public:
  OldPthFile(const std::filesystem::path& path, std::shared_ptr<const FileBytes> file)
      : path_(path), file_(std::move(file)), bytes_(file_->bytes()) {}

  StateDict read() {
    at_ = old_start.size();
    const Pickle version = next_pickle("version");
    if (version.root() != PickledValue(format_version))
      fail("version", "unsupported version (1001 is read)");
    check_byte_order(next_pickle("system information"));
    const Pickle objects = next_pickle("pickle");
    const Pickle keys = next_pickle("storage keys");
    find_dtypes(objects);
    find_storages(keys);
    const auto storage = [&](std::string_view key) {
      const auto found = storages_.find(key);
      if (found == storages_.end() && !unknown_.empty()) {
        fail(unknown_,
             fmt::format("its storage, of a kind that cannot be read, lies before '{}'", key));
      }
      if (found == storages_.end()) fail("storage keys", fmt::format("'{}' is missing", key));
      return found->second;
    };
    return make_state_dict(objects.root(), {path_, file_, storage});
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& problem) const {
    throw InputError(path_, field, problem);
  }

  Pickle next_pickle(std::string_view field) {
    const auto rest = bytes_.subspan(at_);
    Pickle pickle(rest.first(std::min(rest.size(), most_pickle_bytes)), path_, field);
    at_ += pickle.size();
    return pickle;
  }

  void check_byte_order(const Pickle& system) const {
    const auto* const* dict = std::get_if<PickledDict*>(&system.root());
    if (dict == nullptr) fail("system information", "it is not a dict");
    for (const auto& [key, value] : (*dict)->entries) {
      if (key == PickledValue(std::string_view("little_endian")) && value == PickledValue(false)) {
        fail("system information", "it is big-endian; only little-endian files can be read");
      }
    }
  }

  /// A storage's type is where it is used, and its bytes are where its type has to be known.
  void find_dtypes(const Pickle& objects) {
    for (const PickledStorage& storage : objects.storages()) {
      const auto [known, is_new] = dtypes_.emplace(storage.key, storage.dtype);
      if (!is_new && torch::elementSize(known->second) != torch::elementSize(storage.dtype)) {
        fail("pickle", fmt::format("storage {} is used with two types", storage.key));
      }
    }
  }

  void find_storages(const Pickle& keys) {
    const auto* const* list = std::get_if<PickledSequence*>(&keys.root());
    if (list == nullptr) fail("storage keys", "they are not a list");
    for (const PickledValue& item : (*list)->items) {
      const auto* key = std::get_if<std::string_view>(&item);
      if (key == nullptr) fail("storage keys", "one is not a string");
      const auto dtype = dtypes_.find(*key);
      if (dtype == dtypes_.end()) {
        // Of a type that is not read, so that where it ends is not known either.
        unknown_ = *key;
        return;
      }
      const std::size_t count = take_count(*key);
      const std::size_t element = torch::elementSize(dtype->second);
      if (count > (bytes_.size() - at_) / element) {
        fail(std::string(*key), fmt::format("its storage of {} elements is cut off", count));
      }
      storages_.emplace(*key, bytes_.subspan(at_, count * element));
      at_ += count * element;
    }
  }

  std::size_t take_count(std::string_view key) {
    std::int64_t count = 0;
    if (bytes_.size() - at_ < sizeof count) fail(std::string(key), "its storage is cut off");
    std::memcpy(&count, bytes_.data() + at_, sizeof count);
    if (count < 0) fail(std::string(key), fmt::format("its storage states {} elements", count));
    at_ += sizeof count;
    return static_cast<std::size_t>(count);
  }

  const std::filesystem::path& path_;
  std::shared_ptr<const FileBytes> file_;
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::map<std::string_view, torch::ScalarType> dtypes_;
  std::map<std::string_view, std::span<const std::byte>> storages_;
  std::string unknown_;  ///< the first storage whose type is not
};

}  // namespace

bool begins_like_old_pth(std::span<const std::byte> bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
      .starts_with(old_start);
}

StateDict read_old_pth(const std::filesystem::path& path, std::shared_ptr<const FileBytes> file) {
  return OldPthFile(path, std::move(file)).read();
}

}  // namespace mpbench::nn
