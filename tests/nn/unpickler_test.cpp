#include "../../src/nn/torch_file/unpickler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"
#include "support/pth_bytes.hpp"

namespace mpbench::nn {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

/// Keeps the bytes that the texts in it refer to.
struct Loaded {
  explicit Loaded(std::string pickled)
      : bytes(std::move(pickled)), pickle(as_bytes(bytes), "x.pth", "data.pkl") {}
  std::string bytes;
  Pickle pickle;

  template <typename Kind>
  Kind as() const {
    return std::get<Kind>(pickle.root());
  }
};

template <typename Kind>
Kind load_as(const std::string& value) {
  return Loaded(pickle::whole(value)).as<Kind>();
}

void expect_refused_pickle(const std::string& pickled, const std::string& complaint) {
  EXPECT_THAT([&] { Loaded{pickled}; }, ThrowsWith<InputError>("x.pth: data.pkl: " + complaint));
}

// The bytes of the values and containers are those of Python's pickle.dumps.

TEST(UnpicklerTest, ReadsScalars) {
  EXPECT_TRUE(load_as<bool>("\x88"));
  EXPECT_FALSE(load_as<bool>("\x89"));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(Loaded("\x80\x02N."s).pickle.root()));
  EXPECT_EQ(load_as<std::int64_t>("K\xff"), 255);
  EXPECT_EQ(load_as<std::int64_t>("M\x00\x01"s), 256);
  EXPECT_EQ(load_as<std::int64_t>("J\xff\xff\xff\xff"), -1);
  EXPECT_EQ(load_as<std::int64_t>("\x8a\x00"s), 0);
  EXPECT_EQ(load_as<std::int64_t>("\x8a\x05\x00\x00\x00\x00\x01"s), std::int64_t{1} << 32);
  EXPECT_EQ(load_as<std::int64_t>("\x8a\x05\x00\x00\x00\x00\xff"s), -(std::int64_t{1} << 32));
  EXPECT_EQ(load_as<std::int64_t>("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"s), INT64_MIN);
  EXPECT_TRUE(load_as<bool>("I01\n"));
  EXPECT_EQ(load_as<std::int64_t>("I-70\n"), -70);
  EXPECT_EQ(load_as<std::int64_t>("L4294967296L\n"), std::int64_t{1} << 32);
  EXPECT_EQ(load_as<double>("G\x3f\xb9\x99\x99\x99\x99\x99\x9a"), 0.1);
  EXPECT_EQ(Loaded("\x80\x02X\x03\x00\x00\x00"
                   "abcq\x00."s)
                .as<std::string_view>(),
            "abc");
}

TEST(UnpicklerTest, ReadsContainersOfProtocol2) {
  const Loaded loaded(
      "\x80\x02}q\x00(X\x01\x00\x00\x00"
      "aq\x01K\x01K\x02\x86q\x02X\x01\x00\x00\x00"
      "bq\x03]q\x04(K\x03G@\x10\x00\x00\x00\x00\x00\x00Neu."s);
  const auto& entries = loaded.as<PickledDict*>()->entries;
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(std::get<std::string_view>(entries[0].first), "a");
  const auto* pair = std::get<PickledSequence*>(entries[0].second);
  EXPECT_TRUE(pair->is_tuple);
  EXPECT_THAT(pair->items,
              ElementsAre(PickledValue(std::int64_t{1}), PickledValue(std::int64_t{2})));
  const auto* list = std::get<PickledSequence*>(entries[1].second);
  EXPECT_FALSE(list->is_tuple);
  EXPECT_THAT(list->items, ElementsAre(PickledValue(std::int64_t{3}), PickledValue(4.0),
                                       PickledValue(std::monostate())));
}

TEST(UnpicklerTest, ReadsTheOperationsOfProtocols4And5) {
  // pickle.dumps({"a": collections.OrderedDict(b=[1])}, 4); 5 differs in its number alone.
  std::string bytes =
      "\x80\x04\x95\x33\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01"
      "a\x94\x8c\x0b"
      "collections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94\x8c\x01"
      "b\x94]\x94K\x01"
      "ass."s;
  for (const char protocol : {'\x04', '\x05', '\x03'}) {
    bytes[1] = protocol;
    const Loaded loaded(bytes);
    const auto* inner = std::get<PickledDict*>(loaded.as<PickledDict*>()->entries.at(0).second);
    EXPECT_TRUE(inner->is_ordered);
    EXPECT_EQ(std::get<std::string_view>(inner->entries.at(0).first), "b");
  }
}

