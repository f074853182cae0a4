#pragma once

#include <fmt/format.h>

#include <string_view>
#include <variant>

#include "mpbench/core/error.hpp"
#include "unpickler.hpp"

/// What a pickle's calls make: the few functions that it may call are computed here, and none is
/// run. All throw Error saying what is malformed.
namespace mpbench::nn {

template <typename Kind>
Kind expect_pickled(const PickledValue& value, std::string_view what) {
  if (!std::holds_alternative<Kind>(value)) {
    throw Error(fmt::format("expected {}, found a value of another kind", what));
  }
  return std::get<Kind>(value);
}

/// callable(*arguments). What an opaque one makes is opaque.
PickledValue call_pickled(PickleStore& store, const PickledValue& callable,
                          const PickledValue& arguments);

/// The storage of a persistent id; opaque where its type is.
PickledValue make_pickled_storage(PickleStore& store, const PickledValue& id);

}  // namespace mpbench::nn
