#include "unpickler.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <string>

#include "mpbench/core/error.hpp"
#include "pickle_names.hpp"
#include "tensor_limits.hpp"

namespace mpbench::nn {
namespace {

// The largest of torchvision's networks, with an optimizer's state, takes about 100 KB and 40,000
// operations. An operation takes at most some 100 bytes here.
constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::size_t most_operations = 4'000'000;

}  // namespace

/// Python's stack machine for the operations that plain data and tensors need.
class Unpickler {
 public:
  Unpickler(Pickle& pickle, std::span<const std::byte> bytes, const std::filesystem::path& path,
            std::string_view field)
      : pickle_(pickle), bytes_(bytes), path_(path), field_(field) {}

  PickledValue run() {
    if (bytes_.size() > most_bytes) {
      fail(fmt::format("its {} bytes are more than a network's names take", bytes_.size()));
    }
    for (std::size_t operations = 0; operations < most_operations; ++operations) {
      const auto code = word<std::uint8_t>();
      if (code == '.') return pop();
      if (!run_scalar(code) && !run_container(code) && !run_stack(code)) run_object(code);
    }
    fail(fmt::format("it has more than {} operations", most_operations));
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw InputError(path_, std::string(field_), problem);
  }

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
    if (stack_.size() <= floor()) fail("it takes a value where there is none");
    return stack_.back();
  }
  PickledValue pop() {
    const PickledValue value = top();
    stack_.pop_back();
    return value;
  }
  std::vector<PickledValue> pop_to_mark() {
    if (marks_.empty()) fail("it takes values up to a mark where there is none");
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
  template <typename Kind>
  Kind expect(const PickledValue& value, std::string_view what) const {
    if (!std::holds_alternative<Kind>(value))
      fail(fmt::format("it has no {} where one belongs", what));
    return std::get<Kind>(value);
  }

  // --- objects
  PickledSequence* make_sequence(bool is_tuple, std::vector<PickledValue> items) {
    return &pickle_.sequences_.emplace_back(PickledSequence{is_tuple, std::move(items)});
  }
  PickledDict* make_dict(bool is_ordered) {
    return &pickle_.dicts_.emplace_back(PickledDict{is_ordered, {}});
  }
  void add_entries(PickledDict& dict, const std::vector<PickledValue>& values) const {
    if (values.size() % 2 != 0) fail("a dict has a key without a value");
    for (std::size_t i = 0; i < values.size(); i += 2) {
      dict.entries.emplace_back(values[i], values[i + 1]);
    }
  }
  std::vector<std::int64_t> integers(const PickledValue& value, std::string_view what) const {
    const auto* sequence = expect<PickledSequence*>(value, what);
    if (sequence->items.size() > most_dimensions) {
      fail(fmt::format("a tensor in it has {} dimensions", sequence->items.size()));
    }
    std::vector<std::int64_t> numbers;
    numbers.reserve(sequence->items.size());
    for (const PickledValue& item : sequence->items) {
      numbers.push_back(expect<std::int64_t>(item, "integer"));
    }
    return numbers;
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
        return push(take_long()), true;
      case 'G':
        return push(take_double()), true;
      case 0x8c:
        return push(take(word<std::uint8_t>())), true;
      case 'X':
        return push(take(word<std::uint32_t>())), true;
      case 0x8d:
        return push(take(word<std::uint64_t>())), true;
      default:
        return false;
    }
  }