TEST(UnpicklerTest, RemembersObjectsAndNotCopies) {
  // What a = [[]]; a.append(a[0]); a[0].append(1) makes, written by hand.
  const Loaded loaded(
      "\x80\x02]q\x00(]q\x01h\x01"
      "e0h\x01K\x01"
      "a0h\x00."s);
  const auto& items = loaded.as<PickledSequence*>()->items;
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(std::get<PickledSequence*>(items[0]), std::get<PickledSequence*>(items[1]));
  EXPECT_EQ(std::get<PickledSequence*>(items[0])->items.size(), 1U);
}

TEST(UnpicklerTest, ReadsTensorsAndParameters) {
  const std::string view = pickle::tensor({.key = "7", .elements = 20}, {2, 3}, {3, 1}, 4);
  const std::string hooks = pickle::ordered_dict();
  for (const std::string& value :
       {view,
        pickle::call(pickle::name("torch._utils", "_rebuild_parameter"), {view, "\x88", hooks}),
        pickle::call(pickle::name("torch._utils", "_rebuild_parameter_with_state"),
                     {view, "\x88", hooks, "}"})}) {
    const Loaded loaded(pickle::whole(value));
    const auto* tensor = loaded.as<const PickledTensor*>();
    EXPECT_EQ(tensor->storage->dtype, c10::ScalarType::Float);
    EXPECT_EQ(tensor->storage->key, "7");
    EXPECT_EQ(tensor->storage->elements, 20);
    EXPECT_EQ(tensor->offset, 4);
    EXPECT_THAT(tensor->sizes, ElementsAre(2, 3));
    EXPECT_THAT(tensor->strides, ElementsAre(3, 1));
  }
}

TEST(UnpicklerTest, TakesATorchSizeForItsTuple) {
  const Loaded loaded(
      pickle::whole(pickle::call(pickle::name("torch", "Size"), {pickle::integers({4, 5})})));
  EXPECT_EQ(loaded.as<PickledSequence*>()->items.size(), 2U);
}

TEST(UnpicklerTest, LeavesAnOrderedDictsAttributesAside) {
  const Loaded loaded(
      pickle::whole(pickle::ordered_dict() + "}" + pickle::text("_metadata") + "}sb"));
  EXPECT_TRUE(loaded.as<PickledDict*>()->entries.empty());
}

TEST(UnpicklerTest, RefusesNamesThatRunProgramsByTheirNames) {
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"builtins", "eval"},
                                                        {"builtins", "exec"},
                                                        {"__builtin__", "__import__"},
                                                        {"posix", "system"},
                                                        {"os", "popen"},
                                                        {"subprocess", "Popen"},
                                                        {"importlib.util", "module_from_spec"},
                                                        {"torch.storage", "_load_from_bytes"},
                                                        {"torch", "load"}}) {
    expect_refused_pickle(pickle::whole(pickle::name(module, name)),
                          module + "." + name + " is not allowed, since unpickling runs");
    // Protocol 4's form, whose names may have points in them.
    expect_refused_pickle(pickle::whole(pickle::text(module) + pickle::text(name) + "\x93"),
                          module + "." + name + " is not allowed, since unpickling runs");
  }
}

void expect_opaque(const std::string& value, const std::string& module, const std::string& name) {
  const Loaded loaded(pickle::whole(value));
  const auto* const* opaque = std::get_if<const PickledOpaque*>(&loaded.pickle.root());
  ASSERT_NE(opaque, nullptr) << name;
  EXPECT_EQ((*opaque)->module, module);
  EXPECT_EQ((*opaque)->name, name);
}

TEST(UnpicklerTest, LeavesObjectsOfEveryOtherClassOpaque) {
  const std::string space = pickle::name("argparse", "Namespace");
  const std::string tensor = pickle::tensor({.elements = 4}, {4}, {1});
  const std::string state = "}" + pickle::text("w") + tensor + "s";
  for (const std::string& value :
       {space, space + ")R", space + ")\x81", space + ")}\x92", "(" + space + tensor + "o",
        "("s + tensor + "iargparse\nNamespace\n", space + ")\x81" + state + "b",
        space + ")\x81(" + pickle::text("w") + tensor + "u", space + ")\x81(" + tensor + "e",
        space + ")\x81" + tensor + "a", space + pickle::tuple({tensor}) + "R",
        space + pickle::tuple({tensor}) + "R)R",  // what a call made is called
        pickle::call(pickle::name("builtins", "getattr"), {space, pickle::text("a")})}) {
    expect_opaque(value, "argparse", "Namespace");
  }
  expect_opaque(pickle::name("collections", "OrderedDict.clear"), "collections",
                "OrderedDict.clear");
}

