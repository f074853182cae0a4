#include "unpickler.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <string>

#include "mpbench/core/error.hpp"
#include "pickle_calls.hpp"
#include "pickle_names.hpp"

namespace mpbench::nn {
namespace {

// The largest of torchvision's networks, with an optimizer's state, takes 40,000 operations. One
// takes at most some 100 bytes here.
constexpr std::size_t most_operations = 4'000'000;

}  // namespace

/// Python's stack machine for the operations that plain data and tensors need.
class Unpickler {
 public:
  Unpickler(PickleStore& store, std::span<const std::byte> bytes) : store_(store), bytes_(bytes) {}

  PickledValue run() {
    if (bytes_.size() > most_pickle_bytes) {
      fail(fmt::format("its {} bytes are more than any network needs", bytes_.size()));
    }
    for (std::size_t operations = 0; operations < most_operations; ++operations) {
      const auto code = word<std::uint8_t>();
      if (code == '.') return pop();
      const bool done =
          run_scalar(code) || run_container(code) || run_opaque(code) || run_stack(code);
      if (!done) run_object(code);
    }
    fail(fmt::format("it has more than {} operations", most_operations));
  }

  /// How many bytes were read.
  std::size_t at() const { return at_; }

 private:
  [[noreturn]] static void fail(const std::string& problem) { throw Error(problem); }