  std::int64_t take_long() {
    // Two's complement in as few bytes as it takes, none for zero.
    const std::string_view digits = take(word<std::uint8_t>());
    std::uint64_t value = 0;
    if (digits.size() > sizeof value) fail("it has an integer of more than 64 bits");
    std::memcpy(&value, digits.data(), digits.size());
    if (!digits.empty() && digits.size() < sizeof value && (digits.back() & 0x80) != 0) {
      value |= ~std::uint64_t{0} << (8 * digits.size());
    }
    return static_cast<std::int64_t>(value);
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
        return push(make_dict(false)), true;
      case 'd': {
        const auto values = pop_to_mark();
        PickledDict* dict = make_dict(false);
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
    auto* list = expect<PickledSequence*>(top(), "list");
    if (list->is_tuple) fail("it appends to a tuple");
    list->items.insert(list->items.end(), values.begin(), values.end());
  }
  void set_items(const std::vector<PickledValue>& values) {
    add_entries(*expect<PickledDict*>(top(), "dict"), values);
  }

  bool run_stack(std::uint8_t code) {
    switch (code) {
      case 0x80:
        if (const auto protocol = word<std::uint8_t>(); protocol < 2 || protocol > 5) {
          fail(fmt::format("its protocol {} is none of 2 to 5", protocol));
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
      fail(fmt::format("it remembers value {} before {}", index, memo_.size()));
    if (index == memo_.size()) memo_.emplace_back();
    memo_[index] = top();
  }
  PickledValue recall(std::size_t index) const {
    if (index >= memo_.size()) fail(fmt::format("it recalls value {}, which it never set", index));
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
        return push(find_name(expect<std::string_view>(names[0], "module"),
                              expect<std::string_view>(names[1], "name")));
      }
      case 'R': {
        const auto call = pop_many(2);
        return push(reduce(expect<Callable>(call[0], "function"),
                           expect<PickledSequence*>(call[1], "tuple")->items));
      }
      case 'b': {
        // An OrderedDict's attributes: of a state_dict its _metadata, the modules' versions.
        (void)expect<PickledDict*>(pop(), "dict");
        if (!expect<PickledDict*>(top(), "OrderedDict")->is_ordered) {
          fail("it gives attributes to a dict");
        }
        return;
      }
      case 'Q':
        return push(make_storage(expect<PickledSequence*>(pop(), "tuple")->items));
      default:
        fail(fmt::format("its operation 0x{:02x} at {} is not one of plain data and tensors", code,
                         at_ - 1));
    }
  }

  PickledValue find_name(std::string_view module, std::string_view name) const {
    try {
      return find_pickle_name(module, name);
    } catch (const Error& error) {
      fail(error.what());
    }
  }

  const PickledStorage* make_storage(const std::vector<PickledValue>& id) {
    // ("storage", type, key, location, number of elements)
    if (id.size() != 5 || expect<std::string_view>(id[0], "text") != "storage") {
      fail("a persistent id in it is no storage");
    }
    return &pickle_.storages_.emplace_back(
        PickledStorage{.dtype = expect<c10::ScalarType>(id[1], "storage type"),
                       .key = expect<std::string_view>(id[2], "storage key"),
                       .elements = expect<std::int64_t>(id[4], "number of elements")});
  }

  PickledValue reduce(Callable callable, const std::vector<PickledValue>& arguments) {
    const auto need = [&](std::size_t least, std::size_t most, std::string_view name) {
      if (arguments.size() < least || arguments.size() > most) {
        fail(fmt::format("it calls {} with {} arguments", name, arguments.size()));
      }
    };
    switch (callable) {
      case Callable::ordered_dict:
        need(0, 0, "OrderedDict");
        return make_dict(true);
      case Callable::size:
        need(1, 1, "torch.Size");
        return expect<PickledSequence*>(arguments[0], "tuple");
      case Callable::rebuild_tensor:
        need(6, 7, "_rebuild_tensor_v2");
        return rebuild_tensor(arguments);
      case Callable::rebuild_parameter:
        need(3, 3, "_rebuild_parameter");
        return expect<const PickledTensor*>(arguments[0], "tensor");
      case Callable::rebuild_parameter_with_state:
        need(4, 4, "_rebuild_parameter_with_state");
        return expect<const PickledTensor*>(arguments[0], "tensor");
    }
    fail("it calls an unknown function");
  }

  const PickledTensor* rebuild_tensor(const std::vector<PickledValue>& arguments) {
    // (storage, offset, sizes, strides, requires_grad, backward hooks[, metadata])
    if (arguments.size() == 7) {
      // That a tensor is to be negated or conjugated when it is read: never so of a network's.
      const bool is_plain = std::holds_alternative<std::monostate>(arguments[6]) ||
                            expect<PickledDict*>(arguments[6], "dict")->entries.empty();
      if (!is_plain) fail("a tensor in it has metadata, which is not allowed");
    }
    return &pickle_.tensors_.emplace_back(
        PickledTensor{.storage = expect<const PickledStorage*>(arguments[0], "storage"),
                      .offset = expect<std::int64_t>(arguments[1], "offset"),
                      .sizes = integers(arguments[2], "tuple of sizes"),
                      .strides = integers(arguments[3], "tuple of strides")});
  }

  Pickle& pickle_;
  std::span<const std::byte> bytes_;
  const std::filesystem::path& path_;
  std::string_view field_;
  std::size_t at_ = 0;
  std::vector<PickledValue> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickledValue> memo_;
};

Pickle::Pickle(std::span<const std::byte> bytes, const std::filesystem::path& path,
               std::string_view field)
    : root_(Unpickler(*this, bytes, path, field).run()) {}

}  // namespace mpbench::nn