TEST(UnpicklerTest, LeavesDataWithoutAClassOpaque) {
  for (const std::string& value :
       {"C\x01"s + "a", "B\x01\x00\x00\x00"s + "a", "\x8e\x01\x00\x00\x00\x00\x00\x00\x00"s + "a",
        "\x96\x01\x00\x00\x00\x00\x00\x00\x00"s + "a", "\x8f"s, "\x8f(K\x01N\x90"s, "(K\x01\x91"s,
        "\x8a\x09"s + "123456789", "L99999999999999999999L\n"s,
        "\x8b\x09\x00\x00\x00"s + "123456789"}) {
    expect_opaque(value, "", "");
  }
  EXPECT_EQ(load_as<std::int64_t>("\x8b\x01\x00\x00\x00\xff"s), -1);
}

TEST(UnpicklerTest, MakesNoTensorOfAnUnknownKind) {
  const std::string sizes = pickle::integers({4});
  const std::string hooks = pickle::ordered_dict();
  const pickle::Storage complex{.elements = 4, .type = "ComplexFloatStorage"};
  expect_opaque(pickle::tensor(complex, {4}, {1}), "torch", "ComplexFloatStorage");
  expect_opaque(pickle::call(pickle::name("torch._utils", "_rebuild_parameter"),
                             {pickle::tensor(complex, {4}, {1}), "\x88", hooks}),
                "torch", "ComplexFloatStorage");
  expect_opaque(pickle::call(pickle::name("torch._utils", "_rebuild_tensor_v3"),
                             {pickle::storage({.elements = 4}), "K\x01", sizes, sizes}),
                "torch._utils", "_rebuild_tensor_v3");
  const auto typed = [&](const std::string& type) {
    return pickle::call(pickle::name("torch._tensor", "_rebuild_from_type_v2"),
                        {pickle::name("torch._utils", "_rebuild_tensor_v2"), type,
                         pickle::tuple({pickle::storage({.elements = 4}), pickle::integer(0), sizes,
                                        pickle::integers({1}), "\x89", hooks}),
                         "}"});
  };
  expect_opaque(typed(pickle::name("user", "Inverted")), "user", "Inverted");
  EXPECT_THAT(Loaded(pickle::whole(typed(pickle::name("torch", "Tensor"))))
                  .as<const PickledTensor*>()
                  ->sizes,
              ElementsAre(4));
  // A dict of its own class is none, and neither are its entries.
  expect_opaque(pickle::name("user", "Dict") + ")\x81(" + pickle::text("w") +
                    pickle::tensor({.elements = 4}, {4}, {1}) + "u",
                "user", "Dict");
}

TEST(UnpicklerTest, TakesADefaultdictForItsEntries) {
  const Loaded loaded(pickle::whole(
      pickle::call(pickle::name("collections", "defaultdict"), {pickle::name("builtins", "list")}) +
      pickle::text("a") + "K\x01s"));
  EXPECT_EQ(loaded.as<PickledDict*>()->entries.size(), 1U);
}

TEST(UnpicklerTest, RefusesOperationsThatPlainDataHasNot) {
  expect_refused_pickle("\x80\x02N)\x81.",
                        "expected function, found a value of another kind");  // NEWOBJ
  expect_refused_pickle("\x80\x02P1\n.", "unsupported operation 0x50 at 2");  // PERSID
  expect_refused_pickle("\x80\x02(ctorch\nSize\no.",
                        "expected class, found a value of another kind");  // OBJ
  expect_refused_pickle("\x80\x02(o.", "it calls nothing");
  expect_refused_pickle("\x80\x02i\nx\n.", "it pops values to a mark");           // INST
  expect_refused_pickle("\x80\x02\x97.", "unsupported operation 0x97 at 2");      // NEXT_BUFFER
  expect_refused_pickle("\x80\x02\x82\x01.", "unsupported operation 0x82 at 2");  // EXT1
  expect_refused_pickle("\x80\x02](K\x01\x90.", "it adds elements to a value that is not a set");
  expect_refused_pickle(
      pickle::whole(pickle::call(pickle::name("builtins", "getattr"),
                                 {pickle::ordered_dict(), pickle::text("clear")})),
      "builtins.getattr is not allowed, since unpickling runs");
  expect_refused_pickle("\x80\x02}}b.", "it sets attributes of a dict");
  expect_refused_pickle("\x80\x01N."s, "unsupported pickle protocol 1 (2 to 5 are read)");
  expect_refused_pickle(pickle::whole(pickle::text("builtins") + ")R"),
                        "expected function, found a value of another kind");
  expect_refused_pickle(pickle::whole(pickle::name("torch", "FloatStorage") + ")R"),
                        "expected function, found a value of another kind");
  expect_refused_pickle(
      pickle::whole(pickle::call(pickle::name("collections", "OrderedDict"), {"]"})),
      "it calls OrderedDict with 1 arguments");
}