  template <typename Word>
  Word word() {
    Word value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take(std::size_t count) {
    if (count > bytes_.size() - at_) fail("it is cut off, or a length in it is too large");
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
    at_ += count;
    return {begin, count};
  }
  std::string_view take_line() {
    const auto* begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
    const std::size_t length = std::string_view(begin, bytes_.size() - at_).find('\n');
    if (length == std::string_view::npos) fail("it is cut off");
    at_ += length + 1;
    return {begin, length};
  }

  // --- the stack; a mark is the height it was set at
  void push(PickledValue value) { stack_.push_back(value); }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  PickledValue& top() {
    if (stack_.size() <= floor()) fail("it pops a value from an empty stack");
    return stack_.back();
  }
  PickledValue pop() {
    const PickledValue value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickledValue> pop_to_mark() {
    if (marks_.empty()) fail("it pops values to a mark that is not set");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickledValue> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }
  std::vector<PickledValue> pop_many(std::size_t count) {
    std::vector<PickledValue> values(count);
    for (std::size_t i = count; i > 0; --i) values[i - 1] = pop();
    return values;
  }
  // --- objects
  PickledSequence* make_sequence(bool is_tuple, std::vector<PickledValue> items) {
    return &store_.sequences.emplace_back(PickledSequence{is_tuple, std::move(items)});
  }
  PickledDict* make_dict() { return &store_.dicts.emplace_back(); }
  static void add_entries(PickledDict& dict, const std::vector<PickledValue>& values) {
    if (values.size() % 2 != 0) fail("a dict has a key without a value");
    for (std::size_t i = 0; i < values.size(); i += 2) {
      dict.entries.emplace_back(values[i], values[i + 1]);
    }
  }
  bool run_scalar(std::uint8_t code) {
    switch (code) {
      case 'N':
        return push(std::monostate()), true;
      case 0x88:
        return push(true), true;
      case 0x89:
        return push(false), true;
      case 'K':
        return push(std::int64_t{word<std::uint8_t>()}), true;
      case 'M':
        return push(std::int64_t{word<std::uint16_t>()}), true;
      case 'J':
        return push(std::int64_t{word<std::int32_t>()}), true;
      case 0x8a:
        return push(take_long(word<std::uint8_t>())), true;
      case 0x8b:
        return push(take_long(word<std::uint32_t>())), true;
      case 'I':  // of protocol 1, as 'L'
      case 'L':
        return push(take_text_integer()), true;
      case 'G':
        return push(take_double()), true;
      case 0x8c:
      case 'U':  // Python 2's texts
        return push(take(word<std::uint8_t>())), true;
      case 'X':
      case 'T':
        return push(take(word<std::uint32_t>())), true;
      case 0x8d:
        return push(take(word<std::uint64_t>())), true;
      default:
        return false;
    }
  }

  PickledValue take_long(std::size_t count) {
    // Two's complement in as few bytes as it takes, none for zero.
    const std::string_view digits = take(count);
    std::uint64_t value = 0;
    if (digits.size() > sizeof value) return &data_;  // a random generator's state
    std::memcpy(&value, digits.data(), digits.size());
    if (!digits.empty() && digits.size() < sizeof value && (digits.back() & 0x80) != 0) {
      value |= ~std::uint64_t{0} << (8 * digits.size());
    }
    return static_cast<std::int64_t>(value);
  }
  PickledValue take_text_integer() {
    std::string_view digits = take_line();
    if (digits == "00" || digits == "01") return digits == "01";
    if (digits.ends_with('L')) digits.remove_suffix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range) return &data_;
    if (error != std::errc() || end != digits.data() + digits.size()) fail("it has a bad integer");
    return value;
  }
  double take_double() { return std::bit_cast<double>(__builtin_bswap64(word<std::uint64_t>())); }

  bool run_container(std::uint8_t code) {
    switch (code) {
      case ')':
        return push(make_sequence(true, {})), true;
      case 't':
        return push(make_sequence(true, pop_to_mark())), true;
      case 0x85:
      case 0x86:
      case 0x87:
        return push(make_sequence(true, pop_many(code - 0x84U))), true;
      case ']':
        return push(make_sequence(false, {})), true;
      case 'l':
        return push(make_sequence(false, pop_to_mark())), true;
      case 'a':
        return append(pop_many(1)), true;
      case 'e':
        return append(pop_to_mark()), true;
      case '}':
        return push(make_dict()), true;
      case 'd': {
        const auto values = pop_to_mark();
        PickledDict* dict = make_dict();
        add_entries(*dict, values);
        return push(dict), true;
      }
      case 's':
        return set_items(pop_many(2)), true;
      case 'u':
        return set_items(pop_to_mark()), true;
      default:
        return false;
    }
  }
  void append(const std::vector<PickledValue>& values) {
    if (is_opaque(top())) return;
    auto* list = expect_pickled<PickledSequence*>(top(), "list");
    if (list->is_tuple) fail("it appends to a tuple");
    list->items.insert(list->items.end(), values.begin(), values.end());
  }
  void set_items(const std::vector<PickledValue>& values) {
    if (is_opaque(top())) return;
    add_entries(*expect_pickled<PickledDict*>(top(), "dict"), values);
  }

  /// Bytes and sets: nothing that a state_dict is made of.
  bool run_opaque(std::uint8_t code) {
    const auto push_data = [&](std::uint64_t bytes) {
      (void)take(bytes);
      return push(&data_), true;
    };
    switch (code) {
      case 'C':
        return push_data(word<std::uint8_t>());
      case 'B':
        return push_data(word<std::uint32_t>());
      case 0x8e:
      case 0x96:
        return push_data(word<std::uint64_t>());
      case 0x8f:  // an empty set
        return push(&data_), true;
      case 0x90:  // elements for a set
        (void)pop_to_mark();
        if (!is_opaque(top())) fail("it adds elements to a value that is not a set");
        return true;
      case 0x91:  // a frozenset
        (void)pop_to_mark();
        return push(&data_), true;
      default:
        return false;
    }
  }

  bool run_stack(std::uint8_t code) {
    switch (code) {
      case 0x80:
        if (const auto protocol = word<std::uint8_t>(); protocol < 2 || protocol > 5) {
          fail(fmt::format("unsupported pickle protocol {} (2 to 5 are read)", protocol));
        }
        return true;
      case 0x95:  // a frame: how much a reader may fetch at once
        (void)word<std::uint64_t>();
        return true;
      case '(':
        return marks_.push_back(stack_.size()), true;
      case '0':
        return (void)pop(), true;
      case '1':
        return (void)pop_to_mark(), true;
      case '2':
        return push(PickledValue(top())), true;
      case 'q':
        return remember(word<std::uint8_t>()), true;
      case 'r':
        return remember(word<std::uint32_t>()), true;
      case 0x94:
        return remember(memo_.size()), true;
      case 'h':
        return push(recall(word<std::uint8_t>())), true;
      case 'j':
        return push(recall(word<std::uint32_t>())), true;
      default:
        return false;
    }
  }
  void remember(std::size_t index) {
    // Python numbers them in order; another number could make the memo of any size.
    if (index > memo_.size())
      fail(fmt::format("it stores memo entry {} before entry {}", index, memo_.size()));
    if (index == memo_.size()) memo_.emplace_back();
    memo_[index] = top();
  }
  PickledValue recall(std::size_t index) const {
    if (index >= memo_.size())
      fail(fmt::format("it reads memo entry {}, which was not stored", index));
    return memo_[index];
  }

  void run_object(std::uint8_t code) {
    switch (code) {
      case 'c': {
        const std::string_view module = take_line();
        return push(find_name(module, take_line()));
      }
      case 0x93: {
        const auto names = pop_many(2);
        return push(find_name(expect_pickled<std::string_view>(names[0], "module"),
                              expect_pickled<std::string_view>(names[1], "name")));
      }
      case 'R':
      case 0x81: {  // NEWOBJ: Class.__new__(Class, *arguments)
        const auto call = pop_many(2);
        return push(call_pickled(store_, call[0], call[1]));
      }
      case 0x92: {  // NEWOBJ_EX: with arguments by name, which no class on the list has
        const auto call = pop_many(3);
        return push(expect_pickled<const PickledOpaque*>(call[0], "class"));
      }
      case 'o': {  // OBJ: a class and its arguments up to a mark
        const auto call = pop_to_mark();
        if (call.empty()) fail("it calls nothing");
        return push(expect_pickled<const PickledOpaque*>(call[0], "class"));
      }
      case 'i': {  // INST: the same with the class's name
        const std::string_view module = take_line();
        const PickledValue value = find_name(module, take_line());
        (void)pop_to_mark();
        return push(expect_pickled<const PickledOpaque*>(value, "class"));
      }
      case 'b':
        (void)pop();
        return give_attributes();
      case 'Q':
        return push(make_pickled_storage(store_, pop()));
      default:
        fail(fmt::format("unsupported operation 0x{:02x} at {}", code, at_ - 1));
    }
  }

  /// An OrderedDict's attributes, which are skipped: of a state_dict its _metadata, the modules'
  /// versions. An opaque object's are so too.
  void give_attributes() {
    if (is_opaque(top())) return;
    if (!expect_pickled<PickledDict*>(top(), "OrderedDict")->is_ordered) {
      fail("it sets attributes of a dict");
    }
  }

  PickledValue find_name(std::string_view module, std::string_view name) {
    if (const auto found = find_pickle_name(module, name)) return *found;
    return &store_.opaque.emplace_back(PickledOpaque{module, name});
  }

  static bool is_opaque(const PickledValue& value) {
    return std::holds_alternative<const PickledOpaque*>(value);
  }

  static constexpr PickledOpaque data_{};
  PickleStore& store_;
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::vector<PickledValue> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickledValue> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, const std::filesystem::path& path,
               std::string_view field) {
  try {
    Unpickler unpickler(store_, bytes);
    root_ = unpickler.run();
    size_ = unpickler.at();
  } catch (const Error& error) {
    throw InputError(path, std::string(field), error.what());
  }
}

}  // namespace mpbench::nn