TEST(UnpicklerTest, RefusesMalformedPickles) {
  expect_refused_pickle("", "it is cut off");
  expect_refused_pickle("\x80\x02", "it is cut off");
  expect_refused_pickle(
      "\x80\x02X\xff\xff\xff\x7f"
      "abc.",
      "it is cut off, or a length");
  expect_refused_pickle(
      "\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
      "abc.",
      "it is cut off, or a length");
  expect_refused_pickle(
      "\x80\x02"
      "cbuiltins\neval",
      "it is cut off");
  expect_refused_pickle("\x80\x02.", "it pops a value from an empty stack");
  expect_refused_pickle("\x80\x02N(\x85.", "it pops a value from an empty stack");
  expect_refused_pickle("\x80\x02t.", "it pops values to a mark that is not set");
  expect_refused_pickle("\x80\x02h\x05.", "it reads memo entry 5, which was not stored");
  expect_refused_pickle("\x80\x02Nr\xff\xff\xff\xff.",
                        "it stores memo entry 4294967295 before entry 0");
  expect_refused_pickle("\x80\x02}(Nu.", "a dict has a key without a value");
  expect_refused_pickle("\x80\x02NNa.", "expected list, found a value of another kind");
  expect_refused_pickle("\x80\x02I1x\n.", "it has a bad integer");
  expect_refused_pickle("\x80\x02)Na.", "it appends to a tuple");
  expect_refused_pickle(
      "\x80\x02"
      "B\xff\xff\xff\xff"
      "abc.",
      "it is cut off, or a length");
}

TEST(UnpicklerTest, RefusesOddTensors) {
  const std::string rebuild = pickle::name("torch._utils", "_rebuild_tensor_v2");
  const std::string storage = pickle::storage({.elements = 4});
  const std::string sizes = pickle::integers({4});
  const std::string hooks = pickle::ordered_dict();
  const std::string zero = pickle::integer(0);
  expect_refused_pickle(pickle::whole(pickle::call(rebuild, {storage, zero, sizes, sizes, "\x89"})),
                        "it calls _rebuild_tensor_v2 with 5 arguments");
  expect_refused_pickle(
      pickle::whole(pickle::call(rebuild, {"N", zero, sizes, sizes, "\x89", hooks})),
      "expected storage, found a value of another kind");
  expect_refused_pickle(pickle::whole(pickle::call(
                            rebuild, {storage, zero, pickle::tuple({"N"}), sizes, "\x89", hooks})),
                        "expected integer, found a value of another kind");
  expect_refused_pickle(
      pickle::whole(pickle::call(rebuild, {storage, zero, sizes, sizes, "\x89", hooks,
                                           "}"s + pickle::text("conj") + "\x88s"})),
      "a tensor in it has metadata");
  const std::string nine = pickle::integers(std::vector<std::int64_t>(9, 1));
  expect_refused_pickle(
      pickle::whole(pickle::call(rebuild, {storage, zero, nine, nine, "\x89", hooks})),
      "a tensor in it has 9 dimensions");
  expect_refused_pickle(
      pickle::whole(pickle::tuple({pickle::text("module"), "N", "N", "N", "N"}) + "Q"),
      "a persistent id in it is not a storage");
}

TEST(UnpicklerTest, DoesNotRecurse) {
  constexpr std::size_t deep = 2'000'000;
  const Loaded nested("\x80\x02N"s + std::string(deep, '\x85') + ".");  // (((...(None,)...),),)
  EXPECT_EQ(nested.as<PickledSequence*>()->items.size(), 1U);
  expect_refused_pickle("\x80\x02"s + std::string(deep, '('), "it is cut off");
  // A list that holds itself.
  const Loaded circle(
      "\x80\x02]q\x00h\x00"
      "a."s);
  EXPECT_EQ(std::get<PickledSequence*>(circle.as<PickledSequence*>()->items.at(0)),
            circle.as<PickledSequence*>());
}

TEST(UnpicklerTest, EndsAfterAsManyOperationsAsNoNetworkTakes) {
  std::string bytes = "\x80\x02";
  for (int i = 0; i < 3'000'000; ++i) bytes += "N0";
  expect_refused_pickle(bytes + "N.", "it has more than 4000000 operations");
}

}  // namespace
}  // namespace mpbench::nn
